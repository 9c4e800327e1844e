"""`review import`: a sheet that was filled in, checked and attested beside its report."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, say
from dbadmin_assets.cli.review_common import FILE, note_unseen, read_file, say_decisions, summary

if TYPE_CHECKING:
    from dbadmin_assets.cli.review_report import OpenReport


@click.command("import")
@click.argument("sheet", type=FILE)
@click.argument("report", default="latest")
@click.option("--check", "check_only", is_flag=True, help="Only say whether the sheet is right; write nothing.")
@click.option("--local", is_flag=True, help="REPORT is a downloaded folder: write there, unsigned.")
@options.connection
@options.general
def import_command(sheet: Path, report: str, check_only: bool, local: bool, as_json: bool, **given: Any) -> None:
    """Check a sheet that was filled in, and write what it decides beside the report, once.

    Every problem is listed with its row, exit 2. REPORT as in `review export`: the one that the sheet is of.

    \b
    Examples:
      db-admin-report review import review.xlsx --check
      db-admin-report review import review.xlsx
    """
    from dbadmin_assets.cli.review_report import open_report
    from dbadmin_assets.cli.review_store import store_review
    from dbadmin_assets.cli.runs import requester
    from dbadmin_assets.review.access_review.check import check, read_sheet
    from dbadmin_assets.review.access_review.row_ids import row_ids

    suffix = sheet.suffix.lower()
    if suffix not in (".xlsx", ".csv"):
        raise click.BadParameter(f"{sheet} must end with .xlsx or .csv", param_hint="SHEET")
    data = read_file(sheet)
    table = read_sheet(data, sheet.name)
    opened = open_report(given, report)
    if local != (opened.path is not None) and not check_only:
        problem = "REPORT is not a folder" if local else f"{opened.place} is a folder of this machine"
        raise click.UsageError(f"{problem}: --local is for downloaded folders, s3://… or latest for the bucket")
    expected = list(zip(row_ids(opened.manifest_sha256, opened.administrators), opened.administrators, strict=True))
    note_unseen(opened)
    rows = check(table, expected, sealed_at=opened.manifest.ended_at, now=datetime.now(UTC))
    if check_only:
        _print_imported(None, opened, {"administrators": len(rows)}, as_json=as_json)
        return
    where, attestation = store_review(opened, rows, sheet=data, suffix=suffix, requested_by=requester())
    _print_imported(where, opened, summary(attestation), as_json=as_json)


def _print_imported(where: str | None, opened: OpenReport, told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({"report": opened.place, "attestation": where} | told)
        return
    say(f"Report: {opened.place}")
    if where is None:
        say(f"The sheet is right: {told['administrators']} administrators. Nothing was written.")
        return
    say_decisions(told)
    say(f"Attestation: {where}")
