"""Following a run to its end, and what its state is called."""

from __future__ import annotations

import time

from dbadmin_assets.cli.display import Display
from dbadmin_assets.cli.output import seconds
from dbadmin_assets.cli.progress import RunProgress
from dbadmin_assets.cli.runs import FINISHED, Run
from dbadmin_assets.errors import ReportError, RunDiedError

# Dagster's states in which something should happen by itself; a queued run may wait for others as long as it takes.
_AT_WORK = ("NOT_STARTED", "STARTING", "STARTED", "CANCELING")
_MARGIN_SECONDS = 300  # beside the time that a target may take: consolidating, sealing, clocks that differ
_RETRY_SECONDS = 30.0  # the daemon looks for runs to retry every few seconds
_DIED = (
    " died: ",  # the notice of this program
    "Detected run worker status",  # Dagster's daemon, where it monitors runs
    "marked as failed from outside the execution context",  # Dagster's code server, of a process that it started
)


class WaitedLongEnoughError(ReportError):
    """--timeout has passed; the run goes on."""


def follow(
    run: Run, progress: RunProgress, display: Display, *, timeout_seconds: float | None, silence_seconds: float
) -> str:
    """Wait until the run is finished, and show what happens; Dagster's state of it at the end.

    Raises:
        RunDiedError: its process is gone, or nothing was heard of it for so long that it must be.
        WaitedLongEnoughError: it is not finished in time.
        ReportError: it could not even be started, or cannot be asked for any more.
    """
    started = heard = time.monotonic()
    while True:
        status = run.status()  # before the events: those of a finished run are all there
        events = run.new_events()
        display.update(progress, progress.take(events))
        now = time.monotonic()
        if events or status not in _AT_WORK:
            heard = now
        if status in FINISHED:
            if status == "FAILURE" and has_died(progress):
                raise RunDiedError(_death(run.run_id, str(progress.failure)), hint=and_then(run))
            return str(status)
        if now - heard > silence_seconds:
            raise RunDiedError(silence(run.run_id, now - heard), hint=how_to_follow(run.run_id))
        if timeout_seconds is not None and now - started >= timeout_seconds:
            raise WaitedLongEnoughError(
                f"run {run.run_id} is not finished after {timeout_seconds:g} s, and goes on",
                hint=how_to_follow(run.run_id),
            )
        time.sleep(run.poll_seconds)


def state_of(status: str | None, progress: RunProgress, *, silence_seconds: float) -> str:
    """starting, queued, running, silent, complete, incomplete, failed, died or canceled."""
    if status not in FINISHED:
        if status in _AT_WORK and silent_for(progress) > silence_seconds:
            return "silent"
        return {None: "starting", "QUEUED": "queued"}.get(status, "running")
    if status == "CANCELED":
        return "canceled"
    if status == "FAILURE" and has_died(progress):
        return "died"
    if status != "SUCCESS" or progress.report is None:
        return "failed"
    return "complete" if progress.report.get("complete") is True else "incomplete"


def has_died(progress: RunProgress) -> bool:
    """Whether a run that is marked as failed is so because its process was gone."""
    return progress.failure is not None and any(text in progress.failure for text in _DIED)


def silent_for(progress: RunProgress) -> float:
    """Seconds since the last event, by the clocks of two machines; 0 where there was none."""
    return max(0.0, time.time() - progress.last_event_at) if progress.last_event_at is not None else 0.0


def longest_silence(target_timeout_seconds: int) -> float:
    """Seconds after which a run of which nothing is heard is taken for dead: a target may be all that is left."""
    return float(target_timeout_seconds + _MARGIN_SECONDS)


def silence(run_id: str, silent_seconds: float) -> str:
    """What is said of a run that is silent: no daemon watches it, or it would be marked as failed."""
    return (
        f"run {run_id} has said nothing for {seconds(silent_seconds)}: its process is probably dead, "
        "and no Dagster daemon that monitors runs has noticed"
    )


def how_to_follow(run_id: str) -> str:
    """The two commands for a run that goes on."""
    return f"`db-admin-report status {run_id}` shows how it is going, `db-admin-report cancel {run_id}` stops it"


def _death(run_id: str, failure: str) -> str:
    return failure if " died: " in failure else f"run {run_id} died: {failure}"


def and_then(run: Run) -> str:
    """Where to look at a run that failed, and what a daemon started in its place; waits a little for its name."""
    give_up = time.monotonic() + _RETRY_SECONDS
    while (retry := run.retried_as()) is None and run.will_be_retried() and time.monotonic() < give_up:
        time.sleep(run.poll_seconds)
    if retry is None:
        return run.where_to_look
    return f"{run.where_to_look}; Dagster runs it again as {retry}: {how_to_follow(retry)}"
