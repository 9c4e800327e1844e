"""`generate`: check everything, launch one run, follow it, and say how it ended."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import note, print_json, say
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import EXIT_INTERRUPTED, ConfigurationError, ReportError

if TYPE_CHECKING:
    from dbadmin_assets.cli.prechecks import Checked
    from dbadmin_assets.cli.progress import RunProgress
    from dbadmin_assets.cli.runs import Run, RunRequest, Runs


@click.command("generate")
@options.scope
@options.output_format
@click.option("--flat", is_flag=True, help="Leave the section rows out of the CSV.")
@click.option("--resume", "resumed", metavar="RUN_ID", help="Go on with an earlier run of this machine that died, was "
              "canceled or is incomplete: only what it did not collect is collected.")  # fmt: skip
@click.option("--no-wait", is_flag=True, help="Print the run id and go; `status` tells the rest.")
@click.option("--download", "directory", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Copy the report's files into this folder, too.")  # fmt: skip
@click.option("--timeout", "timeout", type=click.FloatRange(min=1), metavar="SECONDS",
              help="Wait so long at most; the run goes on.")  # fmt: skip
@options.connection
@options.dagster
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
      db-admin-report generate --resume 5f0c1a52-7d0e-4b5b-9a57-0d4a8a3c2b11
    """
    if given["no_wait"] and (given["directory"] or given["timeout"]):
        raise click.UsageError("--no-wait waits for nothing: --download and --timeout do not go with it")
    settings = options.settings_from(given)
    if given["resumed"]:
        _refuse_with_resume(ctx, settings)
    if settings.dagster_url is None:
        settings.required("inventory", "bucket", "region")
    if given["directory"]:
        _refuse_unwritable(given["directory"])
    from dbadmin_assets.cli.runs import open_runs

    with open_runs(settings) as runs:
        checked, run = _launch(settings, runs, given)
        if given["no_wait"]:
            _print_launched(run, given)
            return
        try:
            progress = _follow(settings, run, given)
        except KeyboardInterrupt:  # from the launch on: at no moment is a run left behind without a word
            ctx.exit(_left_running(run.run_id, given))
    ctx.exit(_finish(settings, checked, run.run_id, progress, given))


def _launch(settings: Settings, runs: Runs, given: dict[str, Any]) -> tuple[Checked, Run]:
    """Whatever would make the run useless is found out before there is one."""
    from dbadmin_assets.cli import prechecks
    from dbadmin_assets.cli.runs import RunRequest

    request = RunRequest(given["accounts"], given["regions"], given["flat"], given["formats"], target_keys=None)
    if given["resumed"]:
        request = _earlier_request(settings, given["resumed"])
        given["formats"] = tuple(request.formats)  # the summary names the first
    scope = request.accounts, request.regions
    if runs.is_remote:
        runs.prepare()
        checked = prechecks.check_where_possible(settings, *scope, must_read=bool(given["directory"]))
    else:
        checked = prechecks.check_here(settings, *scope)
        runs.prepare()
    keys = None if checked.targets is None else [target.key for target in checked.targets]
    run = runs.launch(replace(request, target_keys=keys))
    note(f"Run: {run.run_id}")
    if given["verbose"]:
        note(run.where_to_look)
    return checked, run


def _refuse_with_resume(ctx: click.Context, settings: Settings) -> None:
    asked = [f"--{name.replace('formats', 'output-format')}" for name in ("accounts", "regions", "formats", "flat")
             if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]  # fmt: skip
    if asked:
        raise click.UsageError(f"--resume asks for what the earlier run asked for: {', '.join(asked)} cannot change it")
    if settings.dagster_url is not None:
        raise click.UsageError("--resume is for runs of this machine: re-execute it in the deployed Dagster's UI")


def _earlier_request(settings: Settings, run_id: str) -> RunRequest:
    from dbadmin_assets.cli.embedded import EmbeddedRuns
    from dbadmin_assets.cli.resume import earlier_request

    with EmbeddedRuns(settings) as runs:
        return earlier_request(runs, run_id)


def _refuse_unwritable(directory: Path) -> None:
    """Found out before a run, not after it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise ConfigurationError([f"--download: {directory} cannot be written: {error.strerror}"]) from error


def _print_launched(run: Run, given: dict[str, Any]) -> None:
    if given["as_json"]:
        keys = run.target_keys
        print_json({"run_id": run.run_id, "status": "launched", "targets": None if keys is None else len(keys)})
    else:
        say(run.run_id)


def _follow(settings: Settings, run: Run, given: dict[str, Any]) -> RunProgress:
    """Follow the run to its end.

    Raises:
        ReportError: the run ended without a report, or --timeout has passed.
    """
    from dbadmin_assets.cli.display import make_display
    from dbadmin_assets.cli.follow import and_then, follow, longest_silence
    from dbadmin_assets.cli.progress import RunProgress

    display = make_display(verbose=given["verbose"])
    progress = RunProgress(run.target_keys)
    silence = longest_silence(settings.target_timeout_seconds)
    try:
        status = follow(run, progress, display, timeout_seconds=given["timeout"], silence_seconds=silence)
    finally:
        display.close()
    if status != "SUCCESS" or progress.report is None:
        state = "was canceled" if status == "CANCELED" else "failed"
        reason = f": {progress.failure}" if progress.failure else ""
        raise ReportError(f"run {run.run_id} {state}, and there is no report{reason}", hint=and_then(run))
    return progress


def _left_running(run_id: str, given: dict[str, Any]) -> int:
    from dbadmin_assets.cli.follow import how_to_follow

    note(f"Interrupted. Run {run_id} goes on: {how_to_follow(run_id)}")
    if given["as_json"]:
        print_json({"run_id": run_id, "status": "running", "exit_code": EXIT_INTERRUPTED})
    return EXIT_INTERRUPTED


def _finish(settings: Settings, checked: Checked, run_id: str, progress: RunProgress, given: dict[str, Any]) -> int:
    from dbadmin_assets.cli import summary as summaries
    from dbadmin_assets.cli.remote import summary as remote_summaries

    location = str((progress.report or {})["report"])
    opened: summaries.OpenedReport | None
    if settings.dagster_url is None:
        opened = summaries.open_report(checked.session, settings, location)
    else:
        opened = remote_summaries.open_report(checked, settings, location, must=bool(given["directory"]))
    if opened is None:
        made = {"run_id": run_id} | remote_summaries.summarize_events(progress, location)
        print_json(made) if given["as_json"] else remote_summaries.print_events_summary(made)
        return int(made["exit_code"])
    summary = {"run_id": run_id} | summaries.summarize(opened.manifest, location, given["formats"])
    if given["directory"]:
        from dbadmin_assets.cli.download import fetch_report

        summary["files"] = fetch_report(opened.store, opened.folder, given["directory"])
    if given["as_json"]:
        print_json(summary)
    else:
        summaries.print_summary(summary)
    return int(summary["exit_code"])
