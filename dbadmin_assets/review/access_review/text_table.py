"""Tables as text: CSV as this program writes it, and as spreadsheets save it again. Nothing about what is in them.

Excel separates by `;` where the comma is the decimal sign, by tabs in "Unicode text" (UTF-16), and leaves the BOM out.
A code page of the machine cannot be told from another one: such a file is refused, not guessed at.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_SEPARATORS = ",;\t"
_SAVE_AS_UTF8 = "save it as `CSV UTF-8`, or fill in the .xlsx"
_SEPARATOR_LINE = re.compile(r"\Asep=([,;\t])\r?\n")


class TableError(ValueError):
    """The bytes are no table that can be read without guessing; the message says why."""


@dataclass(slots=True)
class Table:
    """A header, and rows with the number that a spreadsheet shows beside them; rows without any text are left out."""

    header: list[str]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


def read_table(data: bytes, columns: Sequence[str], *, most_rows: int) -> Table:
    """Read a table whose header has at least one of these columns.

    Raises:
        TableError: another encoding, no such header, broken quoting, too many rows.
    """
    text = _decoded(data)
    first = 1
    if found := _SEPARATOR_LINE.match(text):  # Excel's own hint
        text, first, separators = text[found.end() :], 2, found[1]
    else:
        separators = _SEPARATORS
    header = _header(text, columns, separators)
    table = Table([cell.strip() for cell in header[1]])
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=header[0], strict=True)
        for number, row in enumerate(rows, first):
            if number - first > most_rows:
                raise TableError(f"it has more than {most_rows:,} rows")
            if number > first and any(cell.strip() for cell in row):
                table.rows.append((number, row))
    except csv.Error as error:
        raise TableError(f"it is no CSV: {error}") from error
    return table


def _decoded(data: bytes) -> str:
    """The text of UTF-8, or of UTF-16 with its mark."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        what = "damaged UTF-16" if encoding == "utf-16" else "not UTF-8: perhaps Windows-1252, a spreadsheet's default"
        raise TableError(f"its text is {what}; {_SAVE_AS_UTF8}") from error
    if "\0" in text:
        raise TableError(f"it is no text, or UTF-16 without its mark; {_SAVE_AS_UTF8}")
    return text


def _header(text: str, columns: Sequence[str], separators: str) -> tuple[str, list[str]]:
    """The separator with which the first line has the most columns that are wanted, and that line."""
    line = text.split("\n", 1)[0]
    best: tuple[int, str, list[str]] = (0, ",", [])
    for separator in separators:
        cells = next(csv.reader([line], delimiter=separator), [])
        known = sum(cell.strip() in columns for cell in cells)
        if known > best[0]:
            best = (known, separator, cells)
    if not best[0]:
        raise TableError(f"its first line is not {', '.join(columns)}")
    return best[1], best[2]
