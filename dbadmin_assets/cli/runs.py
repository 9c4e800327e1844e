"""Where runs are: the one seam between the commands and Dagster, embedded on this machine or deployed elsewhere.

`generate`, `status` and `cancel` know only what stands here. Nothing here imports Dagster.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from dbadmin_assets.config import Settings

JOB = "db_admin_report"
REQUEST_ID_TAG = "db-admin-report/request_id"
REQUESTED_BY_TAG = "db-admin-report/requested_by"
CODE_VERSION_TAG = "db-admin-report/code_version"
ROOT_RUN_ID_TAG = "dagster/root_run_id"
WILL_RETRY_TAG = "dagster/will_retry"
RETRIED_AS_TAG = "dagster/auto_retry_run_id"
FINISHED = ("SUCCESS", "FAILURE", "CANCELED")  # of Dagster's states of a run


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a report is asked for.

    Attributes:
        accounts, regions: as they were given; empty means all.
        target_keys: what these come to, `account|region`; None where the inventory was not read here.
        parent_run_id, root_run_id: of an earlier run that this one goes on with, and of the first of them.
    """

    accounts: Sequence[str]
    regions: Sequence[str]
    flat: bool
    formats: Sequence[str]
    target_keys: Sequence[str] | None
    parent_run_id: str | None = None
    root_run_id: str | None = None

    def lineage_tags(self) -> dict[str, str]:
        """What Dagster puts on a re-execution: the run then belongs to the collection of the first."""
        tags = {"dagster/parent_run_id": self.parent_run_id, ROOT_RUN_ID_TAG: self.root_run_id}
        return {name: value for name, value in tags.items() if value is not None}

    def run_config(self) -> dict[str, Any]:
        """The run configuration of the job."""
        return {
            "ops": {
                "account_collections": {"config": {"accounts": list(self.accounts), "regions": list(self.regions)}},
                "report": {"config": {"flat": self.flat, "formats": list(self.formats)}},
            }
        }


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One event of a run, whatever it was read from.

    Attributes:
        kind: Dagster's name of its type, as `STEP_START`; empty for a line of the log.
        text: for people.
        at: seconds since 1970, by the clock of the machine that ran it.
        cause: of a failure: the first error of its chain that is not Dagster's wrapping.
        asset: path of the asset that was materialized, joined with `/`.
        metadata: of a materialization, as plain values.
    """

    kind: str
    step_key: str | None
    text: str
    at: float
    cause: str | None = None
    asset: str = ""
    partition: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def event_kind(name: str) -> str:
    """`RUN_…` for what Dagster's stores still call `PIPELINE_…`."""
    return f"RUN_{name.removeprefix('PIPELINE_')}" if name.startswith("PIPELINE_") else name


class Run(Protocol):
    """One run, which goes on whether or not anybody looks."""

    @property
    def run_id(self) -> str:
        """Dagster's id of it."""

    @property
    def target_keys(self) -> Sequence[str] | None:
        """Its targets, where they are known beforehand."""

    @property
    def requested_by(self) -> str | None:
        """Who asked, as asserted."""

    @property
    def started_at(self) -> str | None:
        """When it was launched: UTC, ISO 8601."""

    @property
    def where_to_look(self) -> str:
        """Where more is to be found than its events say, for a hint."""

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two looks."""

    def status(self) -> str | None:
        """Dagster's state of it, as `STARTED`; None while Dagster does not know it yet.

        A run whose process is known to be gone is marked as failed first.

        Raises:
            ReportError: it could not even be started, or cannot be asked for any more.
        """

    def known_status(self) -> str | None:
        """The same without looking for its process."""

    def new_events(self) -> list[RunEvent]:
        """The events since the last call, in order."""

    def retried_as(self) -> str | None:
        """The id of the run that a daemon started in its place, if it did."""

    def will_be_retried(self) -> bool:
        """Whether a daemon that retries runs will start another one in its place."""

    def cancel(self) -> str:
        """End it; its state after that. Left as it is where it is finished.

        Raises:
            ReportError: it could not be ended.
        """


class Runs(Protocol):
    """A Dagster that runs reports."""

    @property
    def is_remote(self) -> bool:
        """Whether runs read inventory, bucket and credentials elsewhere, with settings of their own."""

    def prepare(self) -> None:
        """Find out whatever would keep a run from being launched.

        Raises:
            DbAdminReportError: naming the thing and the cure.
        """

    def launch(self, request: RunRequest) -> Run:
        """Start one run, never two."""

    def find(self, run_id: str) -> Run:
        """A run that was launched before.

        Raises:
            UnknownRunError: there is none of this id.
        """


def open_runs(settings: Settings) -> AbstractContextManager[Runs]:
    """The Dagster that the settings name; for use in a `with` statement."""
    if settings.dagster_url is not None:
        from dbadmin_assets.cli.remote.deployed import open_deployed

        return open_deployed(settings)
    from dbadmin_assets.cli.embedded import EmbeddedRuns

    return EmbeddedRuns(settings)


def run_tags(settings: Settings, request_id: str) -> dict[str, str]:
    """The tags of a run. Those of Dagster have an effect where a daemon looks at them only."""
    tags = {
        REQUESTED_BY_TAG: requester(),
        REQUEST_ID_TAG: request_id,
        "dagster/max_runtime": str(settings.max_runtime_seconds),
    }
    if settings.run_max_retries:
        # A step that failed would fail again; a process that was killed need not be.
        tags |= {
            "dagster/max_retries": str(settings.run_max_retries),
            "dagster/retry_on_asset_or_op_failure": "false",
        }
    return tags


def requester() -> str:
    """`user@host`, as asserted in the report; the verified identity is the caller ARN that the run records."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
