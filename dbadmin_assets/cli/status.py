"""`status`: a run as its instance and its processes know it. Needs no AWS."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import hanging, print_json, print_table, say, seconds
from dbadmin_assets.errors import EXIT_COMPLETE, EXIT_INCOMPLETE, EXIT_REPORT_FAILED

if TYPE_CHECKING:
    from dbadmin_assets.cli.progress import RunProgress
    from dbadmin_assets.cli.runs import Run

_EXIT_CODES = {
    "starting": EXIT_COMPLETE,
    "queued": EXIT_COMPLETE,
    "running": EXIT_COMPLETE,
    "complete": EXIT_COMPLETE,
    "incomplete": EXIT_INCOMPLETE,
}


@click.command("status")
@click.argument("run_id")
@options.dagster
@options.general
@click.pass_context
def status_command(ctx: click.Context, /, run_id: str, as_json: bool, verbose: bool, dagster_url: str | None) -> None:
    """How a run is going, or how it ended: the run, every target, the report.

    The exit code is that of `generate`, and 0 while the run goes on. A run whose process is gone is
    marked as failed; one of which nothing was heard for too long is called silent.

    \b
    Example:
      db-admin-report status 5f0c1a52-7d0e-4b5b-9a57-0d4a8a3c2b11
    """
    from dbadmin_assets.cli.follow import longest_silence, silence, silent_for, state_of
    from dbadmin_assets.cli.launch import checked_run_id
    from dbadmin_assets.cli.progress import RunProgress
    from dbadmin_assets.cli.runs import open_runs

    settings = options.settings_from({"dagster_url": dagster_url})
    checked_run_id(run_id)
    with open_runs(settings) as runs:
        run = runs.find(run_id)
        progress = RunProgress(run.target_keys)
        dagster_status = run.status()
        progress.take(run.new_events())
        state = state_of(dagster_status, progress, silence_seconds=longest_silence(settings.target_timeout_seconds))
        if state == "silent":
            progress.failure = silence(run_id, silent_for(progress))
        found = _told(state, run, progress)
    if as_json:
        print_json(found)
    else:
        _print(found)
        if verbose:
            for message in progress.messages:
                for line in hanging(message):
                    say(line)
    ctx.exit(found["exit_code"])


def _told(state: str, run: Run, progress: RunProgress) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "status": state,
        "exit_code": _EXIT_CODES.get(state, EXIT_REPORT_FAILED),
        # A run that is ended while it starts up counts as failed for Dagster first; that was somebody's wish.
        "failure": None if state == "canceled" else progress.failure,
        "retried_as": run.retried_as() if state in ("failed", "died") else None,
        "started_at": run.started_at,
        "requested_by": run.requested_by,
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
    if found["retried_as"]:
        say(f"Dagster runs it again: {found['retried_as']}")
    if found["report"]:
        say(f"Report: {found['report']}")
    say(f"Status: {found['status']}")
