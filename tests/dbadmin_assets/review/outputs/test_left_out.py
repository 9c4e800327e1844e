"""What is too large for a form is left out of it, and the report says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbadmin_assets.review.manifest import LeftOutFile, canonical_json, with_files
from dbadmin_assets.review.manifest_model import read_sealed
from dbadmin_assets.review.outputs import ChangesTable, page, workbook
from tests.dbadmin_assets.review.outputs.made import make
from tests.dbadmin_assets.review.test_consolidate import every_kind

# every_kind has 6 detail rows: 5 users, 2 of them administrators, and 1 excluded principal.


def test_the_limits_are_those_of_the_documents() -> None:
    assert (workbook.MOST_ROWS, page.MOST_ROWS) == (200_000, 20_000)


def test_a_report_below_the_limits_leaves_nothing_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 6)
    monkeypatch.setattr(page, "MOST_ROWS", 5)
    made = make(tmp_path, every_kind())
    assert made.left_out == []
    assert (tmp_path / "report.xlsx").exists()
    assert len(made.page().tables["users"]) == 1 + 5
    assert "does not show everything" not in made.page().text


def test_a_workbook_of_too_many_rows_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 5)
    made = make(tmp_path, every_kind(), ["xlsx"])
    reason = "6 rows are more than 5; report.parquet has them all"
    assert made.left_out == [LeftOutFile("report.xlsx", reason)]
    assert not (tmp_path / "report.xlsx").exists()
    sealed = read_sealed(canonical_json(with_files(made.facts, [], made.left_out)))
    assert [(item.name, item.reason) for item in sealed.left_out] == [("report.xlsx", reason)]


def test_a_page_of_too_many_users_shows_the_administrators_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MOST_ROWS", 4)
    made = make(tmp_path, every_kind())
    (left_out,) = made.left_out
    assert left_out.name == "report.html"
    assert "of 5 users it lists the administrators only" in left_out.reason
    shown = made.page()
    assert left_out.reason in shown.text
    assert "users" not in shown.tables
    assert len(shown.tables["administrators"]) == 1 + 2


def test_a_page_of_too_many_administrators_shows_the_first_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MOST_ROWS", 1)
    made = make(tmp_path, every_kind())
    assert [left_out.reason.partition(":")[0] for left_out in made.left_out][1:] == [
        "of 2 administrators it lists the first 1"
    ]
    assert len(made.page().tables["administrators"]) == 1 + 1
    assert made.left_out[1].reason in made.page().text


def test_a_page_of_too_many_excluded_principals_shows_the_first_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MOST_ROWS", 0)
    made = make(tmp_path, every_kind())
    assert made.left_out[-1].reason == "of 1 excluded principals it lists the first 0"
    assert len(made.page().tables["excluded"]) == 1


def test_too_many_changes_are_cut_where_they_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 7)
    monkeypatch.setattr(page, "MOST_ROWS", 5)
    changes = ChangesTable("since yesterday", ("What",), [(f"change {number}",) for number in range(8)])
    made = make(tmp_path, every_kind(), changes=changes)
    assert made.left_out == [
        LeftOutFile("report.xlsx", "of 8 changes it lists the first 7"),
        LeftOutFile("report.html", "of 8 changes it lists the first 5"),
    ]
    assert made.workbook()["Changes since last report"].max_row == 3 + 7
    assert len(made.page().tables["changes"]) == 1 + 5
    assert "of 8 changes it lists the first 5" in made.page().text


def test_an_unknown_format_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown formats: pdf"):
        make(tmp_path, every_kind(), ["pdf"])
    assert not (tmp_path / "report.xlsx").exists()
