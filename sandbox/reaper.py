"""The process that outlives a sandbox: when the sandbox ends, however it ends, it leaves no process and no file.

`python -m sandbox.reaper DIRECTORY` makes the directory, says `ready`, and reads process ids to adopt from standard
input, one a line. End of input means that the sandbox has stopped or died (SIGKILL closes a pipe, too). Then every
process that belongs to the directory is killed and the directory removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

MARKER = "DBADMIN_SANDBOX"
"""Environment variable that every process of a sandbox inherits; its value is the sandbox's directory."""

_GIVE_UP_AFTER_SECONDS = 30.0


def belongs(process: psutil.Process, directory: Path) -> bool:
    """Whether a process was started for this directory: by its environment, or by an option that points into it.

    Only an option (`--datadir=…`) counts: an editor or `tail` that a person opened on a log is theirs.
    """
    with contextlib.suppress(psutil.Error, OSError):
        if any(word.startswith("-") and str(directory) in word for word in process.cmdline()):
            return True
    with contextlib.suppress(psutil.Error, OSError):
        return process.environ().get(MARKER) == str(directory)
    return False


def recorded_runs(directory: Path) -> Iterator[psutil.Process]:
    """Detached Dagster runs that the command line recorded as `runs/{run_id}.json` below the directory."""
    for record in directory.glob("*/runs/*.json"):
        try:
            pid = int(json.loads(record.read_text())["pid"])
            process = psutil.Process(pid)
            # A number that was given out again after the record was written is another process.
            if process.create_time() <= record.stat().st_mtime + 1:
                yield process
        except (OSError, ValueError, KeyError, psutil.Error):
            continue


def find(directory: Path, adopted: list[psutil.Process]) -> set[psutil.Process]:
    """Every live process of the sandbox, with descendants; never this one or the sandbox itself."""
    roots = [p for p in adopted if p.is_running()]
    roots += recorded_runs(directory)
    roots += [p for p in psutil.process_iter() if belongs(p, directory)]
    found: set[psutil.Process] = set()
    for root in roots:
        with contextlib.suppress(psutil.Error):
            found.update([root, *root.children(recursive=True)])
    return {p for p in found if p.pid not in (os.getpid(), os.getppid()) and not _is_zombie(p)}


def reap(directory: Path, adopted: list[psutil.Process]) -> bool:
    """Kill what is left and remove the directory; True when both succeeded."""
    give_up_at = time.monotonic() + _GIVE_UP_AFTER_SECONDS
    while left := find(directory, adopted):
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if time.monotonic() > give_up_at:
            return False
        psutil.wait_procs(left, timeout=0.2)
    while directory.exists() and time.monotonic() < give_up_at:  # whoever was killed may still have been writing
        shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()


def main(directory: Path) -> int:
    """Serve until the end of input, then reap."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C and a closed terminal are for the sandbox, not for us
    directory.mkdir(parents=True)
    directory.chmod(0o711)  # an engine that runs as another user must reach its files below
    print("ready", flush=True)
    adopted: list[psutil.Process] = []
    for line in sys.stdin:
        with contextlib.suppress(psutil.Error, ValueError):
            adopted.append(psutil.Process(int(line)))
    if reap(directory, adopted):
        return 0
    print(f"sandbox: could not clear {directory}", file=sys.stderr)
    return 1


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
