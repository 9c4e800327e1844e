"""Worksheets written row by row: formats, titles, filters, and text that stays text whatever it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_range
from xlsxwriter.worksheet import Worksheet

from dbadmin_assets.review.csv_cells import visible
from dbadmin_assets.review.outputs.fast_sheet import FastSheet

LONGEST = 32_767
"""What Excel takes in a cell, in UTF-16 units."""

_POINTS_PER_LINE = 15
_MOST_ROWS = 1_048_576


def cell_text(text: str) -> str:
    """The text as a cell may hold it: nothing invisible, and cut with a word that says so where it is too long."""
    shown = visible(text)
    if len(shown) <= LONGEST // 2 or _units(shown) <= LONGEST:
        return shown
    word = f" [cut here: {len(text)} characters]"
    kept = shown.encode("utf-16-le")[: 2 * (LONGEST - len(word))].decode("utf-16-le", errors="ignore")
    return kept + word


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class Formats:
    """The few formats of a workbook.

    `text` carries Excel's mark for text (quotePrefix): a name like `=1+1` is no formula even after F2 and Enter.
    """

    def __init__(self, book: Workbook) -> None:
        base = {"font_name": "Calibri", "font_size": 11, "valign": "top"}
        rule = {"bottom": 1, "bottom_color": "#9AA5B1"}
        head = {"bold": True, "bg_color": "#E4E9F0", "text_wrap": True, "quote_prefix": True}
        verdict = {"bold": True, "font_size": 18, "font_color": "#FFFFFF", "valign": "vcenter"}
        self.text: Format = book.add_format({**base, "quote_prefix": True})
        self.head: Format = book.add_format({**base, **head, **rule})
        self.number_head: Format = book.add_format({**base, **head, **rule, "align": "right"})
        self.number: Format = book.add_format({**base, "num_format": "#,##0"})
        self.title: Format = book.add_format({**base, "bold": True, "font_size": 18})
        self.section: Format = book.add_format({**base, "bold": True, "font_size": 13, "quote_prefix": True})
        self.complete: Format = book.add_format({**base, **verdict, "bg_color": "#1B6E3C"})
        self.incomplete: Format = book.add_format({**base, **verdict, "bg_color": "#A33B00"})


class Sheet:
    """One worksheet, filled from the top.

    Args:
        title: its name.
        widths: of the columns, in characters.
    """

    def __init__(self, book: Workbook, formats: Formats, title: str, widths: Sequence[int]) -> None:
        self.sheet: Worksheet = book.add_worksheet(title, worksheet_class=FastSheet)
        self.formats = formats
        self.next_row = 0
        self._columns = len(widths)
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width, formats.text)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)  # A4
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_footer("&L&A&RPage &P of &N")

    def write(self, column: int, value: str | int | None, cell_format: Format | None = None) -> None:
        """One cell of the current row; text is never taken for a formula, a link, a number or markup."""
        if isinstance(value, int):
            self.sheet.write_number(self.next_row, column, value, cell_format or self.formats.number)
        elif value:
            self._write_text(column, cell_text(value), cell_format)

    def row(self, values: Iterable[str | int | None], cell_format: Format | None = None, *, lines: float = 0) -> None:
        """One row; None and empty text are empty cells.

        Args:
            lines: its height in lines of plain text; 0 leaves it to the program, which may not look at the fonts.
        """
        if lines:
            self.sheet.set_row(self.next_row, lines * _POINTS_PER_LINE)
        for column, value in enumerate(values):
            self.write(column, value, cell_format)
        self.next_row += 1

    def text_row(self, values: Iterable[str | None]) -> None:
        """The same for text alone: the hot loop of the large sheets."""
        row, write = self.next_row, self.sheet.write_string
        if row >= _MOST_ROWS:
            raise ValueError(
                f"a sheet has no room for more than {_MOST_ROWS:,} rows"
            )  # XlsxWriter would leave them out
        for column, value in enumerate(values):
            if value:
                if len(value) < LONGEST // 2 and value[0] != "<" and value.isprintable():
                    write(row, column, value)
                else:
                    self._write_text(column, cell_text(value), None)
        self.next_row = row + 1

    def table_head(self, titles: Sequence[str], *, note: str | None = None) -> None:
        """The head of a sheet that is one table, two lines high: stays in view, and is printed on every page."""
        if note is not None:
            self.row([note])
            self.next_row += 1
        self._head_at = self.next_row
        self.row(titles, self.formats.head, lines=2)
        self.sheet.freeze_panes(self.next_row, 0)
        self.sheet.repeat_rows(self._head_at)

    def finish_table(self, *, printed_columns: int = 0) -> None:
        """Filters for the rows that were written, and no green corner at digits that are text on purpose.

        Args:
            printed_columns: how many fit on paper; 0 for all.
        """
        last = max(self.next_row - 1, self._head_at)
        self.sheet.autofilter(self._head_at, 0, last, self._columns - 1)
        self.sheet.print_area(0, 0, last, (printed_columns or self._columns) - 1)
        everything = xl_range(0, 0, last, self._columns - 1)
        self.sheet.ignore_errors({"number_stored_as_text": everything})

    def _write_text(self, column: int, text: str, cell_format: Format | None) -> None:
        if not (text.startswith("<r>") and text.endswith("</r>")):
            self.sheet.write_string(self.next_row, column, text, cell_format)
            return
        # XlsxWriter takes such a string for its own rich text, and would write it as XML unescaped: a name could
        # bring cells and formulas of its own. Given as rich text of two parts, it is escaped.
        parts = (text[:1], self.formats.text, text[1:])
        self.sheet.write_rich_string(self.next_row, column, *parts, cell_format or self.formats.text)
