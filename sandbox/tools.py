"""Tools in environments of their own under .sandbox/tools, from pinned and hashed requirements."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from sandbox.processes import ROOT, SandboxError

TOOLS = ROOT / ".sandbox" / "tools"


def install(name: str, pins: Path) -> Path:
    """The Python of an environment, made on the first call and when its pins change.

    Args:
        name: of the folder.
        pins: requirements with hashes.

    Raises:
        SandboxError: pip failed; the message holds what it said.
    """
    home = TOOLS / name
    python = home / "bin" / "python"
    stamp = home / "pins.txt"
    TOOLS.mkdir(parents=True, exist_ok=True)
    with FileLock(TOOLS / f"{name}.lock"):
        if stamp.exists() and stamp.read_bytes() == pins.read_bytes():
            return python
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"]
        _run([*pip, "-r", str(pins)])
        stamp.write_bytes(pins.read_bytes())
    return python


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"{' '.join(argv[:4])} … failed:\n{(done.stderr or done.stdout)[-2000:]}")
