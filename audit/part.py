"""What a part of the audit comes to, and running a tool for it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SECONDS = 300


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Attributes:
        status: `not run` also where only some of it could be looked at: that is no clean bill.
        looked_at: how much, in words.
        findings: one line each, with the place.
        problem: why it did not run, or not for all.
    """

    name: str
    status: Literal["clean", "findings", "not run"]
    looked_at: str
    findings: tuple[str, ...] = ()
    problem: str = ""


class ToolError(Exception):
    """A tool did not do its work; the text says why."""


def run(argv: Sequence[str | Path], root: Path, allowed: tuple[int, ...] = (0, 1)) -> str:
    """Standard output of a tool.

    Args:
        allowed: exit codes that mean it did its work; 1 is what these tools say of findings.

    Raises:
        ToolError: it could not be started, did not end, or ended otherwise.
    """
    name = Path(str(argv[0])).name
    try:
        done = subprocess.run(
            [str(word) for word in argv], cwd=root, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except OSError as error:
        raise ToolError(f"{name} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{name} did not end within {SECONDS} s") from error
    if done.returncode not in allowed:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ToolError(f"{name} exited with {done.returncode}: {said[-1] if said else 'it said nothing'}")
    return done.stdout
