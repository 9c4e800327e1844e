"""`generate --resume`: going on with an earlier run of this machine, as a re-execution in Dagster's UI would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbadmin_assets.cli.runs import FINISHED, JOB, ROOT_RUN_ID_TAG, RunRequest
from dbadmin_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from dagster import DagsterRun

    from dbadmin_assets.cli.embedded import EmbeddedRuns

_IN_DAGSTER = "re-execute it in Dagster's UI"
_PARTS = ("dagster/backfill", "dagster/partition", "dagster/asset_partition_range_start")


def earlier_request(runs: EmbeddedRuns, run_id: str) -> RunRequest:
    """What an earlier run was asked for, and that a new one belongs to its collection.

    Raises:
        UnknownRunError: there is no such run.
        ConfigurationError: it goes on, or was not launched by this command.
    """
    status = runs.find(run_id).status()  # one whose processes are gone is marked as failed by that
    run = runs.instance.get_run_by_id(run_id)
    if run is None or run.job_name != JOB or any(tag in run.tags for tag in _PARTS):
        raise ConfigurationError([f"run {run_id} is not one that `generate` made"], hint=_IN_DAGSTER)
    if status not in FINISHED:
        raise ConfigurationError(
            [f"run {run_id} goes on"], hint=f"`db-admin-report status {run_id}` shows how; `cancel` ends it"
        )
    wanted, report = _config(run, "account_collections"), _config(run, "report")
    return RunRequest(
        accounts=wanted.get("accounts", []),
        regions=wanted.get("regions", []),
        flat=report.get("flat", False),
        formats=report.get("formats", ["csv"]),
        target_keys=None,
        parent_run_id=run_id,
        root_run_id=run.root_run_id or run.tags.get(ROOT_RUN_ID_TAG) or run_id,
    )


def _config(run: DagsterRun, op: str) -> dict[str, Any]:
    configured: Any = run.run_config  # typed by Dagster as a mapping to objects
    found: dict[str, Any] = configured.get("ops", {}).get(op, {}).get("config", {})
    return found
