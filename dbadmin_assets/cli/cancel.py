"""`cancel`: end a run and everything it started, and mark it as canceled."""

from __future__ import annotations

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, say


@click.command("cancel")
@click.argument("run_id")
@options.dagster
@options.general
def cancel_command(run_id: str, as_json: bool, verbose: bool, dagster_url: str | None) -> None:
    """Stop a run. Workers that are at work in the accounts finish by themselves; no report is made.

    \b
    Example:
      db-admin-report cancel 5f0c1a52-7d0e-4b5b-9a57-0d4a8a3c2b11
    """
    from dbadmin_assets.cli.launch import checked_run_id
    from dbadmin_assets.cli.runs import FINISHED, open_runs

    del verbose
    settings = options.settings_from({"dagster_url": dagster_url})
    checked_run_id(run_id)
    with open_runs(settings) as runs:
        run = runs.find(run_id)
        was_running = run.known_status() not in FINISHED
        state = (run.cancel() if was_running else str(run.known_status())).lower()
    if as_json:
        print_json({"run_id": run_id, "status": state, "was_running": was_running})
    elif not was_running:
        say(f"Run {run_id} was finished already: {state}")
    else:
        say(f"Run {run_id}: {state}")
