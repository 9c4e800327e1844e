"""Runs of a deployed Dagster: launched, followed and ended through its webserver."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from dbadmin_assets.cli.output import note
from dbadmin_assets.cli.remote import preflight, queries
from dbadmin_assets.cli.remote.address import address_of
from dbadmin_assets.cli.remote.connection import Connection, DagsterRefusedError, DagsterSilentError
from dbadmin_assets.cli.remote.events import to_run_event
from dbadmin_assets.cli.remote.launching import Launching, job_selector
from dbadmin_assets.cli.runs import (
    FINISHED,
    JOB,
    REQUESTED_BY_TAG,
    RETRIED_AS_TAG,
    WILL_RETRY_TAG,
    RunEvent,
    RunRequest,
)
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import ReportError, UnknownRunError

POLL_SECONDS = 1.0
FIRST_PATIENCE_SECONDS = 10.0  # a wrong address is told soon
PATIENCE_SECONDS = 300.0  # a webserver that is deployed anew while a run goes on
_GRACE_SECONDS = 30.0


@contextlib.contextmanager
def open_deployed(settings: Settings) -> Iterator[DeployedRuns]:
    """The deployed Dagster that the settings name.

    Raises:
        ConfigurationError: its URL, the token or the CA file cannot be used.
    """
    connection = Connection(address_of(settings))
    try:
        yield DeployedRuns(connection, settings)
    finally:
        connection.close()


class DeployedRuns:
    """A Dagster behind a webserver."""

    is_remote = True

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings

    def prepare(self) -> None:
        """Whether it is there, lets us in, and has our job in our version.

        Raises:
            DagsterRefusedError, DagsterSilentError: naming the thing and the cure.
        """
        location = self._settings.dagster_location
        answer = self._connection.ask(
            queries.PREFLIGHT,
            {"location": location, "job": job_selector(location)},
            patience_seconds=FIRST_PATIENCE_SECONDS,
        )
        preflight.check_answer(answer, url=self._connection.address.url, location=location)

    def launch(self, request: RunRequest) -> DeployedRun:
        """Launch one run, whatever becomes of the answer."""
        launching = Launching(self._connection, self._settings, request)
        run_id = launching.run_id()
        return DeployedRun(
            self._connection, run_id, request.target_keys, launching=launching if launching.repeated else None
        )

    def find(self, run_id: str) -> DeployedRun:
        """A run of that Dagster, whoever launched it.

        Raises:
            UnknownRunError: it has none of this id, or one of another job.
        """
        run = DeployedRun(self._connection, run_id, None)
        found = run.look(FIRST_PATIENCE_SECONDS)
        if found is None:
            raise UnknownRunError(
                f"run {run_id} is not known in {self._connection.address.url}",
                hint="check the id; for a run of this machine's own Dagster leave DBADMIN_DAGSTER_URL out",
            )
        if found["jobName"] != JOB and not found["jobName"].startswith("__ASSET_JOB"):
            raise UnknownRunError(f"run {run_id} is of the job {found['jobName']}, not of {JOB}")
        return run


class DeployedRun:
    """One run.

    Args:
        launching: where it was asked for more than once, so that a double may turn up.
    """

    poll_seconds = POLL_SECONDS

    def __init__(
        self,
        connection: Connection,
        run_id: str,
        target_keys: Sequence[str] | None,
        *,
        launching: Launching | None = None,
    ) -> None:
        self._connection = connection
        self.run_id = run_id
        self.target_keys = target_keys
        self._launching = launching
        self._cursor: str | None = None
        self._seen: dict[str, Any] = {}

    @property
    def requested_by(self) -> str | None:
        """Who asked, as the tag asserts."""
        return self._tags().get(REQUESTED_BY_TAG)

    @property
    def started_at(self) -> str | None:
        """When Dagster made it."""
        made = self._seen.get("creationTime")
        return f"{datetime.fromtimestamp(made, UTC):%Y-%m-%dT%H:%M:%SZ}" if made else None

    @property
    def where_to_look(self) -> str:
        """Its page."""
        return f"its page: {self._connection.address.run_page(self.run_id)}"

    def status(self) -> str | None:
        """Dagster's state of it."""
        if self._launching is not None:
            self._launching.end_doubles(self.run_id, patience_seconds=PATIENCE_SECONDS)
        found = self.look()
        if found is None:
            raise ReportError(f"run {self.run_id} is not known any more in {self._connection.address.url}")
        return str(found["status"])

    def known_status(self) -> str | None:
        """The same."""
        return self.status()

    def look(self, patience_seconds: float = PATIENCE_SECONDS) -> dict[str, Any] | None:
        """The run as Dagster has it now; None where there is none of this id."""
        answer = self._ask(queries.RUN, {"runId": self.run_id}, patience_seconds)["runOrError"]
        if answer["__typename"] == "Run":
            self._seen = answer
            return self._seen
        if answer["__typename"] == "RunNotFoundError":
            return None
        raise ReportError(f"{self._connection.address.url} cannot show run {self.run_id}: {answer.get('message')}")

    def new_events(self) -> list[RunEvent]:
        """The events since the last call."""
        events: list[RunEvent] = []
        while True:
            variables = {"runId": self.run_id, "cursor": self._cursor}
            page = self._ask(queries.EVENTS, variables, PATIENCE_SECONDS)["logsForRun"]
            if page["__typename"] != "EventConnection":
                raise ReportError(f"the events of run {self.run_id} cannot be read: {page.get('message')}")
            events += [to_run_event(event) for event in page["events"]]
            self._cursor = page["cursor"]
            if not page["hasMore"]:
                return events

    def retried_as(self) -> str | None:
        """The run that a daemon started in its place."""
        return self._tags().get(RETRIED_AS_TAG)

    def will_be_retried(self) -> bool:
        """Whether Dagster said so, by a look."""
        self.look()
        return self._tags().get(WILL_RETRY_TAG) == "true"

    def cancel(self) -> str:
        """Ask for it; where it does not end by itself, have it marked as canceled."""
        problem = self._terminate("SAFE_TERMINATE")
        deadline = time.monotonic() + (0 if problem else _GRACE_SECONDS)
        while (status := self.status()) not in FINISHED and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if status not in FINISHED:
            note(f"It did not end by itself{f' ({problem})' if problem else ''}: it is marked as canceled")
            problem = self._terminate("MARK_AS_CANCELED_IMMEDIATELY")
            status = self.status()
        if status not in FINISHED:
            raise ReportError(f"run {self.run_id} could not be canceled: {problem}", hint=self.where_to_look)
        return str(status)

    def _terminate(self, policy: str) -> str | None:
        """What kept it from being ended, if anything did."""
        said = self._ask(queries.TERMINATE, {"runId": self.run_id, "policy": policy}, PATIENCE_SECONDS)["terminateRun"]
        if said["__typename"] == "UnauthorizedError":
            raise ReportError(f"this token may not cancel runs: {said.get('message')}", hint=self.where_to_look)
        return None if said["__typename"] == "TerminateRunSuccess" else str(said.get("message", said["__typename"]))

    def _tags(self) -> dict[str, str]:
        return {tag["key"]: tag["value"] for tag in self._seen.get("tags", ())}

    def _ask(self, query: str, variables: dict[str, Any], patience_seconds: float) -> dict[str, Any]:
        try:
            return self._connection.ask(query, variables, patience_seconds=patience_seconds)
        except DagsterRefusedError as error:  # there is a run: "nothing was started" would be wrong
            raise ReportError(error.message, hint=error.hint) from error
        except DagsterSilentError as error:
            goes_on = f"{error.message}. Run {self.run_id} goes on without us"
            raise ReportError(goes_on, hint=f"`db-admin-report status {self.run_id}` once it answers") from error
