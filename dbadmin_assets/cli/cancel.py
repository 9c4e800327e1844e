"""`cancel`: end a run and everything it started, and mark it as canceled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, say
from dbadmin_assets.errors import ReportError, UnknownRunError

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from dbadmin_assets.cli.launch import RunRecord

_GRACE_SECONDS = 15.0


@click.command("cancel")
@click.argument("run_id")
@options.general
def cancel_command(run_id: str, as_json: bool, verbose: bool) -> None:
    """Stop a run. Workers that are at work in the accounts finish by themselves; no report is made.

    \b
    Example:
      db-admin-report cancel 5f0c1a52-7d0e-4b5b-9a57-0d4a8a3c2b11
    """
    from dbadmin_assets.cli.instance import open_instance, prepare_instance
    from dbadmin_assets.cli.launch import canceled_path, read_record

    del verbose
    settings = options.settings_from({})
    record = read_record(settings, run_id)
    prepare_instance(settings)
    with open_instance(settings) as instance:
        before = instance.get_run_by_id(run_id)
        if before is None and record is None:
            raise UnknownRunError(
                f"run {run_id} is not known in {settings.dagster_home}",
                hint="check the id, DBADMIN_STATE_DIR and DAGSTER_HOME",
            )
        if before is None or not before.is_finished:
            _stop(instance, run_id, record)
        after = instance.get_run_by_id(run_id)
    if after is None:
        canceled_path(settings, run_id).touch()
    state = after.status.value.lower() if after else "canceled"
    if as_json:
        print_json({"run_id": run_id, "status": state, "was_running": before is None or not before.is_finished})
    elif before is not None and before.is_finished:
        say(f"Run {run_id} was finished already: {state}")
    else:
        say(f"Run {run_id}: {state}")


def _stop(instance: DagsterInstance, run_id: str, record: RunRecord | None) -> None:
    """Ask the launcher; where that does not end it, end its process group; then it must say canceled."""
    from dagster import DagsterError

    from dbadmin_assets.cli.processes import stop_run

    run = instance.get_run_by_id(run_id)
    try:
        asked = run is not None and instance.run_launcher.terminate(run_id)
    except DagsterError:  # its code server is gone: the group below is what is left
        asked = False
    if asked:
        _wait_until_finished(instance, run_id)
    if record is not None:
        stop_run(record.pgid, run_id)
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_success or run.status.value == "CANCELED":
        return
    if record is None and not asked:
        raise ReportError(f"run {run_id} was not launched here and its launcher cannot stop it")
    # Ended while it was starting up, a run counts as failed for Dagster; but it was somebody's wish.
    instance.report_run_canceled(run)


def _wait_until_finished(instance: DagsterInstance, run_id: str) -> None:
    deadline = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < deadline:
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return
        time.sleep(0.1)
