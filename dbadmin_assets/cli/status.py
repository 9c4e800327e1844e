"""`status`: a run as its instance and its processes know it. Needs no AWS."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, print_table, say, seconds
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import EXIT_COMPLETE, EXIT_INCOMPLETE, EXIT_REPORT_FAILED, UnknownRunError

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from dbadmin_assets.cli.launch import RunRecord
    from dbadmin_assets.cli.progress import RunProgress

_EXIT_CODES = {
    "starting": EXIT_COMPLETE,
    "running": EXIT_COMPLETE,
    "complete": EXIT_COMPLETE,
    "incomplete": EXIT_INCOMPLETE,
}


@click.command("status")
@click.argument("run_id")
@options.general
@click.pass_context
def status_command(ctx: click.Context, /, run_id: str, as_json: bool, verbose: bool) -> None:
    """How a run is going, or how it ended: the run, every target, the report.

    The exit code is that of `generate`, and 0 while the run goes on. A run whose process is gone is
    marked as failed.

    \b
    Example:
      db-admin-report status 5f0c1a52-7d0e-4b5b-9a57-0d4a8a3c2b11
    """
    from dbadmin_assets.cli.instance import open_instance, prepare_instance
    from dbadmin_assets.cli.launch import read_record
    from dbadmin_assets.cli.progress import RunProgress

    settings = options.settings_from({})
    record = read_record(settings, run_id)
    prepare_instance(settings)
    with open_instance(settings) as instance:
        progress = RunProgress(instance, run_id, record.scope["targets"] if record else ())
        state = run_state(instance, settings, run_id, record, progress)
    found = _told(state, run_id, record, progress)
    if as_json:
        print_json(found)
    else:
        _print(found)
        if verbose:
            for message in progress.messages:
                say(message)
    ctx.exit(found["exit_code"])


def run_state(
    instance: DagsterInstance, settings: Settings, run_id: str, record: RunRecord | None, progress: RunProgress
) -> str:
    """starting, running, complete, incomplete, failed, died or canceled; `progress` is read on the way.

    Raises:
        UnknownRunError: neither the instance nor the state folder knows the run.
        ReportError: its processes are gone and it was never started.
    """
    from dbadmin_assets.cli.follow import Following, death_notice
    from dbadmin_assets.cli.instance import runs_are_our_processes
    from dbadmin_assets.cli.launch import canceled_path, log_path
    from dbadmin_assets.errors import RunDiedError

    alive = record is not None and record.is_alive()
    run = instance.get_run_by_id(run_id)
    if run is None and record is None:
        raise UnknownRunError(
            f"run {run_id} is not known in {settings.dagster_home}",
            hint="check the id, DBADMIN_STATE_DIR and DAGSTER_HOME",
        )
    if run is None and not alive and canceled_path(settings, run_id).exists():
        return "canceled"
    if record is not None and not alive and (run is None or not run.is_finished) and runs_are_our_processes(instance):
        with contextlib.suppress(RunDiedError):  # it says so below, at every later look too
            Following(instance, run_id, record.is_alive, log_path(settings, run_id)).bury(run)
        run = instance.get_run_by_id(run_id)
    progress.refresh()
    if run is None:
        return "starting"
    if not run.is_finished:
        return "running"
    if run.status.value == "CANCELED":
        return "canceled"
    if progress.failure is not None and death_notice(run_id) in progress.failure:
        return "died"
    if not run.is_success or progress.report is None:
        return "failed"
    return "complete" if progress.report.get("complete") is True else "incomplete"


def _told(state: str, run_id: str, record: RunRecord | None, progress: RunProgress) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "status": state,
        "exit_code": _EXIT_CODES.get(state, EXIT_REPORT_FAILED),
        # A run that is ended while it starts up counts as failed for Dagster first; that was somebody's wish.
        "failure": None if state == "canceled" else progress.failure,
        "started_at": record.started_at if record else None,
        "requested_by": record.requested_by if record else None,
        "report": (progress.report or {}).get("report"),
        "counts": {k: v for k, v in (progress.report or {}).items() if isinstance(v, int) and not isinstance(v, bool)},
        "targets": [asdict(progress.targets[key]) for key in sorted(progress.targets)],
    }


def _print(found: dict[str, Any]) -> None:
    rows = []
    for target in found["targets"]:
        account, _, region = target["key"].partition("|")
        done = target["state"] not in ("waiting", "collecting")
        counts = [target["databases"], target["users"], target["admins"], seconds(target["duration_seconds"])]
        rows.append([account, region, target["state"], *(counts if done else [""] * 4), target["reason"] or ""])
    if rows:
        print_table(("Account", "Region", "State", "#Databases", "#Users", "#Admins", "#Time", "Reason"), rows)
    say(f"Run: {found['run_id']}")
    if found["started_at"]:
        say(f"Started: {found['started_at']} by {found['requested_by']}")
    if found["failure"]:
        say(f"Failure: {found['failure']}")
    if found["report"]:
        say(f"Report: {found['report']}")
    say(f"Status: {found['status']}")
