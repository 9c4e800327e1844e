"""A report made of a few rows, and its outputs read back. No behaviour of its own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.escape import unescape

from dbadmin_assets.review.consolidate import Pair, write_csv
from dbadmin_assets.review.detail import COLUMNS, DetailFile, detail_rows
from dbadmin_assets.review.manifest import LeftOutFile
from dbadmin_assets.review.outputs.changes import ChangesTable
from dbadmin_assets.review.outputs.write import write_outputs
from tests.dbadmin_assets.review.samples import AS_OF, delivered, user, worker_request
from tests.dbadmin_assets.review.test_manifest import manifest

HOSTILE = (
    "=cmd|' /C calc'!A0", "=1+1", "@SUM(1+1)", "+1", "-1", "00042", "1e5", "TRUE", "2024-01-15", "http://example.com/",
    "mailto:a@b", "internal:Sheet1!A1", "{=1+1}", "'quoted", '"quoted"', " blanks ", "a;=1+1", "a,b",
    "<script>document.title='x'</script>", "</script><script>document.title='x'</script>", "</td></table><h1>x",
    "<img src=x onerror=\"document.title='x'\">", '" onmouseover="document.title=1', "{{ 1 + 1 }}", "{% raw %}",
    "a&amp;b", "<r><t>only a</t></r>", '<r></r></is></c><c r="A9"><f>1+1</f></c><r></r>', "_x0041_",
    "<!--", "]]>", "%00",
    "new\nline", "tab\there", "bell\x07", "nul\x00", "\u202etxt.exe", "\u2028line", "\x85next", "\ufffe", "\uffff",
    "\U0001f600 smile", "\u00e9\u4e2d\u05d0", "a\\u0041", "x" * 40_000, "\U0001f600" * 20_000,
)  # fmt: skip
"""Names that mean something to a spreadsheet, a browser, a template, XML, a terminal or a line reader."""


@dataclass(frozen=True)
class Made:
    """A report in a folder."""

    folder: Path
    facts: dict[str, Any]
    left_out: list[LeftOutFile]

    def csv(self) -> list[list[str]]:
        """The CSV's data rows."""
        text = (self.folder / "db-admin-report.csv").read_text("utf-8-sig")
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row[0].isdigit()]

    def details(self) -> list[tuple[str | None, ...]]:
        """All rows of the Parquet file."""
        return list(detail_rows(self.folder / "report.parquet"))

    def json(self) -> list[dict[str, Any]]:
        """The objects of report.json; a line is what ends with a line feed."""
        lines = (self.folder / "report.json").read_bytes().split(b"\n")
        assert lines.pop() == b""
        return [json.loads(line) for line in lines]

    def workbook(self) -> openpyxl.Workbook:
        """report.xlsx as Excel shows it: `_x005F_` is an underscore, which openpyxl leaves to its user."""
        book = openpyxl.load_workbook(self.folder / "report.xlsx")
        for cell in (cell for sheet in book for row in sheet.iter_rows() for cell in row):
            if isinstance(cell.value, str) and "_x005F_" in cell.value:
                cell.value, kind = unescape(cell.value), cell.data_type
                cell.data_type = kind
        return book

    def page(self) -> Page:
        """report.html."""
        return Page((self.folder / "report.html").read_text("utf-8"))


class Page(HTMLParser):
    """A page's tables by id, its tags in order, and all text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[str] = []
        self.text = ""
        self._table: list[list[str]] | None = None
        self._cell = False
        self._hidden = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(f"{tag} {' '.join(name for name, _ in attributes)}")
        self._hidden = tag in ("script", "style")
        if tag == "table":
            self._table = self.tables[dict(attributes)["id"] or ""] = []
        elif tag == "tr" and self._table is not None:
            self._table.append([])
        elif tag in ("td", "th") and self._table is not None:
            self._table[-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        if tag == "table":
            self._table = None
        elif tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += data
        if self._cell and self._table is not None:
            self._table[-1][-1] += data


def make(
    folder: Path,
    pairs: list[Pair],
    formats: Sequence[str] = ("json", "html"),
    changes: ChangesTable | None = None,
    **other: Any,
) -> Made:
    """A report of these targets with all its outputs."""
    folder.mkdir(parents=True, exist_ok=True)
    parquet = folder / "report.parquet"
    with (folder / "db-admin-report.csv").open("wb") as out, DetailFile(parquet) as details:
        totals = write_csv(pairs, out, details=details, as_of=AS_OF)
    facts = manifest([record for record, _ in pairs], totals, **other)
    return Made(folder, facts, write_outputs(folder, facts, parquet, changes, formats))


def hostile_pairs(names: Sequence[str] = HOSTILE) -> list[Pair]:
    """One target with hostile text in every place that somebody outside may write to; the last name is excluded."""
    request = worker_request({"=db": "mysql", "<b>two</b>": "mysql"}, account="012345678901")
    users = [
        user(
            "=db", name, role_name=name, permission_level="Admin", access_path=name, user_status="Active",
            excluded_by_policy=name if name == names[-1] else None,
        )
        for name in names
    ]  # fmt: skip
    warnings = [("<b>two</b>", 1, "Incomplete: login lacks <script>document.title='x'</script>")]
    return [delivered(request, users, warnings=warnings)]


def as_row(row: dict[str, Any]) -> tuple[Any, ...]:
    """An object of report.json as `detail_rows` gives it."""
    assert tuple(row) == COLUMNS
    return tuple(row.values())
