"""The child processes of one sandbox and its directory: started, adopted, stopped, and reaped when we die."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from sandbox.reaper import MARKER

ROOT = Path(__file__).resolve().parents[1]
"""The checkout: function code runs from it, `.sandbox/` lies in it."""

STOP_WITHIN_SECONDS = 5.0


class SandboxError(Exception):
    """The sandbox cannot start or go on; the message says what is missing and where the log is."""


class Processes:
    """Everything one sandbox has running, below one directory `.sandbox/run-…` that goes with it."""

    def __init__(self, parent: Path | None = None) -> None:
        base = (parent or ROOT / ".sandbox").resolve()
        self.directory = base / f"run-{secrets.token_hex(4)}"
        self._children: list[subprocess.Popen[bytes]] = []
        self._reaper = subprocess.Popen(
            [sys.executable, "-m", "sandbox.reaper", str(self.directory)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        assert self._reaper.stdout is not None
        if self._reaper.stdout.readline().strip() != "ready":
            raise SandboxError(f"cannot make {self.directory}")
        (self.directory / "logs").mkdir()

    @property
    def marker(self) -> dict[str, str]:
        """Environment for everything that must end with the sandbox."""
        return {MARKER: str(self.directory)}

    def log_path(self, name: str) -> Path:
        """Where the output of a process goes."""
        return self.directory / "logs" / f"{name}.log"

    def start(self, name: str, argv: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a child in a process group of its own, its output in `logs/{name}.log`."""
        with self.log_path(name).open("ab") as log:
            return self._spawn(argv, environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def ask(self, name: str, argv: list[str], environment: dict[str, str], line: str) -> str:
        """Start a child that reads one line, answers with one line and goes on; returns the answer.

        Raises:
            SandboxError: it ended without an answer; the log's tail is in the message.
        """
        with self.log_path(name).open("ab") as log:
            child = self._spawn(argv, environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert child.stdin is not None
        assert child.stdout is not None
        with child.stdin as stdin:
            stdin.write(f"{line}\n".encode())
        with child.stdout as stdout:
            answer = stdout.readline().decode()
        if not answer:
            raise SandboxError(f"{name} did not start:\n{self.log_path(name).read_text(errors='replace')[-1500:]}")
        return answer

    def _spawn(self, argv: list[str], environment: dict[str, str], **streams: Any) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(argv, cwd=ROOT, env=environment | self.marker, start_new_session=True, **streams)
        self._children.append(child)
        self.adopt(child.pid)
        return child

    def adopt(self, pid: int) -> None:
        """Have the reaper end this process, which something else started, when the sandbox ends."""
        assert self._reaper.stdin is not None
        self._reaper.stdin.write(f"{pid}\n")
        self._reaper.stdin.flush()

    def stop(self) -> None:
        """End the children, latest first, and leave the rest and the directory to the reaper. Idempotent.

        Raises:
            SandboxError: something could not be ended or removed.
        """
        for child in reversed(self._children):
            _end(child)
        self._children.clear()
        if self._reaper.stdin is not None and not self._reaper.stdin.closed:
            self._reaper.stdin.close()
        status = self._reaper.wait(timeout=60)
        if self._reaper.stdout is not None:
            self._reaper.stdout.close()
        if status != 0:
            raise SandboxError(f"processes or files are left below {self.directory}")


def _end(child: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        try:
            os.killpg(child.pid, number)
            child.wait(STOP_WITHIN_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def end_group(process: subprocess.Popen[bytes], within_seconds: float = 20) -> None:
    """Interrupt a program that leads a group of its own, as Ctrl-C would, then end the whole group whatever it did."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within_seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
