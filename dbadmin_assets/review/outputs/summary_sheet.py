"""The first sheet of the workbook: verdict, scope, sums, counts by account and engine, two charts."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter import Workbook

from dbadmin_assets.review.outputs.overview import (
    ACCOUNT_COLUMNS,
    ENGINE_COLUMNS,
    TITLE,
    TYPE_COLUMNS,
    Facts,
    Overview,
    Row,
)
from dbadmin_assets.review.outputs.sheets import Formats, Sheet

_NAME = "Summary"
_MOST_BARS = 20
_CHARTS_COLUMN = 8
_COLOUR = "#2F5D8A"


def write_summary(book: Workbook, formats: Formats, facts: Facts, overview: Overview) -> None:
    """Write the sheet; its charts show cells of its tables."""
    sheet = Sheet(book, formats, _NAME, (26, 24, 12, 12, 12, 12, 12))
    sheet.sheet.hide_gridlines(2)
    sheet.row([TITLE], formats.title, lines=1.7)
    banner = formats.complete if overview.complete else formats.incomplete
    for column in range(1, len(ACCOUNT_COLUMNS)):
        sheet.sheet.write_blank(sheet.next_row, column, None, banner)
    sheet.row([overview.verdict], banner, lines=2)
    sheet.row([overview.why])
    sheet.row([f"Scope: {overview.scope}"])
    sheet.row([overview.asked])
    sheet.row([f"Consolidated: {facts['endedAt']}"])
    sheet.next_row += 1
    sheet.row(["Population"], formats.section, lines=1.3)
    sheet.row([overview.population])
    counts = facts["counts"]
    sheet.row(
        [f"{counts['users']:,} users, {counts['admins']:,} of them administrators; {counts['excludedPrincipals']:,}"
         " principals excluded by policy"]
    )  # fmt: skip
    sheet.next_row += 1
    first = _table(sheet, "By account", ACCOUNT_COLUMNS, overview.accounts, texts=2)
    _table(sheet, "By database type, as declared", TYPE_COLUMNS, overview.types)
    engines = _table(sheet, "By engine, as the servers say", ENGINE_COLUMNS, overview.engines)
    shown = min(len(overview.accounts), _MOST_BARS)
    title = "Administrators by account"
    title += f": the {shown} with most of {len(overview.accounts):,}" if shown < len(overview.accounts) else ""
    _chart(book, sheet, title, first, shown, len(ACCOUNT_COLUMNS) - 1, at=8)
    below = 8 + _height(shown) // 20 + 2
    _chart(book, sheet, "Administrators by engine", engines, len(overview.engines), len(ENGINE_COLUMNS) - 1, at=below)


def _table(sheet: Sheet, title: str, columns: Sequence[str], rows: Sequence[Row], *, texts: int = 1) -> int:
    """A small table with its title: columns of text, then of numbers. Returns the number of its first row."""
    sheet.row([title], sheet.formats.section, lines=1.3)
    for column, name in enumerate(columns):
        sheet.write(column, name, sheet.formats.number_head if column >= texts else sheet.formats.head)
    sheet.next_row += 1
    first = sheet.next_row
    for row in rows:
        sheet.row(row)
    sheet.next_row += 1
    return first


def _chart(book: Workbook, sheet: Sheet, title: str, first: int, rows: int, column: int, *, at: int) -> None:
    if not rows:
        return
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": "Administrators",
            "categories": [_NAME, first, 0, first + rows - 1, 0],
            "values": [_NAME, first, column, first + rows - 1, column],
            "fill": {"color": _COLOUR},
            "data_labels": {"value": True},
            "gap": 40,
        }
    )
    chart.set_title({"name": title, "name_font": {"size": 12}})
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True, "line": {"none": True}})
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}})
    chart.set_size({"width": 520, "height": _height(rows)})
    sheet.sheet.insert_chart(at, _CHARTS_COLUMN, chart)


def _height(bars: int) -> int:
    """Pixels."""
    return 110 + 26 * bars
