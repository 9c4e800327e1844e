"""The end of a report whose bucket this machine may not read: what the run itself said, and that this is all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from dbadmin_assets.cli.output import note, say
from dbadmin_assets.cli.prechecks import Checked, inventory_differs
from dbadmin_assets.cli.progress import RunProgress
from dbadmin_assets.cli.summary import OpenedReport
from dbadmin_assets.cli.summary import open_report as open_configured
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import EXIT_COMPLETE, EXIT_INCOMPLETE, CredentialsError, EvidenceError

_COUNTS = ("targets", "databases", "users", "admins", "failed", "partial")


def open_report(checked: Checked, settings: Settings, location: str, *, must: bool) -> OpenedReport | None:
    """The report, where this machine may read it; else None, and why is said.

    Args:
        must: it is going to be downloaded.

    Raises:
        EvidenceError, CredentialsError: it must be read and cannot.
        ReportError: it is not in the bucket that is configured here.
    """
    if checked.session is None:
        note("The report's manifest is not read: this machine has no access to AWS")
        return None
    region = settings.region or checked.session.region_name
    if not region:  # None where there is none, whatever its type says
        note("The report's manifest is not read: DBADMIN_REGION is not set here")
        return None
    bucket = settings.bucket or location.removeprefix("s3://").partition("/")[0]
    try:
        opened = open_configured(checked.session, replace(settings, bucket=bucket, region=region), location)
    except (EvidenceError, CredentialsError) as error:
        if must:
            raise
        note(f"The report's manifest is not read: {error.message}")
        return None
    if warning := inventory_differs(checked, opened.manifest):
        note(warning)
    return opened


def summarize_events(progress: RunProgress, location: str) -> dict[str, Any]:
    """What `--json` prints then: of the same names as otherwise, those that the run's events tell."""
    report = progress.report or {}
    complete = report.get("complete") is True
    targets = [progress.targets[key] for key in sorted(progress.targets)]
    return {
        "status": "complete" if complete else "incomplete",
        "complete": complete,
        "exit_code": EXIT_COMPLETE if complete else EXIT_INCOMPLETE,
        "manifest_read": False,
        "collection_id": report.get("collection_id"),
        "report": location,
        "manifest": report.get("manifest"),
        "csv_sha256": report.get("csv_sha256"),
        "sequence": report.get("sequence"),
        "counts": {name: report.get(name) for name in _COUNTS},
        "targets": [
            {"key": t.key, "state": t.state, "reason": t.reason, "failed": t.failed_databases} for t in targets
        ],
    }


def print_events_summary(summary: dict[str, Any]) -> None:
    """The same for people; the verdict is its last line."""
    for target in summary["targets"]:
        if target["state"] != "complete":
            say(f"  {target['key'].replace('|', ' ')} {target['state']}: {target['reason'] or 'see the report'}")
    counts = summary["counts"]
    say(f"Databases: {counts['databases']}, of which {counts['failed']} failed and {counts['partial']} partial")
    say(f"Users: {counts['users']}, admins: {counts['admins']}")
    say(f"Sealed: number {summary['sequence']}; as the run says: its manifest was not read here")
    say(f"Report: {summary['report']}")
    click.secho("COMPLETE" if summary["complete"] else "INCOMPLETE", fg="green" if summary["complete"] else "yellow")
