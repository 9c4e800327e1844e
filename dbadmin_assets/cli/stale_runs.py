"""Runs of this machine that are not finished and of which nothing is to be expected any more, for `doctor`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dbadmin_assets.cli.embedded import EmbeddedRuns
from dbadmin_assets.cli.follow import longest_silence
from dbadmin_assets.cli.instance import is_made, runs_are_our_processes
from dbadmin_assets.cli.launch import read_record
from dbadmin_assets.cli.output import seconds
from dbadmin_assets.cli.runs import JOB
from dbadmin_assets.config import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance, RunRecord

_MOST = 100


def stale_runs(settings: Settings) -> list[str]:
    """A sentence for each, the newest first. Nothing is changed: `status` marks a dead run as failed."""
    if not is_made(settings):  # no run was ever launched here
        return []
    from dagster import DagsterRunStatus, RunsFilter

    finished = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
    open_ = RunsFilter(job_name=JOB, statuses=[status for status in DagsterRunStatus if status not in finished])
    with EmbeddedRuns(settings) as runs:
        records = runs.instance.get_run_records(open_, limit=_MOST)
        found = (_problem(settings, runs.instance, record) for record in records)
        return [problem for problem in found if problem is not None]


def _problem(settings: Settings, instance: DagsterInstance, record: RunRecord) -> str | None:
    run_id, status = record.dagster_run.run_id, record.dagster_run.status.value
    launched = read_record(settings, run_id)
    if launched is not None and not launched.is_alive() and runs_are_our_processes(instance):
        return f"run {run_id} is {status} and its processes are gone"
    last = instance.get_records_for_run(run_id, limit=1, ascending=False).records
    heard_at = last[0].timestamp if last else record.create_timestamp.timestamp()
    silent = time.time() - heard_at
    if silent <= longest_silence(settings.target_timeout_seconds):
        return None
    return f"run {run_id} is {status} and has said nothing for {seconds(silent)}"
