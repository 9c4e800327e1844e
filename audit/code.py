"""Risky code: ruff's S rules (bandit's), each suppression with its reason; and hadolint on the Dockerfile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from audit.part import Part, ToolError, run

CODE = ("dbadmin_assets", "worker_lambda", "infra")
_SUPPRESSED = re.compile(r"#\s*noqa:\s*[A-Z0-9, ]*\bS\d{3}\b[A-Z0-9, ]*(?P<reason> - .+)?$")


def risky_code(root: Path, ruff: Path, folders: tuple[str, ...] = CODE) -> Part:
    """The code that is shipped. Tests, benchmarks and the sandbox plant what these rules look for."""
    files = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    looked_at = f"{len(files)} files of {', '.join(folders)}"
    arguments = ["check", "--no-cache", "--output-format", "json", *folders]
    try:
        said = json.loads(run([ruff, *arguments], root))
    except (ToolError, ValueError) as error:
        return Part("risky code", "not run", looked_at, problem=str(error))
    findings = [
        f"{Path(item['filename']).relative_to(root)}:{item['location']['row']}: {item['code']} {item['message']}"
        for item in said
        if item["code"].startswith("S")  # the others are `make lint`'s, which selects and leaves out the same ones
    ]
    findings += [told for path in files for told in _without_reason(path, root)]
    return Part("risky code", "findings" if findings else "clean", looked_at, tuple(findings))


def _without_reason(path: Path, root: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = _SUPPRESSED.search(line)
        if found and not found["reason"]:
            yield f"{path.relative_to(root)}:{number}: a suppression without a reason"


def dockerfile(root: Path, tools: Path) -> Part:
    """The image's Dockerfile."""
    name = "Dockerfile"
    try:
        said = json.loads(run([tools / "hadolint", "--format", "json", name], root))
    except (ToolError, ValueError) as error:
        return Part(name, "not run", name, problem=str(error))
    findings = tuple(f"{item['file']}:{item['line']}: {item['code']} {item['message']}" for item in said)
    return Part(name, "findings" if findings else "clean", name, findings)
