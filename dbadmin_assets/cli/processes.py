"""Which operating-system processes a run has, and how they are stopped.

A run is launched in a process session of its own, so its group is everything it started. A group id can be
given again once it is empty: a leader that does not carry the run's id is somebody else's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a group; `command` is its argument vector as one text."""

    pid: int
    command: str


def members(pgid: int) -> list[Process]:
    """The living processes of a group; zombies are dead."""
    return _members_from_proc(pgid) if (_PROC / "self/stat").exists() else _members_from_ps(pgid)


def _members_from_proc(pgid: int) -> list[Process]:
    found = []
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # After the command in parentheses: state, parent, group (proc(5)).
            state, _, group = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(group) == pgid and state not in "ZX":
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(Process(int(folder.name), command))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    return found


def _members_from_ps(pgid: int) -> list[Process]:
    columns = ["-o", "pid=", "-o", "pgid=", "-o", "stat=", "-o", "command="]
    text = subprocess.run(["/bin/ps", "-A", "-ww", *columns], capture_output=True, text=True, check=True).stdout
    found = []
    for line in text.splitlines():
        pid, group, state, command = [*line.split(None, 3), ""][:4]
        if int(group) == pgid and not state.startswith("Z"):
            found.append(Process(int(pid), command))
    return found


def run_processes(pgid: int, run_id: str) -> list[Process]:
    """The living processes of a run's group; none where the group id belongs to somebody else by now."""
    found = members(pgid)
    leader = next((process for process in found if process.pid == pgid), None)
    # A process that is just ending has no arguments any more, and is no stranger for that.
    is_stranger = leader is not None and bool(leader.command.strip()) and run_id not in leader.command
    return [] if is_stranger else found


def stop_run(pgid: int, run_id: str, *, grace_seconds: float = 10.0) -> None:
    """End every process of a run: asked first, then made to."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not run_processes(pgid, run_id):
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pgid, number)
        deadline = time.monotonic() + grace_seconds
        while run_processes(pgid, run_id) and time.monotonic() < deadline:
            time.sleep(0.05)
