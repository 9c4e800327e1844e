"""XlsxWriter's worksheet with a shorter way for plain text, of which a report has millions of cells.

The library builds each cell from lists of attributes, all escaped: 100,000 rows of 27 columns took 14 s,
and take 7 s so. `_write_cell` is private there: what is not plain goes the library's own way, and should a later
version not know the method any more, everything does, only slower. The tests read back what comes of both.
"""

from __future__ import annotations

from html import escape
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import CellStringTuple, Worksheet


class FastSheet(Worksheet):  # type: ignore[misc]  # XlsxWriter has no types of its own
    """For `Workbook.add_worksheet(name, worksheet_class=FastSheet)`, with `constant_memory`."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[int, tuple[str, str]] = {}

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        if type(cell) is not CellStringTuple or cell.format or row in self.row_info or not _is_plain(cell.string):
            super()._write_cell(row, col, cell)
            return
        if col not in self._before:
            self._before[col] = self._around(col)
        before, after = self._before[col]
        self.fh.write(f"{before}{row + 1}{after}{escape(cell.string, quote=False)}</t></is></c>")

    def _around(self, col: int) -> tuple[str, str]:
        """What stands before and behind the row's number in each cell of a column."""
        letters, info = xl_col_to_name(col), self.col_info.get(col)
        kept = f' s="{info.column_format._get_xf_index()}"' if info and info.column_format else ""
        return f'<c r="{letters}', f'"{kept} t="inlineStr"><is><t>'


def _is_plain(text: str) -> bool:
    """No blank at an end, no control character, nothing that looks like an escape or markup of XlsxWriter's own."""
    return text.isprintable() and text[:1] not in ("", " ", "<") and text[-1] != " " and "_x" not in text
