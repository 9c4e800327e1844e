"""A sheet that is exported, filled in and read back says what was decided, whatever the names are."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from dbadmin_assets.review.access_review.cells import COLUMNS, DECISIONS, IDENTITY, TO_FILL_IN, shown, typed
from tests.dbadmin_assets.review.access_review.sample import (
    ACCOUNT,
    HOSTILE,
    Report,
    admin,
    fill_workbook,
    filled_csv,
    small,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def test_the_sheet_has_one_row_per_administrator_and_nobody_else(tmp_path: Path) -> None:
    report = small(tmp_path)
    rows = list(csv.reader(io.StringIO(report.csv().decode("utf-8-sig"), newline=""), strict=True))
    assert tuple(rows[0]) == COLUMNS
    assert [row[COLUMNS.index("Username")] for row in rows[1:]] == ["CORP\\dba", "ops@10.%", "root@%"]
    assert {row[COLUMNS.index("Account ID")] for row in rows[1:]} == {ACCOUNT}
    assert report.csv().startswith(b"\xef\xbb\xbf") and report.csv().count(b"\r\n") == 4


def test_a_row_id_is_of_this_report_and_of_no_other(tmp_path: Path) -> None:
    one, other = small(tmp_path), small(tmp_path, code_version="0.1.1")
    assert one.administrators == other.administrators
    ids = [row.row_id for row in one.rows()]
    assert ids == [row.row_id for row in one.rows()]
    assert not set(ids) & {row.row_id for row in other.rows()}


def test_two_accounts_that_read_the_same_have_two_row_ids(tmp_path: Path) -> None:
    report = Report(admin("orders", "a@b@c", rule_id="1"), admin("orders", "a@b@c", rule_id="2"), folder=tmp_path)
    assert len({row.row_id for row in report.rows()}) == 2
    assert len(report.check(filled_csv(report.csv()))) == 2


def test_csv_comes_back_with_the_decisions_in_the_order_of_the_report(tmp_path: Path) -> None:
    report = small(tmp_path)

    def decide(rows: list[dict[str, Any]]) -> None:
        rows.reverse()
        rows[0].update({"Decision": "Remove", "Comment": "left in May;\ndrop", "Owner": "dba@example.com"})

    found = report.check(filled_csv(report.csv(), decide))
    assert [row.principal for row in found] == report.administrators
    assert [row.decision for row in found] == ["keep", "keep", "remove"]
    assert (found[2].comment, found[2].owner) == ("left in May; drop", "dba@example.com")
    assert (found[0].reviewer, found[0].review_date) == ("Dana Doe", "2024-01-18")


@pytest.mark.parametrize("day", ["2024-01-18", date(2024, 1, 18), datetime(2024, 1, 18)])  # noqa: DTZ001 - as openpyxl gives it
def test_a_workbook_comes_back_with_a_date_as_text_or_as_a_real_date(tmp_path: Path, day: Any) -> None:
    report = small(tmp_path)
    data = fill_workbook(report.xlsx(tmp_path / "review.xlsx"), **{"Review Date": day})
    found = report.check(data, "Review.XLSX")
    assert [row.principal for row in found] == report.administrators
    assert {row.review_date for row in found} == {"2024-01-18"}


def test_in_the_workbook_only_what_is_to_be_filled_in_is_unlocked(tmp_path: Path) -> None:
    sheet = load_workbook(small(tmp_path).xlsx(tmp_path / "review.xlsx"))["Access review"]
    open_columns = {
        sheet.cell(1, n).value for n in range(1, len(COLUMNS) + 1) if not sheet.cell(2, n).protection.locked
    }
    assert open_columns == set(TO_FILL_IN)
    assert sheet.protection.sheet and sheet.protection.password is None
    assert not sheet.protection.autoFilter and not sheet.protection.sort  # False: not forbidden
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", "A1:P4")
    lists = {v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"}
    assert lists == {f'"{",".join(DECISIONS)}"'}
    assert all(sheet.cell(2, n).data_type == "s" for n in range(1, len(IDENTITY) + 2))


def test_the_workbook_says_how_to_and_of_which_report(tmp_path: Path) -> None:
    report = small(tmp_path)
    sheet = load_workbook(report.xlsx(tmp_path / "review.xlsx"))["How to"]
    text = {cell for row in sheet.iter_rows(values_only=True) for cell in row}
    assert {report.sha256, "reports/2024/01/15/20240115T150000Z-c0ffee00/"} <= text
    assert any("keep, remove or change" in (cell or "") for cell in text)


def test_hostile_names_are_harmless_in_both_files_and_come_back(tmp_path: Path) -> None:
    report = Report(*(admin("orders", name, access_path=name) for name in HOSTILE), folder=tmp_path)
    data = report.csv()
    for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    found = report.check(filled_csv(data))
    assert sorted(row.principal.username for row in found) == sorted(HOSTILE)

    path = report.xlsx(tmp_path / "review.xlsx")
    sheet = load_workbook(path)["Access review"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert sorted(row.principal.username for row in report.check(fill_workbook(path), "x.xlsx")) == sorted(HOSTILE)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NAMES, min_size=1, max_size=5, unique=True))
def test_any_name_comes_back_from_both_files(tmp_path: Path, names: list[str]) -> None:
    report = Report(*(admin("orders", name) for name in names), folder=tmp_path)
    for found in (
        report.check(filled_csv(report.csv())),
        report.check(fill_workbook(report.xlsx(tmp_path / "review.xlsx")), "review.xlsx"),
    ):
        assert sorted(row.principal.username for row in found) == sorted(names)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"])))
def test_what_a_person_typed_stays_the_same_however_often_it_is_written_and_read(text: str) -> None:
    once = typed(shown(typed(text)))
    assert typed(shown(once)) == once
    if not text.startswith("'"):
        assert once == typed(text)


def test_a_path_longer_than_a_cell_is_cut_and_says_so(tmp_path: Path) -> None:
    report = Report(admin("orders", "x", access_path="r > " * 20_000), folder=tmp_path)
    assert report.rows()[0].cells()[COLUMNS.index("Access Path")].endswith("(cut: the report has all of it)")
    assert len(report.check(fill_workbook(report.xlsx(tmp_path / "review.xlsx")), "review.xlsx")) == 1
    assert len(report.check(filled_csv(report.csv()))) == 1
