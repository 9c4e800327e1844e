"""Runs of the embedded Dagster: processes of this machine, followed in the instance of the state folder."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from dbadmin_assets.cli.instance import open_instance, prepare_instance, runs_are_our_processes
from dbadmin_assets.cli.launch import RunRecord, canceled_path, launch, log_path, read_record
from dbadmin_assets.cli.processes import stop_run
from dbadmin_assets.cli.runs import RETRIED_AS_TAG, WILL_RETRY_TAG, RunEvent, RunRequest
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import ReportError, UnknownRunError

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

POLL_SECONDS = 0.4
_GRACE_SECONDS = 15.0


class EmbeddedRuns:
    """The Dagster instance of this machine, opened when it is first asked: a launch need not wait for the import."""

    is_remote = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._instance: DagsterInstance | None = None

    def __enter__(self) -> EmbeddedRuns:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._instance is not None:
            self._instance.__exit__(kind, error, trace)

    @property
    def instance(self) -> DagsterInstance:
        """The instance, open."""
        if self._instance is None:
            self._instance = open_instance(self._settings).__enter__()
        return self._instance

    def prepare(self) -> None:
        """Make the instance if it is not there yet."""
        prepare_instance(self._settings)

    def launch(self, request: RunRequest) -> EmbeddedRun:
        """Start the run as processes of their own."""
        record, process = launch(self._settings, request)
        log = log_path(self._settings, record.run_id)
        return EmbeddedRun(self, record.run_id, record, reaping(process, record.is_alive), log)

    def find(self, run_id: str) -> EmbeddedRun:
        """A run of the instance, or one that this machine launched."""
        record = read_record(self._settings, run_id)
        prepare_instance(self._settings)
        if record is None and self.instance.get_run_by_id(run_id) is None:
            raise UnknownRunError(
                f"run {run_id} is not known in {self._settings.dagster_home}",
                hint="check the id, DBADMIN_STATE_DIR and DAGSTER_HOME; for a run of a deployed Dagster set "
                "DBADMIN_DAGSTER_URL",
            )
        alive = record.is_alive if record else None
        return EmbeddedRun(self, run_id, record, alive, log_path(self._settings, run_id))

    def is_canceled_before_dagster(self, run_id: str) -> bool:
        """Whether it was canceled before Dagster knew of it."""
        return canceled_path(self._settings, run_id).exists()

    def cancel_before_dagster(self, run_id: str) -> None:
        """Remember that it was."""
        canceled_path(self._settings, run_id).touch()


class EmbeddedRun:
    """One run.

    Args:
        record: what is known of its launch; None for a run that the UI launched.
        alive: whether any process of it is left; None where nothing here can tell.
    """

    poll_seconds = POLL_SECONDS

    def __init__(
        self, runs: EmbeddedRuns, run_id: str, record: RunRecord | None, alive: Callable[[], bool] | None, log: Path
    ) -> None:
        self._runs = runs
        self.run_id = run_id
        self._record = record
        self._alive = alive
        self._log = log
        self._cursor: str | None = None

    @property
    def target_keys(self) -> Sequence[str] | None:
        """Its targets, where it was launched here."""
        return self._record.scope["targets"] if self._record else None

    @property
    def requested_by(self) -> str | None:
        """Who asked, where it was launched here."""
        return self._record.requested_by if self._record else None

    @property
    def started_at(self) -> str | None:
        """When, where it was launched here."""
        return self._record.started_at if self._record else None

    @property
    def where_to_look(self) -> str:
        """The log of its processes."""
        return f"its log: {self._log}"

    def status(self) -> str | None:
        """Dagster's state; a run whose processes are gone is marked as failed.

        Raises:
            ReportError: they are gone, and Dagster never heard of it.
        """
        # Looked at before the run is read: one that ends in between is found finished.
        gone = self._is_gone()
        run = self._read()
        if run is not None and run.is_finished:
            return run.status.value
        if gone:
            time.sleep(POLL_SECONDS)  # one look at a process table is no atomic view of it
            if self._is_gone():
                return self._bury()
        return run.status.value if run is not None else None

    def known_status(self) -> str | None:
        """Dagster's state as it stands."""
        run = self._read()
        return run.status.value if run is not None else None

    def _read(self) -> DagsterRun | None:
        return self._runs.instance.get_run_by_id(self.run_id)

    def _is_gone(self) -> bool:
        return self._alive is not None and not self._alive() and runs_are_our_processes(self._runs.instance)

    def _bury(self) -> str:
        run = self._read()
        if run is None:
            if self._runs.is_canceled_before_dagster(self.run_id):
                return "CANCELED"
            raise ReportError(
                f"run {self.run_id} could not be started: {_last_line(self._log)}", hint=f"the whole log: {self._log}"
            )
        if run.is_finished:
            return run.status.value
        self._runs.instance.report_run_failed(run, death_notice(self.run_id))
        return "FAILURE"

    def new_events(self) -> list[RunEvent]:
        """The events since the last call."""
        from dbadmin_assets.cli.embedded_events import to_run_event

        events: list[RunEvent] = []
        while True:
            page = self._runs.instance.get_records_for_run(self.run_id, cursor=self._cursor, limit=1000)
            events += [to_run_event(record.event_log_entry) for record in page.records]
            self._cursor = page.cursor
            if not page.has_more:
                return events

    def retried_as(self) -> str | None:
        """The run that a daemon started in its place."""
        run = self._read()
        return run.tags.get(RETRIED_AS_TAG) if run is not None else None

    def will_be_retried(self) -> bool:
        """Whether Dagster said so; without a daemon it sets the tag and nobody acts on it."""
        run = self._read()
        return (
            run is not None
            and run.tags.get(WILL_RETRY_TAG) == "true"
            and not runs_are_our_processes(self._runs.instance)
        )

    def cancel(self) -> str:
        """Ask the launcher; where that does not end it, end its process group; then it must say canceled."""
        from dagster import DagsterError

        run = self._read()
        try:
            asked = run is not None and self._runs.instance.run_launcher.terminate(self.run_id)
        except DagsterError:  # its code server is gone: the group below is what is left
            asked = False
        if asked:
            self._wait_until_finished()
        if self._record is not None:
            stop_run(self._record.pgid, self.run_id)
        run = self._read()
        if run is None:
            self._runs.cancel_before_dagster(self.run_id)
            return "CANCELED"
        if run.is_success or run.status.value == "CANCELED":
            return run.status.value
        if self._record is None and not asked:
            raise ReportError(f"run {self.run_id} was not launched here and its launcher cannot stop it")
        # Ended while it was starting up, a run counts as failed for Dagster; but it was somebody's wish.
        self._runs.instance.report_run_canceled(run)
        return "CANCELED"

    def _wait_until_finished(self) -> None:
        deadline = time.monotonic() + _GRACE_SECONDS
        while time.monotonic() < deadline:
            run = self._read()
            if run is None or run.is_finished:
                return
            time.sleep(0.1)


def reaping(process: subprocess.Popen[bytes], alive: Callable[[], bool]) -> Callable[[], bool]:
    """`alive` for the process that launched the run: a child must be waited for, or it stays a zombie."""

    def check() -> bool:
        process.poll()
        return alive()

    return check


def death_notice(run_id: str) -> str:
    """What a run is marked as failed with when its processes are gone; tells it from a failure of its own."""
    return f"run {run_id} died: its process was killed or crashed before it was finished"


def _last_line(log: Path) -> str:
    try:
        lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    except FileNotFoundError:
        return "there is no log"
    return lines[-1][:500] if lines else "its log is empty"
