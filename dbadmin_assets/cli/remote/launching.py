"""Launching a run over a network that may lose the answer, and never launching it twice.

GraphQL's launchRun gives every run a new id, so repeating it makes a second one. Each request carries an id of its
own in a tag: where an answer was lost, the run is looked for under it, long enough for a request that is still under
way to have arrived, before it is asked for again. If the first one turns up later all the same, the younger is ended.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from dbadmin_assets.cli.output import note
from dbadmin_assets.cli.remote import queries
from dbadmin_assets.cli.remote.connection import Connection, DagsterRefusedError, DagsterSilentError
from dbadmin_assets.cli.runs import FINISHED, JOB, REQUEST_ID_TAG, RunRequest, run_tags
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import ReportError

REPOSITORY = "__repository__"  # Dagster's name of the one that `Definitions` make
_READ_SECONDS = 120.0  # a launcher may have to start a machine first
_SETTLE_SECONDS = 20.0
_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 120.0
_MOST_LAUNCHES = 3


def job_selector(location: str) -> dict[str, str]:
    """The job, as GraphQL names it."""
    return {"pipelineName": JOB, "repositoryName": REPOSITORY, "repositoryLocationName": location}


class Launching:
    """One request, asked for until it is certain that there is one run for it.

    Attributes:
        request_id: the tag's value.
        repeated: whether it was asked for more than once, so that a double might turn up.
    """

    def __init__(self, connection: Connection, settings: Settings, request: RunRequest) -> None:
        self._connection = connection
        self.request_id = str(uuid.uuid4())
        self.repeated = False
        tags = run_tags(settings, self.request_id)
        self._params = {
            "selector": job_selector(settings.dagster_location),
            "mode": "default",
            "runConfigData": request.run_config(),
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }

    def run_id(self) -> str:
        """Launch; the id of the one run.

        Raises:
            DagsterRefusedError: Dagster will not launch it.
            ReportError: it is not certain whether it did; the message has the tag to look for.
        """
        try:
            return self._launched()
        except KeyboardInterrupt:
            note(f"Interrupted while the run was being launched. If there is one, it has {self._tag()}")
            raise

    def _launched(self) -> str:
        give_up, lost = time.monotonic() + _PATIENCE_SECONDS, 0
        while True:
            try:
                answer = self._connection.ask_once(queries.LAUNCH, {"params": self._params}, read_seconds=_READ_SECONDS)
            except DagsterSilentError as error:
                if error.sent:
                    lost += 1
                    note(f"{error.message}. Looking whether the run was launched")
                    if (found := self._look_for_it()) is not None:
                        return found
                if lost >= _MOST_LAUNCHES or time.monotonic() >= give_up:
                    raise self._uncertain(error) if lost else error from error
                self.repeated = lost > 0
                time.sleep(_POLL_SECONDS)
            else:
                return self._judged(answer["launchRun"])

    def _judged(self, said: dict[str, Any]) -> str:
        kind, url = said["__typename"], self._connection.address.url
        if kind == "LaunchRunSuccess":
            return str(said["run"]["runId"])
        if kind == "RunConfigValidationInvalid":
            problems = "; ".join(f"{'.'.join(e['path'])}: {e['message']}" for e in said["errors"])
            raise DagsterRefusedError(
                f"{url} does not accept the run's configuration: {problems[:1000]}",
                hint="the deployed db-admin-report is of another version: install the same here, or deploy this one",
            )
        message = str(said.get("message", kind))[:500]
        if kind == "UnauthorizedError":
            raise DagsterRefusedError(
                f"{url} does not let this token launch runs: {message}", hint="use a token with the role Launcher"
            )
        raise ReportError(
            f"{url} could not launch the run: {kind}: {message}",
            hint=f"look at the webserver's log; a run that it made before it failed has {self._tag()}",
        )

    def _look_for_it(self) -> str | None:
        """The run, once it is there; None where it did not appear in a time in which it would have."""
        until = None
        while True:
            runs = self.runs(patience_seconds=_PATIENCE_SECONDS)
            if runs:
                return str(runs[0]["runId"])
            now = time.monotonic()
            until = until or now + _SETTLE_SECONDS  # from the first answer on: until then nothing could appear
            if now >= until:
                return None
            time.sleep(_POLL_SECONDS)

    def runs(self, *, patience_seconds: float) -> list[dict[str, Any]]:
        """The runs that were launched for this request, the oldest first; those that Dagster made of them left out."""
        answer = self._connection.ask(
            queries.RUNS_OF_REQUEST,
            {"tags": [{"key": REQUEST_ID_TAG, "value": self.request_id}]},
            patience_seconds=patience_seconds,
        )["runsOrError"]
        if answer["__typename"] != "Runs":
            raise ReportError(f"{self._connection.address.url} cannot list runs: {answer.get('message')}")
        ours = [run for run in answer["results"] if not run["parentRunId"]]  # a retry has its parent's tags
        return sorted(ours, key=lambda run: (run["creationTime"], run["runId"]))

    def end_doubles(self, run_id: str, *, patience_seconds: float) -> None:
        """End what was launched beside `run_id`: an answer was lost for so long that it was asked for again."""
        for run in self.runs(patience_seconds=patience_seconds):
            if run["runId"] != run_id and run["status"] not in FINISHED:
                note(f"Run {run['runId']} was launched for the same request: ending it")
                variables = {"runId": run["runId"], "policy": "SAFE_TERMINATE"}
                self._connection.ask(queries.TERMINATE, variables, patience_seconds=patience_seconds)

    def _uncertain(self, error: DagsterSilentError) -> ReportError:
        return ReportError(
            f"{error.message}, and it is not certain whether the run was launched",
            hint=f"look at {self._connection.address.url}/runs for a run with {self._tag()} before asking again",
        )

    def _tag(self) -> str:
        return f"the tag {REQUEST_ID_TAG}={self.request_id}"
