"""report.xlsx: the sheets and what goes where; one pass over the detail rows, a row at a time in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

from xlsxwriter import Workbook

from dbadmin_assets.review.detail import COLUMNS, REPORT_COLUMNS, detail_rows
from dbadmin_assets.review.manifest import NOT_COMPARED
from dbadmin_assets.review.outputs.changes import ChangesTable
from dbadmin_assets.review.outputs.overview import FINDING_COLUMNS, TITLE, Facts, Overview, make_overview, title_of
from dbadmin_assets.review.outputs.sheets import Formats, Sheet
from dbadmin_assets.review.outputs.summary_sheet import write_summary
from dbadmin_assets.review.result_check import ADMIN
from dbadmin_assets.review.times import parse_time

ROW_TITLES = tuple(map(title_of, COLUMNS))
"""Titles of the sheets of rows: the CSV's ten, then those of the detail columns."""

MOST_ROWS = 200_000
"""Detail rows: Excel takes five times as many, but no longer opens them in a moment."""

_LEVEL, _EXCLUDED = COLUMNS.index("permission_level"), COLUMNS.index("excluded_by_policy")
_WIDTHS = {
    "account_id": 14, "region": 14, "database_name": 24, "database_type": 9, "username": 34, "role_name": 52,
    "permission_level": 30, "last_login_date": 21, "user_status": 26, "report_timestamp": 21, "account_name": 18,
    "host": 34, "server_identity": 34, "access_path": 44, "excluded_by_policy": 30, "principal_id": 34, "tier": 9,
}  # fmt: skip
_ROW_WIDTHS = tuple(_WIDTHS.get(name, 18) for name in COLUMNS)
_FINDING_WIDTHS = (24, 14, 18, 14, 24, 10, 40, 50, 50, 24, 21)


def write_workbook(path: Path, facts: Facts, parquet: Path, changes: ChangesTable | None) -> list[str]:
    """Make the workbook; equal input gives equal bytes. Whether the rows are too many for one is the caller's question.

    Args:
        path: the file to make. Temporary files lie in a folder of their own beside it meanwhile.
        parquet: the detail rows.
        changes: since an earlier report; None where it was not compared.

    Returns:
        What it does not show.
    """
    overview = make_overview(facts, parquet)
    with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
        options = {
            "constant_memory": True, "tmpdir": temporary,
            "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        }  # fmt: skip
        with Workbook(str(path), options) as book:
            book.set_properties({"title": TITLE, "created": parse_time(facts["endedAt"])})
            formats = Formats(book)
            write_summary(book, formats, facts, overview)
            _write_rows(book, formats, parquet, overview)
            _write_changes(book, formats, changes)
            _write_about(book, formats, facts, overview)
    if changes and len(changes.rows) > MOST_ROWS:
        return [f"of {len(changes.rows):,} changes it lists the first {MOST_ROWS:,}"]
    return []


def _write_rows(book: Workbook, formats: Formats, parquet: Path, overview: Overview) -> None:
    users = Sheet(book, formats, "Users", _ROW_WIDTHS)
    admins = Sheet(book, formats, "Administrators", _ROW_WIDTHS)
    findings = Sheet(book, formats, "Failures and warnings", _FINDING_WIDTHS)
    excluded = Sheet(book, formats, "Excluded principals", _ROW_WIDTHS)
    for sheet in (users, admins, excluded):
        sheet.table_head(ROW_TITLES)
    findings.table_head(FINDING_COLUMNS)
    for finding in overview.findings:
        findings.text_row(finding)
    for row in detail_rows(parquet):
        if row[_EXCLUDED] is not None:
            excluded.text_row(row)
            continue
        users.text_row(row)
        if row[_LEVEL] == ADMIN:
            admins.text_row(row)
    for sheet in (users, admins, excluded):
        sheet.finish_table(printed_columns=len(REPORT_COLUMNS))
    findings.finish_table()


def _write_changes(book: Workbook, formats: Formats, changes: ChangesTable | None) -> None:
    columns = changes.columns if changes else ()
    sheet = Sheet(book, formats, "Changes since last report", [24] * max(len(columns), 1))
    if changes is None or not columns:
        sheet.row([changes.note if changes else NOT_COMPARED.capitalize()])
        return
    sheet.table_head(columns, note=changes.note)
    for row in changes.rows[:MOST_ROWS]:
        sheet.text_row(row)
    sheet.finish_table()


def _write_about(book: Workbook, formats: Formats, facts: Facts, overview: Overview) -> None:
    sheet = Sheet(book, formats, "About this evidence", (40, 110))
    sheet.row([TITLE], formats.title, lines=1.7)
    sheet.row([overview.verdict])
    sheet.next_row += 1
    for pair in overview.about:
        sheet.row(pair)
    sheet.next_row += 1
    sheet.row(["What this report cannot see"], formats.section, lines=1.3)
    for item in facts["outsideThePopulation"]:
        sheet.row(["", item])
