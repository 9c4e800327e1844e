"""The first look into an .xlsx that somebody sent back: size first, then cells as text. Nothing in it is executed.

A small file can hold a large one, so what it unpacks to is read from its directory before anything is unpacked;
zipfile gives no more bytes of a member than the directory says.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from datetime import date, datetime

from dbadmin_assets.review.access_review.text_table import Table, TableError

_MOST_UNPACKED = 512 << 20  # 200,000 rows unpack to 200 MB
_MOST_MEMBERS = 1000
_MOST_COLUMNS = 64
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"
_NO_WORKBOOK = "it is no .xlsx file, or a damaged one"


def read_workbook(data: bytes, sheet: str, *, most_rows: int) -> Table:
    """One worksheet, its cells as text: a date as 2024-01-15, a number as Excel's text of it, an empty cell as "".

    Raises:
        TableError: it is no such file, has no such sheet, is too large, or cannot be read.
    """
    if data.startswith(_COMPOUND_FILE):
        raise TableError("it has a password, or is an old .xls: save it as .xlsx without a password")
    _refuse_bombs(data)
    try:
        return _read(data, sheet, most_rows)
    except TableError:
        raise
    except (  # what openpyxl raises on files that somebody damaged: it checks little itself
        OSError, EOFError, KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError, RuntimeError,
        OverflowError, NotImplementedError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise TableError(f"{_NO_WORKBOOK} ({type(error).__name__})") from error


def _refuse_bombs(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            if unpacked > _MOST_UNPACKED or len(members) > _MOST_MEMBERS:
                raise TableError(f"it unpacks to {unpacked:,} bytes in {len(members)} parts: more than any sheet needs")
            for member in members:
                with archive.open(member) as part:
                    if b"<!DOCTYPE" in part.read(4096).replace(b"\0", b""):
                        raise TableError("it declares a document type, which no spreadsheet does")
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise TableError(f"{_NO_WORKBOOK} ({type(error).__name__})") from error


def _read(data: bytes, sheet: str, most_rows: int) -> Table:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        if sheet not in book.sheetnames:
            raise TableError(f"it has no sheet {sheet!r}")
        # A single cell far out must not make a billion empty ones.
        rows = book[sheet].iter_rows(max_row=most_rows + 2, max_col=_MOST_COLUMNS, values_only=True)
        table = Table([])
        for number, row in enumerate(rows, 1):
            cells = [_text(value) for value in row]
            if number == 1:
                table.header = _without_empty_end([cell.strip() for cell in cells])
            elif number > most_rows + 1:
                raise TableError(f"it has more than {most_rows:,} rows")
            elif any(cell.strip() for cell in cells):
                table.rows.append((number, _without_empty_end(cells)))
        return table
    finally:
        book.close()


def _without_empty_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
