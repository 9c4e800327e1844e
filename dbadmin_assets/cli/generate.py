"""`generate`: check everything, launch one run, follow it, and say how it ended."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import note, print_json, say
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import EXIT_INTERRUPTED, ConfigurationError, ReportError

if TYPE_CHECKING:
    import boto3

    from dbadmin_assets.cli.launch import RunRecord
    from dbadmin_assets.inventory import Target


@click.command("generate")
@options.scope
@options.output_format
@click.option("--flat", is_flag=True, help="Leave the section rows out of the CSV.")
@click.option("--no-wait", is_flag=True, help="Print the run id and go; `status` tells the rest.")
@click.option("--download", "directory", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Copy the report's files into this folder, too.")  # fmt: skip
@click.option("--timeout", "timeout", type=click.FloatRange(min=1), metavar="SECONDS",
              help="Wait so long at most; the run goes on.")  # fmt: skip
@options.connection
@options.general
@click.pass_context
def generate_command(ctx: click.Context, /, **given: Any) -> None:
    """Collect from every database of the inventory and make a report.

    Checks credentials, inventory and scope before anything runs. Ctrl-C leaves the run running.

    \b
    Examples:
      db-admin-report generate
      db-admin-report generate --accounts 123456789012 --regions us-east-1,eu-west-1 --download .
      db-admin-report generate --output-format xlsx,html
    """
    if given["no_wait"] and (given["directory"] or given["timeout"]):
        raise click.UsageError("--no-wait waits for nothing: --download and --timeout do not go with it")
    settings = options.settings_from(given, "inventory", "bucket", "region")
    if given["directory"]:
        _refuse_unwritable(given["directory"])
    session, targets = _checked_scope(settings, given)
    record, process = _launch(settings, targets, given)
    if given["no_wait"]:
        if given["as_json"]:
            print_json({"run_id": record.run_id, "status": "launched", "targets": len(targets)})
        else:
            say(record.run_id)
        return
    try:
        location = _follow(settings, record, process, given)
    except KeyboardInterrupt:  # from the launch on: at no moment is a run left behind without a word
        ctx.exit(_left_running(record.run_id, given))
    ctx.exit(_finish(settings, session, record, location, given))


def _checked_scope(settings: Settings, given: dict[str, Any]) -> tuple[boto3.Session, tuple[Target, ...]]:
    """Whatever would make the run useless, found out before there is one."""
    from dbadmin_assets.cli.bucket import check_bucket
    from dbadmin_assets.resources.credentials import aws_session, verified_caller
    from dbadmin_assets.resources.inventory_source import read_inventory
    from dbadmin_assets.resources.signing import open_signer

    session = aws_session(settings)
    caller = verified_caller(session)
    inventory = read_inventory(settings.required("inventory")["inventory"], lambda: session)
    targets = inventory.targets(given["accounts"], given["regions"])
    check_bucket(session, **settings.required("bucket", "region"))
    open_signer(session, settings)
    databases = sum(len(target.databases) for target in targets)
    accounts = len({target.account_id for target in targets})
    note(f"Caller: {caller['arn']}")
    note(f"Scope: {accounts} accounts, {len(targets)} targets, {databases} databases of {inventory.source}")
    return session, targets


def _refuse_unwritable(directory: Path) -> None:
    """Found out before a run, not after it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise ConfigurationError([f"--download: {directory} cannot be written: {error.strerror}"]) from error


def _launch(
    settings: Settings, targets: tuple[Target, ...], given: dict[str, Any]
) -> tuple[RunRecord, subprocess.Popen[bytes]]:
    from dbadmin_assets.cli.instance import prepare_instance
    from dbadmin_assets.cli.launch import launch, log_path

    prepare_instance(settings)
    record, process = launch(
        settings,
        [target.key for target in targets],
        accounts=given["accounts"],
        regions=given["regions"],
        flat=given["flat"],
        formats=given["formats"],
    )
    note(f"Run: {record.run_id}")
    if given["verbose"]:
        note(f"Log: {log_path(settings, record.run_id)}")
    return record, process


def _follow(settings: Settings, record: RunRecord, process: subprocess.Popen[bytes], given: dict[str, Any]) -> str:
    """Follow the run to its end; where its report is.

    Raises:
        ReportError: the run ended without a report, or --timeout has passed.
    """
    from dbadmin_assets.cli.display import make_display
    from dbadmin_assets.cli.follow import Following, reaping
    from dbadmin_assets.cli.instance import open_instance
    from dbadmin_assets.cli.launch import log_path
    from dbadmin_assets.cli.progress import RunProgress

    display = make_display(verbose=given["verbose"])
    try:
        with open_instance(settings) as instance:
            log = log_path(settings, record.run_id)
            following = Following(instance, record.run_id, reaping(process, record.is_alive), log)
            progress = RunProgress(instance, record.run_id, record.scope["targets"])
            run = following.to_the_end(progress, display, given["timeout"])
    finally:
        display.close()
    if not run.is_success or progress.report is None:
        state = "was canceled" if run.status.value == "CANCELED" else "failed"
        reason = f": {progress.failure}" if progress.failure else ""
        raise ReportError(f"run {record.run_id} {state}, and there is no report{reason}", hint=f"its log: {log}")
    return str(progress.report["report"])


def _left_running(run_id: str, given: dict[str, Any]) -> int:
    from dbadmin_assets.cli.follow import how_to_follow

    note(f"Interrupted. Run {run_id} goes on: {how_to_follow(run_id)}")
    if given["as_json"]:
        print_json({"run_id": run_id, "status": "running", "exit_code": EXIT_INTERRUPTED})
    return EXIT_INTERRUPTED


def _finish(settings: Settings, session: boto3.Session, record: RunRecord, location: str, given: dict[str, Any]) -> int:
    from dbadmin_assets.cli import summary as summaries
    from dbadmin_assets.resources.evidence import EvidenceStore

    names = settings.required("bucket", "region")
    store = EvidenceStore(session, **names)
    folder = summaries.split_location(location, names["bucket"])
    manifest = summaries.read_manifest(store, folder)
    summary = {"run_id": record.run_id} | summaries.summarize(manifest, location, given["formats"])
    if given["directory"]:
        from dbadmin_assets.cli.download import fetch_report

        summary["files"] = fetch_report(store, folder, given["directory"])
    if given["as_json"]:
        print_json(summary)
    else:
        summaries.print_summary(summary)
    return int(summary["exit_code"])
