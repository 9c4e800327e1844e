"""`python -m audit`: exit code 1 where something was found, 3 with --strict where a part did not run."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from audit.code import dockerfile, risky_code
from audit.dependencies import vulnerabilities
from audit.part import Part
from audit.secrets import secrets
from dbadmin_assets.cli.output import print_json, print_table
from sandbox.processes import SandboxError
from sandbox.tools import install

ROOT = Path(__file__).resolve().parent.parent
EXIT_FINDINGS, EXIT_NO_TOOLS, EXIT_NOT_RUN = 1, 2, 3


def main() -> int:
    """Run every part, tell what each came to."""
    parser = argparse.ArgumentParser(prog="python -m audit", description=__doc__)
    parser.add_argument("--strict", action="store_true", help="exit 3 where a part did not run for all it looks at")
    parser.add_argument("--json", action="store_true", help="the parts as JSON")
    options = parser.parse_args()
    try:
        tools = install("audit", ROOT / "requirements" / "audit.txt").parent
    except SandboxError as error:
        print(f"audit: its tools cannot be installed: {error}", file=sys.stderr)
        return EXIT_NO_TOOLS
    parts = [
        vulnerabilities(ROOT, tools),
        risky_code(ROOT, Path(sys.executable).with_name("ruff")),
        secrets(ROOT, tools),
        dockerfile(ROOT, tools),
    ]
    if options.json:
        print_json([dataclasses.asdict(part) for part in parts])
    else:
        _show(parts)
    return exit_code(parts, strict=options.strict)


def exit_code(parts: list[Part], *, strict: bool) -> int:
    """Findings first; what did not run counts where it is asked for."""
    if any(part.findings for part in parts):
        return EXIT_FINDINGS
    return EXIT_NOT_RUN if strict and any(part.problem for part in parts) else 0


def _show(parts: list[Part]) -> None:
    print_table(("Part", "Outcome", "Looked at"), ([part.name, part.status, part.looked_at] for part in parts))
    for part in parts:
        if part.problem:
            print(f"{part.name}: NOT COMPLETE: {part.problem}")
        for finding in part.findings:
            print(f"{part.name}: {finding}")


if __name__ == "__main__":
    raise SystemExit(main())
