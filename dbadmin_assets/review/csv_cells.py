"""Cells of the CSV: hostile text made harmless, RFC 4180 quoting, rows of ten cells. Nothing about what they mean.

Account names are chosen by whoever may create accounts, and the report is opened in a spreadsheet. OWASP's
"CSV injection" page lists the characters; `;` is the separator that spreadsheets of many locales split at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

COLUMNS = (
    "Account ID", "Region", "Database Name", "Database Type", "Username",
    "Role Name", "Permission Level", "Last Login Date", "User Status", "Report Timestamp",
)  # fmt: skip
LINE_END = "\r\n"

_STARTS_FORMULA = r"=+\-@\t\r\uff1d\uff0b\uff0d\uff20"
# Before a formula, and before an apostrophe, so that taking one apostrophe away gives the raw text back. Behind a
# `;` a formula may also follow blanks or a quote, for there the spreadsheet no longer sees where our quoting began.
_GUARD = re.compile(rf"\A(?=['{_STARTS_FORMULA}])|(?<=;)(?='|[\"\s]*[{_STARTS_FORMULA}])")
# Control characters, line and paragraph separators, bidirectional marks, surrogates without a partner, and the two
# that are no characters, which XML (so a workbook) forbids.
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]",
)
_PLAIN = re.compile(r"[A-Za-z0-9_%][A-Za-z0-9_.%:/@$# -]*", re.ASCII)
_NEEDS_QUOTES = re.compile(r'[,"\r\n]')

is_plain = _PLAIN.fullmatch
"""Truthy for text that is written as it stands, unquoted: the fast path of nearly every user name."""


def neutral(text: str) -> str:
    """The cell as a spreadsheet may see it: no formula, nothing invisible. Harmless text comes back unchanged."""
    if is_plain(text):
        return text
    return visible(_GUARD.sub("'", text))


def visible(text: str) -> str:
    """The text with what nobody would see as `\\uXXXX`; every output shows names like that, JSON and Parquet apart."""
    if text.isprintable():  # knows none of them, and is quicker than the expression
        return text
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def quoted(cell: str) -> str:
    """The cell inside a line: in quotes where RFC 4180 wants them."""
    if _NEEDS_QUOTES.search(cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def line(cells: Iterable[str]) -> str:
    """One row with its line end, from cells that are neutral already; filled up to ten.

    Raises:
        ValueError: for more than ten cells.
    """
    given = list(cells)
    if len(given) > len(COLUMNS):
        raise ValueError(f"a row has {len(COLUMNS)} cells, not {len(given)}")
    given += [""] * (len(COLUMNS) - len(given))
    return ",".join(map(quoted, given)) + LINE_END


class WrittenCells(dict[str, str]):
    """Raw text to the neutral, quoted cell, each worked out once: roles and statuses repeat in nearly every row.

    Attributes:
        changed: raw texts whose cell differs from them.
    """

    _MOST = 20_000

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[str] = set()

    def __missing__(self, raw: str) -> str:
        cell = neutral(raw)
        if cell != raw:
            self.changed.add(raw)
        self[raw] = written = quoted(cell)
        return written

    def trim(self) -> None:
        """Forget everything once it has grown large, so that memory does not grow with the fleet."""
        if len(self) > self._MOST:
            self.clear()
            self.changed.clear()
