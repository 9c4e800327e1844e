"""Following a run to its end: events as they come, and the notice that its processes are gone."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dbadmin_assets.cli.display import Display
from dbadmin_assets.cli.instance import runs_are_our_processes
from dbadmin_assets.cli.progress import RunProgress
from dbadmin_assets.errors import ReportError, RunDiedError

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

POLL_SECONDS = 0.4


class WaitedLongEnoughError(ReportError):
    """--timeout has passed; the run goes on."""


@dataclass(frozen=True, slots=True)
class Following:
    """One run that is followed.

    Attributes:
        alive: whether any process of the run is left.
        log: what its processes print.
    """

    instance: DagsterInstance
    run_id: str
    alive: Callable[[], bool]
    log: Path

    def to_the_end(self, progress: RunProgress, display: Display, timeout_seconds: float | None) -> DagsterRun:
        """Wait until the run is finished, and show what happens.

        Raises:
            RunDiedError: its processes are gone; it is marked as failed.
            ReportError: it could not even be started.
            WaitedLongEnoughError: it is not finished in time.
        """
        ours = runs_are_our_processes(self.instance)
        deadline = time.monotonic() + timeout_seconds if timeout_seconds is not None else None
        missed = 0
        while True:
            # Looked at before the events are read: a run that ends in between is found finished next.
            missed = 0 if not ours or self.alive() else missed + 1
            run = self.instance.get_run_by_id(self.run_id)
            display.update(progress, progress.refresh())
            if run is not None and run.is_finished:
                return run
            if missed > 1:  # one look at a process table is no atomic view of it
                self.bury(run)
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitedLongEnoughError(
                    f"run {self.run_id} is not finished after {timeout_seconds:g} s, and goes on",
                    hint=how_to_follow(self.run_id),
                )
            time.sleep(POLL_SECONDS)

    def bury(self, run: DagsterRun | None) -> None:
        """Say that the run died, and mark it as failed; comes back only if it finished after all."""
        run = self.instance.get_run_by_id(self.run_id) if run is None else run
        if run is None:
            raise ReportError(
                f"run {self.run_id} could not be started: {_last_line(self.log)}", hint=f"the whole log: {self.log}"
            )
        current = self.instance.get_run_by_id(self.run_id)
        if current is not None and current.is_finished:
            return
        message = death_notice(self.run_id)
        self.instance.report_run_failed(run, message)
        raise RunDiedError(message, hint=f"its log: {self.log}")


def reaping(process: subprocess.Popen[bytes], alive: Callable[[], bool]) -> Callable[[], bool]:
    """`alive` for the process that launched the run: a child must be waited for, or it stays a zombie."""

    def check() -> bool:
        process.poll()
        return alive()

    return check


def death_notice(run_id: str) -> str:
    """What a run is marked as failed with when its processes are gone; tells it from a failure of its own."""
    return f"run {run_id} died: its process was killed or crashed before it was finished"


def how_to_follow(run_id: str) -> str:
    """The two commands for a run that goes on."""
    return f"`db-admin-report status {run_id}` shows how it is going, `db-admin-report cancel {run_id}` stops it"


def _last_line(log: Path) -> str:
    try:
        lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    except FileNotFoundError:
        return "there is no log"
    return lines[-1][:500] if lines else "its log is empty"
