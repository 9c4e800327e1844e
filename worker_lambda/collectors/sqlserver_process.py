"""Runs one child process and returns its last word; whatever happens, the process and its files are gone afterwards.

Why a process per server: after one failed login FreeTDS reports that error for every later failure of the process, its
time-outs are globals, and a hang or crash in its C code takes the whole process along (measured, pymssql 2.4.6).
Plain subprocess, for Lambda has no /dev/shm and with it no multiprocessing pools.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from worker_lambda.collectors.sqlserver_child import Request
from worker_lambda.collectors.sqlserver_errors import from_exit, from_failure
from worker_lambda.contract import Reason
from worker_lambda.errors import CollectionFailed

# A child costs about 30 MB and 60 ms of CPU: so many at once fit the smallest Lambda that makes sense (1 GB).
MAX_CHILDREN = 24
_slots = threading.BoundedSemaphore(MAX_CHILDREN)
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
_MODULE = "worker_lambda.collectors.sqlserver_child"


def run_child(request: Request, freetds_conf: str, deadline: float) -> dict[str, Any]:
    """Read one server in a process of its own.

    Args:
        request: passed through standard input, so that the password is in no argument list, file or environment.
        freetds_conf: text of the driver's configuration; written for the child's lifetime.
        deadline: on time.monotonic()'s clock; the process is killed then.

    Returns:
        The child's last line: `tables` and `databases`.

    Raises:
        DatabaseError: with the reason why there is none.
    """
    remaining = deadline - time.monotonic()
    if remaining <= 0 or not _slots.acquire(timeout=remaining):
        raise CollectionFailed(Reason.DEADLINE_REACHED, "no free slot for a reading process before the deadline")
    try:
        with tempfile.TemporaryDirectory(prefix="db-admin-report-") as directory:
            path = Path(directory) / "freetds.conf"
            path.write_text(freetds_conf, encoding="utf-8")
            request["remaining_seconds"] = max(0.0, deadline - time.monotonic())
            output, exit_code, killed = _run(json.dumps(request).encode(), _environment(directory), deadline)
    finally:
        _slots.release()
    return _last_word(output, exit_code, killed)


def _run(request: bytes, environment: dict[str, str], deadline: float) -> tuple[bytes, int, bool]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE],  # -P: nothing from the caller's folder is imported
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback of C-backed code may quote what it was given
        env=environment,
        start_new_session=True,
    )
    killed = False
    try:
        try:
            output, _ = process.communicate(request, timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            killed = True
            _kill(process)
            output, _ = process.communicate()
    finally:
        _kill(process)
        process.wait()
    return output, process.returncode, killed


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _environment(directory: str) -> dict[str, str]:
    """What the child may know: no AWS credentials, and none of FreeTDS's own variables (TDSDUMP writes passwords)."""
    environment = {k: os.environ[k] for k in _KEPT_VARIABLES if k in os.environ}
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *(p for p in sys.path if p and Path(p).is_absolute())]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    environment["PYTHONIOENCODING"] = "utf-8"
    environment["FREETDSCONF"] = str(Path(directory) / "freetds.conf")
    environment["HOME"] = directory
    return environment


def _last_word(output: bytes, exit_code: int, killed: bool) -> dict[str, Any]:
    stage: str | None = None
    last: dict[str, Any] = {}
    for line in output.splitlines():
        try:
            item = json.loads(line)
        except ValueError:
            break  # a line cut off by the kill, or no line of ours: what is missing decides below
        if not isinstance(item, dict):
            break
        last = item
        stage = item.get("stage", stage)
    if "failure" in last:
        raise from_failure(last["failure"])
    if "tables" not in last:
        raise from_exit(exit_code, stage, killed_at_deadline=killed)
    return last
