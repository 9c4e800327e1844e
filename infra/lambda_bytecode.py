"""Bytecode for the worker's package: made by the Python minor version that Lambda runs, or not at all.

Unchecked-hash .pyc files: Lambda's file system is read-only and its files carry no times that could be compared, so
anything else would be compiled again at every cold start. Another minor version's bytecode would be ignored there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ASK = "import sys; print(sys.implementation.name, '%d.%d.%d' % sys.version_info[:3])"
# The path in a traceback is the one in Lambda, not that of the machine that built it.
_COMPILE = """
import py_compile, sys
from pathlib import Path
root = Path(sys.argv[1])
for path in sorted(root.rglob("*.py"), key=lambda p: p.relative_to(root).as_posix()):
    py_compile.compile(str(path), dfile="/var/task/" + path.relative_to(root).as_posix(), doraise=True, optimize=0,
                       invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython that runs on this machine. `version` has three numbers."""

    path: str
    version: str


def find_interpreter(minor_version: str, named: str | None = None) -> Interpreter | None:
    """A CPython of exactly this minor version (`3.12`): the named one, else this one, else one that is installed.

    Each is asked what it is: pyenv's `python3.12` exists on machines where it only prints how to get one.
    """
    for candidate in [named] if named else _candidates(minor_version):
        found = _ask(candidate)
        if found and found.version.rpartition(".")[0] == minor_version:
            return found
    return None


def _candidates(minor_version: str) -> Iterator[str]:
    yield sys.executable
    on_path = shutil.which(f"python{minor_version}")
    if on_path:
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{minor_version}.*/bin/python{minor_version}")))


def _ask(path: str) -> Interpreter | None:
    try:
        done = subprocess.run([path, "-I", "-S", "-c", _ASK], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    name, _, version = done.stdout.strip().partition(" ")
    return Interpreter(path, version) if done.returncode == 0 and name == "cpython" else None


def compile_tree(directory: Path, interpreter: Interpreter) -> None:
    """A .pyc in `__pycache__` for each .py below a directory; the same bytes for the same sources.

    Raises:
        subprocess.CalledProcessError: a file does not compile (its message is on standard error).
    """
    # The hash seed orders sets of constants; a fixed one is part of "same input, same bytes".
    environment = {"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", "")}
    command = [interpreter.path, "-S", "-B", "-c", _COMPILE, str(directory)]
    subprocess.run(command, env=environment, check=True)
