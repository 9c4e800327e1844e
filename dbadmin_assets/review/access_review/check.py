"""A sheet that came back, held against its report: every row there, once, unchanged, and filled in; or every problem.

Nothing is corrected silently: what would have to be guessed is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from dbadmin_assets.review.access_review.cells import (
    COLUMNS,
    DECISIONS,
    IDENTITY,
    MOST_CHARACTERS,
    ROW_ID,
    SHEET_NAME,
    TO_FILL_IN,
    identity_cells,
    is_same,
    typed,
)
from dbadmin_assets.review.access_review.errors import SheetError
from dbadmin_assets.review.access_review.principals import Principal
from dbadmin_assets.review.access_review.text_table import Table, TableError, read_table
from dbadmin_assets.review.access_review.xlsx_table import read_workbook
from dbadmin_assets.review.attestation_model import Decision
from dbadmin_assets.review.times import parse_time

MOST_BYTES = 64 << 20
MOST_ROWS = 500_000
_MOST_COMMENT = 4000
_MOST_NAME = 300
_ZIP = b"PK\x03\x04"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SCIENTIFIC = re.compile(r"[0-9][.,]?[0-9]*E\+?[0-9]+", re.ASCII | re.IGNORECASE)
_CURE = (
    "fill in the .xlsx; a CSV that a spreadsheet has saved has other numbers and dates in it. "
    "`review export` writes a fresh sheet"
)
# A reviewer's day may have begun before it does in UTC, and the day of the sealing may not be over.
_EASTERNMOST = timedelta(hours=14)
_WESTERNMOST = timedelta(hours=12)


class Reviewed(NamedTuple):
    """One administrator and what was decided; `review_date` as 2024-01-15."""

    row_id: str
    principal: Principal
    owner: str
    decision: Decision
    reviewer: str
    review_date: str
    comment: str


def read_sheet(data: bytes, name: str) -> Table:
    """The cells of a sheet.

    Args:
        name: of the file; its end says what it is.

    Raises:
        SheetError: it cannot be read, or its columns are not those of a sheet.
    """
    is_xlsx = name.lower().endswith(".xlsx")
    try:
        if len(data) > MOST_BYTES:
            raise TableError(f"it has {len(data):,} bytes, more than any sheet needs")
        if is_xlsx:
            table = read_workbook(data, SHEET_NAME, most_rows=MOST_ROWS)
        elif data.startswith(_ZIP):
            raise TableError("it is no CSV; if it is a workbook, its name must end with .xlsx")
        else:
            table = read_table(data, COLUMNS, most_rows=MOST_ROWS)
    except TableError as error:
        raise SheetError([str(error)]) from error
    missing = [f"row 1: the column {title} is missing" for title in COLUMNS if title not in table.header]
    more = [
        f"row 1: there is no column {title[:60]!r} in a sheet: what stands there would not be attested"
        for title in table.header
        if title not in COLUMNS
    ]
    twice = [f"row 1: the column {title} is there twice" for title in COLUMNS if table.header.count(title) > 1]
    if problems := missing + more + twice:
        raise SheetError(problems, hint=_CURE)
    return table


def check(table: Table, report: Sequence[tuple[str, Principal]], *, sealed_at: str, now: datetime) -> list[Reviewed]:
    """What the sheet decides, in the order of the report.

    Args:
        report: row id and principal of every administrator.
        sealed_at: when the report was finished; now: aware.

    Raises:
        SheetError: with every problem and its row.
    """
    expected = dict(report)
    rows = [(number, _by_title(table, cells)) for number, cells in table.rows]
    if expected and rows and not any(values[ROW_ID] in expected for _, values in rows):
        other = f"it was exported from another report: none of its {len(rows):,} rows is of this one"
        raise SheetError([other], hint="name that report: review import SHEET REPORT; the workbook's `How to` tells it")
    days = ((parse_time(sealed_at) - _WESTERNMOST).date(), (now + _EASTERNMOST).date())
    of_rows = [(n, "it has more cells than there are columns") for n, c in table.rows if len(c) > len(COLUMNS)]
    spoiled = len(of_rows)
    first: dict[str, tuple[int, dict[str, str]]] = {}
    for number, values in rows:
        wrong = list(_misplaced(values, expected, first))
        spoiled += len(wrong)
        if not wrong:
            first[values[ROW_ID]] = (number, values)
            wrong = list(_changed(values, expected[values[ROW_ID]]))
            spoiled += len(wrong)
            wrong += _not_filled_in(values, days)
        of_rows += [(number, problem) for problem in wrong]
    problems = [*_by_problem(of_rows)]
    problems += [f"a row is missing: {row.place} (Row ID {name})" for name, row in report if name not in first]
    if problems:
        raise SheetError(problems, hint=_CURE if spoiled else None)
    return [_reviewed(name, principal, first[name][1]) for name, principal in report]


def _by_problem(of_rows: Sequence[tuple[int, str]]) -> Iterator[str]:
    """Each problem once, with the rows that have it: `row 2: …`, `rows 2 to 76, 80: …`."""
    rows: dict[str, list[int]] = {}
    for number, problem in of_rows:
        rows.setdefault(problem, []).append(number)
    for problem, numbers in rows.items():
        runs: list[list[int]] = []
        for number in numbers:
            if runs and number == runs[-1][-1] + 1:
                runs[-1][1:] = [number]
            else:
                runs.append([number])
        told = ", ".join(" to ".join(map(str, run)) for run in runs)
        yield f"{'row' if len(numbers) == 1 else 'rows'} {told}: {problem}"


def _misplaced(
    values: dict[str, str], expected: dict[str, Principal], first: dict[str, tuple[int, dict[str, str]]]
) -> Iterator[str]:
    """Why a row is none of the report's, or one that was there already."""
    row_id = values[ROW_ID]
    if row_id not in expected:
        yield _stranger(values)
    elif row_id in first:
        yield f"it is row {first[row_id][0]} again: {expected[row_id].place}"


def _by_title(table: Table, cells: list[str]) -> dict[str, str]:
    padded = cells + [""] * (len(table.header) - len(cells))
    return dict(zip(table.header, padded, strict=False))


def _stranger(values: dict[str, str]) -> str:
    row_id = values[ROW_ID]
    told = " ".join(filter(None, (values[title] for title in ("Account ID", "Region", "Database Name", "Username"))))
    if not row_id:
        return f"its Row ID is empty ({told[:200]})"
    if _SCIENTIFIC.fullmatch(row_id) or not re.fullmatch("[0-9a-f]{16}", row_id):
        return f"its Row ID is {row_id[:60]!r}, which a spreadsheet made of another one ({told[:200]})"
    return f"it is not of this report: Row ID {row_id} ({told[:200]})"


def _changed(values: dict[str, str], principal: Principal) -> Iterator[str]:
    """Each identity cell that does not say any more what it said."""
    for title, wanted in zip(IDENTITY, identity_cells(principal), strict=True):
        is_now = values[title]
        if not is_same(is_now, wanted):
            yield f"{title} is {is_now[:200]!r}, it was {wanted[:200]!r}{_how(title, is_now, wanted)}"


def _how(title: str, is_now: str, wanted: str) -> str:
    if wanted.isdigit() and is_now == wanted.lstrip("0"):
        return ": a spreadsheet took its leading zeros"
    if _SCIENTIFIC.fullmatch(is_now):
        return ": a spreadsheet wrote it as a number"
    if title == "Last Login Date" and any(c.isdigit() for c in is_now) and wanted[:1].isdigit():
        return ": a spreadsheet wrote the date in its own way"
    if is_now.strip() == wanted.strip():
        return ": blanks were added or taken"
    return ""


def _not_filled_in(values: dict[str, str], days: tuple[date, date]) -> Iterator[str]:
    cells = {title: typed(values[title]) for title in TO_FILL_IN}
    decision = cells["Decision"].lower()
    if not decision:
        yield "Decision is empty"
    elif decision not in DECISIONS:
        yield f"Decision is {cells['Decision'][:60]!r}, not one of {', '.join(DECISIONS)}"
    if not cells["Reviewer"]:
        yield "Reviewer is empty"
    yield from _wrong_day(cells["Review Date"], days)
    if decision in ("remove", "change") and not cells["Comment"]:
        yield f"{decision} needs a Comment: what is to be done, and by whom"
    most = {"Comment": _MOST_COMMENT, "Owner": _MOST_NAME, "Reviewer": _MOST_NAME}
    for title, number in most.items():
        if len(cells[title]) > number:
            yield f"{title} has {len(cells[title]):,} characters, more than {number:,}"
    if any(len(cell) > MOST_CHARACTERS for cell in values.values()):
        yield f"a cell has more than {MOST_CHARACTERS:,} characters"


def _wrong_day(text: str, days: tuple[date, date]) -> Iterator[str]:
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:  # the 30th of February
        day = None
    if not text:
        yield "Review Date is empty"
    elif day is None:
        yield f"Review Date is {text[:60]!r}, not a day as 2024-01-15"
    elif day < days[0]:
        yield f"Review Date {text} is before the report was made"
    elif day > days[1]:
        yield f"Review Date {text} is in the future"


def _reviewed(row_id: str, principal: Principal, values: dict[str, str]) -> Reviewed:
    cells = {title: typed(values[title]) for title in TO_FILL_IN}
    return Reviewed(
        row_id,
        principal,
        cells["Owner"],
        DECISIONS[cells["Decision"].lower()],
        cells["Reviewer"],
        cells["Review Date"],
        cells["Comment"],
    )
