"""report.xlsx read back: sheets, titles, filters, text that stays text, equal bytes for equal input."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter.worksheet import Worksheet

from dbadmin_assets.review.csv_cells import COLUMNS as REPORT_TITLES
from dbadmin_assets.review.detail import COLUMNS
from dbadmin_assets.review.outputs import ChangesTable, sheets
from dbadmin_assets.review.outputs.sheets import LONGEST, cell_text
from tests.dbadmin_assets.review.outputs.made import HOSTILE, Made, hostile_pairs, make
from tests.dbadmin_assets.review.samples import AS_OF, delivered, requested, user, worker_request
from tests.dbadmin_assets.review.test_consolidate import every_kind

SHEETS = [
    "Summary", "Users", "Administrators", "Failures and warnings", "Excluded principals", "Changes since last report",
    "About this evidence",
]  # fmt: skip


def values(made: Made, sheet: str) -> list[list[Any]]:
    return [[cell for cell in row if cell is not None] for row in made.workbook()[sheet].iter_rows(values_only=True)]


def texts(made: Made, sheet: str) -> list[str]:
    return [str(cell) for row in values(made, sheet) for cell in row]


def xml(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_sheets_and_their_heads(tmp_path: Path) -> None:
    book = make(tmp_path, every_kind()).workbook()
    assert book.sheetnames == SHEETS
    for name, rows in (("Users", 5), ("Administrators", 2), ("Excluded principals", 1)):
        sheet = book[name]
        titles = [cell.value for cell in sheet[1]]
        assert titles[:10] == list(REPORT_TITLES)
        assert len(titles) == len(COLUMNS)
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == f"A1:AA{rows + 1}"
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.max_row == rows + 1
        assert 12 < sheet.column_dimensions["A"].width < 60


def test_the_summary_says_incomplete_its_scope_and_the_sum(tmp_path: Path) -> None:
    made = make(tmp_path, every_kind(), full_scope=False)
    said = texts(made, "Summary")
    assert said[1] == "INCOMPLETE"
    assert "Scope: PART OF THE INVENTORY ONLY." in said[:6]
    assert "8 databases declared = 3 complete + 1 partial + 3 failed + 1 excluded" in said
    assert ["123456789012", "payments", 6, 2, 1, 5, 2] in values(made, "Summary")
    assert ["mssql", 5, 2] in values(made, "Summary")
    assert sum(name.startswith("xl/charts/chart") for name in xml(tmp_path / "report.xlsx")) == 2


def test_the_summary_of_a_complete_report_says_complete(tmp_path: Path) -> None:
    made = make(tmp_path, [delivered(worker_request({"db": "mysql"}), [user("db", "x")])])
    said = texts(made, "Summary")
    assert said[1] == "COMPLETE"
    assert "Scope: The whole inventory." in said


def test_failures_warnings_and_what_is_not_covered_are_named(tmp_path: Path) -> None:
    made = make(tmp_path, every_kind())
    assert [row[0] for row in values(made, "Failures and warnings")[1:]] == [
        "Failed", "Failed", "Failed", "Partly visible", "Warning", "Warning", "Excluded by the inventory",
    ]  # fmt: skip
    assert [
        "Failed",
        "012345678901",
        "payments",
        "eu-west-1",
        "ledger",
        "MySQL",
        "Worker Failed: Cannot assume role",
    ] in [row[:7] for row in values(made, "Failures and warnings")]


def test_a_database_that_is_not_declared_any_more_is_named(tmp_path: Path) -> None:
    from dbadmin_assets.review.outputs.workbook import write_workbook

    made = make(tmp_path, every_kind())
    facts = made.facts | {"notDeclared": [{"accountId": "123456789012", "region": "us-east-1", "name": "gone"}]}
    write_workbook(tmp_path / "report.xlsx", facts, tmp_path / "report.parquet", None)
    assert values(made, "Failures and warnings")[-1][:4] == [
        "Not declared any more",
        "123456789012",
        "us-east-1",
        "gone",
    ]


def test_who_asked_what_the_report_cannot_see_and_how_to_verify_it(tmp_path: Path) -> None:
    made = make(tmp_path, every_kind())
    said = " ".join(texts(made, "About this evidence"))
    for wanted in (
        "alice@laptop",
        "assumed-role/db-admin-report-orchestrator",
        "ab" * 32,
        "db-admin-report verify",
        AS_OF,
    ):
        assert wanted in said
    assert set(made.facts["outsideThePopulation"]) < set(texts(made, "About this evidence"))


def test_many_requests_of_one_person_are_told_once(tmp_path: Path) -> None:
    """A backfill has as many requests as it has partitions."""
    pairs = every_kind()
    requests = [
        requested(*(record for record, _ in pairs), run_id=f"run-{n}", requested_at=f"2024-01-15T14:20:{n:02d}Z")
        for n in range(30)
    ]  # fmt: skip
    made = make(tmp_path, pairs, requests=requests)
    said = values(made, "About this evidence")
    assert [
        "Requested by (as asserted)",
        "alice@laptop, 2024-01-15T14:20:00Z to 2024-01-15T14:20:29Z, 30 requests",
    ] in said
    assert len([row for row in said if row[:1] == ["Inventory"]]) == 1
    assert len([row for row in said if row[:1] == ["Run that collected"]]) == 20
    assert ["Runs that collected", "29 in all, which manifest.json names"] in said
    assert made.page().text.count("alice@laptop") == 2


def test_changes_are_a_sheet_and_none_are_said(tmp_path: Path) -> None:
    none = make(tmp_path / "none", every_kind())
    assert texts(none, "Changes since last report") == ["Not compared with an earlier report"]
    table = ChangesTable("Compared with =1+1", ("What", "Username"), [("added", "=2+2"), ("removed", None)])
    made = make(tmp_path / "some", every_kind(), changes=table)
    assert values(made, "Changes since last report") == [
        ["Compared with =1+1"], [], ["What", "Username"], ["added", "=2+2"], ["removed"],
    ]  # fmt: skip
    assert made.workbook()["Changes since last report"].auto_filter.ref == "A3:B5"


def test_whatever_a_name_is_its_cell_is_text(tmp_path: Path) -> None:
    made = make(tmp_path, hostile_pairs())
    for sheet in made.workbook():
        for row in sheet.iter_rows():
            kinds = {cell.data_type for cell in row if cell.value is not None}
            assert kinds <= ({"s", "inlineStr", "n"} if sheet.title == "Summary" else {"s", "inlineStr"})
            assert not any(cell.hyperlink for cell in row)
    users = made.workbook()["Users"]
    assert {cell.value for cell in users["A"][1:]} == {"012345678901"}
    assert {cell.value for cell in users["E"][1:]} == {cell_text(name) for name in HOSTILE[:-1]}
    assert all(cell.quotePrefix for cell in users["E"][1:])


def test_no_name_becomes_markup_of_the_workbook(tmp_path: Path) -> None:
    """XlsxWriter takes text like `<r>…</r>` for markup of its own: it must come back as the name it is."""
    made = make(tmp_path, hostile_pairs())
    for name, text in xml(tmp_path / "report.xlsx").items():
        if name.startswith("xl/worksheets/sheet"):
            assert "<f>" not in text
    assert "xl/externalLinks" not in " ".join(xml(tmp_path / "report.xlsx"))
    names = {cell.value for cell in made.workbook()["Users"]["E"][1:]}
    assert {name for name in HOSTILE if name.startswith("<r>")} < names


def test_the_short_way_for_plain_text_writes_what_xlsxwriter_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "short", hostile_pairs(), [])
    monkeypatch.setattr(sheets, "FastSheet", Worksheet)
    make(tmp_path / "long", hostile_pairs(), [])
    assert xml(tmp_path / "short" / "report.xlsx") == xml(tmp_path / "long" / "report.xlsx")


def test_text_that_is_too_long_for_a_cell_is_cut_and_says_so() -> None:
    for text in ("x" * 40_000, "\U0001f600" * 20_000, "\x00" * 10_000, "x" + "\U0001f600" * 20_000):
        cut = cell_text(text)
        assert cut.endswith(f" [cut here: {len(text)} characters]")
        assert LONGEST - 1 <= len(cut.encode("utf-16-le")) // 2 <= LONGEST
    assert cell_text("x" * LONGEST) == "x" * LONGEST


def test_equal_input_gives_equal_bytes_with_the_reports_time(tmp_path: Path) -> None:
    made = [make(tmp_path / name, every_kind()).folder / "report.xlsx" for name in ("a", "b")]
    assert made[0].read_bytes() == made[1].read_bytes()
    assert xml(made[0])["docProps/core.xml"].count(AS_OF) == 2
    assert sorted(path.name for path in made[0].parent.iterdir()) == [
        "db-admin-report.csv", "report.html", "report.json", "report.parquet", "report.xlsx",
    ]  # fmt: skip


@pytest.mark.parametrize("pairs", [[], [delivered(worker_request({"db": "mysql"}), [])]])
def test_a_report_without_rows_is_a_workbook_too(tmp_path: Path, pairs: list[Any]) -> None:
    made = make(tmp_path, pairs, requests=None if pairs else [])
    assert made.workbook()["Users"].max_row == 1


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=8, unique=True))
def test_any_name_comes_back_as_it_is_shown(tmp_path_factory: Any, names: list[str]) -> None:
    request = worker_request({"db": "mysql"})
    made = make(tmp_path_factory.mktemp("xlsx"), [delivered(request, [user("db", name) for name in names])], [])
    assert sorted(cell.value for cell in made.workbook()["Users"]["E"][1:]) == sorted(map(cell_text, names))
