"""The sheet as a file that a person fills in: .xlsx, or .csv for who has no spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbadmin_assets.review.access_review.cells import COLUMNS, DECISIONS, SHEET_NAME, TO_FILL_IN, SheetRow, shown
from dbadmin_assets.review.csv_cells import LINE_END, quoted
from dbadmin_assets.review.times import parse_time

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

MOST_XLSX_ROWS = 200_000
_WIDTHS = {"Row ID": 19, "Account ID": 15, "Username": 32, "Role Name": 40, "Access Path": 50, "Comment": 60}
_WIDTH = 18
_HOW_TO = (
    "Every row is one administrator of one database. Fill in the white columns; the grey ones must stay as they are.",
    "Decision: keep, remove or change. remove and change need a Comment: what is to be done, and by whom.",
    "Reviewer: who decides, by name or e-mail address. Review Date: the day of the decision, as 2024-01-15.",
    "Owner: who answers for the account; correct it where it is wrong.",
    "A decision that stands there already was made in the last review and holds only once you confirm it.",
    "Every row needs a decision, a reviewer and a date. No row may be added or deleted; their order does not matter.",
    "The protection has no password. It lets you filter; to sort, take it off (Excel: Review, Unprotect Sheet).",
    "A cell that a spreadsheet would take for a formula begins with an apostrophe, in front of the name itself.",
    "When all is filled in: db-admin-report review import FILE --check, then without --check.",
)


@dataclass(frozen=True, slots=True)
class Origin:
    """The report that a sheet is made from.

    Attributes:
        folder: its key prefix.
        sealed_at: `2024-01-15T14:22:33Z`.
        unseen: databases of which it may not know every administrator.
    """

    folder: str
    manifest_sha256: str
    sealed_at: str
    unseen: tuple[str, ...] = ()


def csv_lines(rows: Sequence[SheetRow]) -> Iterator[bytes]:
    """The sheet as CSV: UTF-8 with BOM, CRLF."""
    yield ("\ufeff" + ",".join(COLUMNS) + LINE_END).encode()
    for row in rows:
        yield (",".join(map(quoted, row.cells())) + LINE_END).encode()


def write_xlsx(path: Path, rows: Sequence[SheetRow], origin: Origin) -> None:
    """The sheet as a workbook: every cell is text, what must stay is grey and locked.

    Raises:
        ValueError: more rows than MOST_XLSX_ROWS.
    """
    import xlsxwriter

    if len(rows) > MOST_XLSX_ROWS:
        raise ValueError(f"{len(rows):,} rows: an .xlsx takes {MOST_XLSX_ROWS:,}")
    texts = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, texts) as book:
        _sheet(book, rows, origin)
        _how_to(book.add_worksheet("How to"), book, origin)


def _sheet(book: Workbook, rows: Sequence[SheetRow], origin: Origin) -> None:
    sheet = book.add_worksheet(SHEET_NAME)
    head = book.add_format({"bold": True, "bottom": 1, "num_format": "@"})
    grey = book.add_format({"bg_color": "#EEEEEE", "num_format": "@"})
    white = book.add_format({"locked": False, "num_format": "@"})
    day = book.add_format({"locked": False, "num_format": "yyyy-mm-dd"})
    formats = [day if title == "Review Date" else white if title in TO_FILL_IN else grey for title in COLUMNS]
    for place, title in enumerate(COLUMNS):
        sheet.set_column(place, place, _WIDTHS.get(title, _WIDTH))
        _write(sheet, 0, place, title, head)
    for number, row in enumerate(rows, 1):
        for place, cell in enumerate(row.cells()):
            if cell:
                _write(sheet, number, place, cell, formats[place])
            else:
                sheet.write_blank(number, place, None, formats[place])
    last = max(len(rows), 1)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, last, len(COLUMNS) - 1)
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
    _validate(sheet, last, origin)


def _validate(sheet: Worksheet, last: int, origin: Origin) -> None:
    decision, review_date = COLUMNS.index("Decision"), COLUMNS.index("Review Date")
    sheet.data_validation(1, decision, last, decision, {
        "validate": "list", "source": list(DECISIONS),
        "error_title": "Decision", "error_message": "keep, remove or change",
    })  # fmt: skip
    sealed = parse_time(origin.sealed_at)
    sheet.data_validation(1, review_date, last, review_date, {
        "validate": "date", "criteria": ">=", "value": datetime(sealed.year, sealed.month, sealed.day),  # noqa: DTZ001
        "input_title": "Review Date", "input_message": "As 2024-01-15",
        "error_type": "warning", "error_title": "Review Date",
        "error_message": "A day as 2024-01-15, not before the report was made",
    })  # fmt: skip


def _how_to(sheet: Worksheet, book: Workbook, origin: Origin) -> None:
    text = book.add_format({"text_wrap": True, "num_format": "@", "valign": "top"})
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    facts = {"Report": origin.folder, "Sealed at": origin.sealed_at, "manifest.json sha256": origin.manifest_sha256}
    for number, (name, value) in enumerate(facts.items()):
        _write(sheet, number, 0, name, text)
        _write(sheet, number, 1, value, text)
    for number, sentence in enumerate(_HOW_TO, len(facts) + 1):
        _write(sheet, number, 1, sentence, text)
    if origin.unseen:
        first = len(facts) + len(_HOW_TO) + 2
        _write(sheet, first, 0, "INCOMPLETE", text)
        _write(sheet, first, 1, "Of these databases not every administrator is known, and none may be here:", text)
        for number, database in enumerate(origin.unseen, first + 1):
            _write(sheet, number, 1, shown(database), text)


def _write(sheet: Worksheet, row: int, place: int, text: str, form: Any) -> None:
    """Text as text. XlsxWriter leaves a cell out with a mere return code, which here is an error."""
    if sheet.write_string(row, place, text, form) != 0:
        raise ValueError(f"row {row + 1}, column {place + 1} cannot be written")
