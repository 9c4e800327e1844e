"""Known vulnerabilities of the pinned dependencies: pip-audit, where a database of them can be reached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from audit.part import Part, ToolError, run

NAME = "known vulnerabilities"


def vulnerabilities(root: Path, tools: Path) -> Part:
    """Every pin of requirements/*.txt.

    pip-audit calls a package that the database does not know skipped, and succeeds: behind a mirror without one it
    would find nothing of everything. A skipped package makes this part `not run`.
    """
    pins = sorted((root / "requirements").glob("*.txt"))
    options = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    found: dict[str, dict[str, Any]] = {}
    try:
        for path in pins:  # one by one: it refuses a package that two files pin
            said = json.loads(run([tools / "pip-audit", *options, "-r", path], root))
            found |= {json.dumps(item, sort_keys=True): item for item in said["dependencies"]}
    except (ToolError, ValueError) as error:
        return Part(NAME, "not run", f"0 packages of {len(pins)} files", problem=str(error))
    return judged(list(found.values()), len(pins))


def judged(dependencies: list[dict[str, Any]], files: int) -> Part:
    """The part, from pip-audit's list: a package has `vulns`, or a `skip_reason`."""
    known = [item for item in dependencies if "vulns" in item]
    skipped = [item for item in dependencies if "vulns" not in item]
    findings = tuple(
        f"{item['name']} {item['version']}: {found['id']}, fixed in {', '.join(found['fix_versions']) or 'no version'}"
        for item in known
        for found in item["vulns"]
    )
    looked_at = f"{len(known)} of {len(dependencies)} packages of {files} files"
    problem = ""
    if skipped:
        problem = f"{len(skipped)} packages are not in the database that was reached, the first: {skipped[0]['name']}"
    if not dependencies:
        problem = "pip-audit found no package at all"
    return Part(NAME, "findings" if findings else "not run" if problem else "clean", looked_at, findings, problem)
