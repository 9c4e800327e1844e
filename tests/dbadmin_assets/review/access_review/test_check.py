"""What comes back and is not right is refused, and everything that is wrong is named with its row."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dbadmin_assets.review.access_review.cells import COLUMNS
from dbadmin_assets.review.access_review.errors import SheetError
from tests.dbadmin_assets.review.access_review.sample import Report, admin, fill_workbook, filled_csv, small

Rows = list[dict[str, Any]]
ROOT = "012345678901 us-east-1 orders root@%"  # the third row of the sheet, row 4 of the file


def problems(report: Report, data: bytes, name: str = "review.csv", **other: Any) -> list[str]:
    with pytest.raises(SheetError) as caught:
        report.check(data, name, **other)
    assert caught.value.exit_code == 2
    for problem in caught.value.problems:
        assert problem in caught.value.message
    return caught.value.problems


def last(**cells: str) -> Callable[[Rows], None]:
    names = {name.replace(" ", "_"): name for name in COLUMNS}
    return lambda rows: rows[-1].update({names[name]: cell for name, cell in cells.items()})


CASES: list[tuple[str, Callable[[Rows], Any], list[str]]] = [
    ("a row gone", lambda rows: rows.pop(), [f"a row is missing: {ROOT} (Row ID "]),
    ("a row twice", lambda rows: rows.append(dict(rows[-1])), [f"row 5: it is row 4 again: {ROOT}"]),
    ("a row of elsewhere", lambda rows: rows.append(rows[0] | {"Row ID": "0" * 16}),
     ["row 5: it is not of this report: Row ID 0000000000000000 (012345678901 us-east-1 erp CORP\\dba)"]),
    ("no row id", lambda rows: rows.append({"Comment": "by hand"}), ["row 5: its Row ID is empty ()"]),
    ("a row id as a number", last(Row_ID="1.23457E+15"),
     ["row 4: its Row ID is '1.23457E+15', which a spreadsheet made", f"a row is missing: {ROOT}"]),
    ("no leading zeros", last(Account_ID="12345678901"),
     ["row 4: Account ID is '12345678901', it was '012345678901': a spreadsheet took its leading zeros"]),
    ("scientific", last(Account_ID="1.23457E+10"),
     ["row 4: Account ID is '1.23457E+10', it was '012345678901': a spreadsheet wrote it as a number"]),
    ("scientific, with a comma", last(Account_ID="1,23457E+10"), ["a spreadsheet wrote it as a number"]),
    ("a changed name", last(Username="root@localhost"), ["row 4: Username is 'root@localhost', it was 'root@%'"]),
    ("a changed role", last(Role_Name="User"), ["row 4: Role Name is 'User', it was 'Full Admin (SUPER)'"]),
    ("a blank more", last(Username="root@% "), ["it was 'root@%': blanks were added or taken"]),
    ("a decision that is none", last(Decision="yes"), ["row 4: Decision is 'yes', not one of keep, remove, change"]),
    ("no decision", last(Decision="  "), ["row 4: Decision is empty"]),
    ("no reviewer", last(Reviewer=""), ["row 4: Reviewer is empty"]),
    ("no date", last(Review_Date=""), ["row 4: Review Date is empty"]),
    ("a date of Excel's", last(Review_Date="1/18/2024"), ["row 4: Review Date is '1/18/2024', not a day"]),
    ("no such day", last(Review_Date="2024-02-30"), ["row 4: Review Date is '2024-02-30', not a day"]),
    ("basic form", last(Review_Date="20240118"), ["row 4: Review Date is '20240118', not a day"]),
    ("a number", last(Review_Date="45309"), ["row 4: Review Date is '45309', not a day"]),
    ("in the future", last(Review_Date="2024-01-22"), ["row 4: Review Date 2024-01-22 is in the future"]),
    ("too early", last(Review_Date="2024-01-14"), ["row 4: Review Date 2024-01-14 is before the report was made"]),
    ("remove without a word", last(Decision="remove", Comment=" "), ["row 4: remove needs a Comment"]),
    ("change without a word", last(Decision="change", Comment=""), ["row 4: change needs a Comment"]),
    ("a novel", last(Comment="x" * 4001), ["row 4: Comment has 4,001 characters, more than 4,000"]),
    ("a cell too long", last(Access_Path="x" * 40_000), ["Access Path is", "a cell has more than 32,767 characters"]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_thing_that_is_wrong_is_named_with_its_row(
    tmp_path: Path, change: Callable[[Rows], Any], expected: list[str]
) -> None:
    report = small(tmp_path)
    found = problems(report, filled_csv(report.csv(), change))
    assert len(found) == len(expected)
    for problem, part in zip(found, expected, strict=True):
        assert part in problem


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    report = Report(*(admin("orders", f"u{n}@%") for n in range(70)), folder=tmp_path)

    def spoil(rows: Rows) -> None:
        for number, row in enumerate(rows, 2):
            row.update({"Reviewer": ""} | ({} if number in (5, 9) else {"Decision": ""}))

    assert problems(report, filled_csv(report.csv(), spoil)) == [
        "rows 2 to 4, 6 to 8, 10 to 71: Decision is empty",
        "rows 2 to 71: Reviewer is empty",
    ]


def test_a_login_date_that_excel_rewrote_is_named(tmp_path: Path) -> None:
    report = Report(admin("orders", "x", last_login_date="2024-01-15T10:30:00Z"), folder=tmp_path)
    found = problems(report, filled_csv(report.csv(), last(Last_Login_Date="1/15/2024 10:30")))
    assert found == [
        "row 2: Last Login Date is '1/15/2024 10:30', it was '2024-01-15T10:30:00Z': "
        "a spreadsheet wrote the date in its own way"
    ]


def test_a_sheet_of_another_report_is_told_in_one_sentence(tmp_path: Path) -> None:
    report, other = small(tmp_path), small(tmp_path, code_version="0.1.1")
    assert problems(report, filled_csv(other.csv())) == [
        "it was exported from another report: none of its 3 rows is of this one"
    ]


def test_an_empty_sheet_misses_every_administrator(tmp_path: Path) -> None:
    report = small(tmp_path)
    assert len(problems(report, filled_csv(report.csv(), lambda rows: rows.clear()))) == 3


def test_the_day_is_the_reviewers_own_wherever_on_earth(tmp_path: Path) -> None:
    report = small(tmp_path)
    now = datetime(2024, 1, 20, 12, tzinfo=UTC)
    assert report.check(filled_csv(report.csv(), last(Review_Date="2024-01-21")), now=now)
    assert report.check(filled_csv(report.csv(), last(Review_Date="2024-01-15")), now=now)


@pytest.mark.parametrize(("encoding", "separator"), [
    ("utf-8", ","), ("utf-8-sig", ";"), ("utf-8", ";"), ("utf-16", "\t"), ("utf-8", "\t"), ("utf-16", ","),
])  # fmt: skip
def test_what_excel_makes_of_separator_and_unicode_is_read(tmp_path: Path, encoding: str, separator: str) -> None:
    report = Report(admin("orders", "jürgen;a,b@%"), folder=tmp_path)
    found = report.check(
        filled_csv(report.csv(), last(Comment="schön; ja, \t gut"), encoding=encoding, separator=separator)
    )
    assert [(row.principal.username, row.comment) for row in found] == [("jürgen;a,b@%", "schön; ja, gut")]


def test_the_separator_line_of_excel_is_no_header(tmp_path: Path) -> None:
    report = small(tmp_path)
    data = b"sep=;\r\n" + filled_csv(report.csv(), last(Reviewer=""), encoding="utf-8", separator=";")
    assert problems(report, data) == ["row 5: Reviewer is empty"]


NO_SHEET: list[tuple[str, bytes, str, str]] = [
    ("Windows-1252", "Row ID,Comment\r\nx,schön\r\n".encode("cp1252"), "x.csv", "not UTF-8: perhaps Windows-1252"),
    ("UTF-16 without a mark", "Row ID,Comment\r\n".encode("utf-16-le"), "x.csv", "UTF-16 without its mark"),
    ("odd UTF-16", b"\xff\xfeR\x00o", "x.csv", "damaged UTF-16"),
    ("empty", b"", "x.csv", "its first line is not Row ID"),
    ("no header", b"a,b\r\n1,2\r\n", "x.csv", "its first line is not Row ID"),
    ("an open quote", b'Row ID,Comment\r\n1,"2\r\n', "x.csv", "it is no CSV"),
    ("a workbook called csv", b"PK\x03\x04", "x.csv", "its name must end with .xlsx"),
    ("a csv called xlsx", b"Row ID,Comment\r\n", "x.xlsx", "it is no .xlsx file"),
    ("with a password", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x.xlsx", "it has a password, or is an old .xls"),
    ("nothing", b"", "x.xlsx", "it is no .xlsx file"),
]


@pytest.mark.parametrize(("data", "name", "why"), [case[1:] for case in NO_SHEET], ids=[case[0] for case in NO_SHEET])
def test_a_file_that_cannot_be_read_without_guessing_is_refused(
    tmp_path: Path, data: bytes, name: str, why: str
) -> None:
    assert why in problems(small(tmp_path), data, name)[0]


def test_columns_that_are_missing_added_or_twice_are_named(tmp_path: Path) -> None:
    header = ",".join(title for title in COLUMNS if title != "Decision") + ",Notes,Owner"
    assert problems(small(tmp_path), f"{header}\r\n".encode()) == [
        "row 1: the column Decision is missing",
        "row 1: there is no column 'Notes' in a sheet: what stands there would not be attested",
        "row 1: the column Owner is there twice",
    ]


def test_more_cells_than_columns_are_refused(tmp_path: Path) -> None:
    report = small(tmp_path)
    data = filled_csv(report.csv()).replace(b"as agreed\r\n", b"as agreed,really\r\n", 1)
    assert problems(report, data) == ["row 2: it has more cells than there are columns"]


def packed(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_a_small_file_that_unpacks_to_a_large_one_is_not_unpacked(tmp_path: Path) -> None:
    data = packed(bomb=b"\0" * (520 << 20))
    assert len(data) < 1 << 20
    assert "more than any sheet needs" in problems(small(tmp_path), data, "x.xlsx")[0]
    assert "in 2000 parts" in problems(small(tmp_path), packed(**{f"p{n}": b"" for n in range(2000)}), "x.xlsx")[0]


def test_a_document_type_in_a_workbook_is_refused_unread(tmp_path: Path) -> None:
    text = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    for encoding in ("utf-8", "utf-16"):
        assert "it declares a document type" in problems(small(tmp_path), packed(x=text.encode(encoding)), "x.xlsx")[0]


def test_a_workbook_without_its_parts_or_its_sheet_is_refused(tmp_path: Path) -> None:
    report = small(tmp_path)
    assert "it is no .xlsx file" in problems(report, packed(x=b"<x/>"), "x.xlsx")[0]
    path = report.xlsx(tmp_path / "review.xlsx")
    data = path.read_bytes()
    assert "it is no .xlsx file" in problems(report, data[: len(data) // 2], "x.xlsx")[0]
    renamed = fill_workbook(path, lambda sheet: setattr(sheet, "title", "Sheet1"))
    assert problems(report, renamed, "x.xlsx") == ["it has no sheet 'Access review'"]


def test_a_cell_far_out_in_a_workbook_makes_no_million_columns(tmp_path: Path) -> None:
    report = small(tmp_path)
    data = fill_workbook(report.xlsx(tmp_path / "review.xlsx"), lambda sheet: sheet.cell(2, 16_384, "x"))
    assert report.check(data, "x.xlsx")


def test_numbers_dates_and_formulas_in_a_workbook_are_no_texts_of_the_report(tmp_path: Path) -> None:
    report = small(tmp_path)
    place = {title: number for number, title in enumerate(COLUMNS, 1)}

    def spoil(sheet: Any) -> None:
        sheet.cell(4, place["Account ID"]).value = 12345678901
        sheet.cell(3, place["Review Date"]).value = 45309
        sheet.cell(3, place["Review Date"]).number_format = "General"
        sheet.cell(2, place["Comment"]).value = '=WEBSERVICE("http://x")'  # never calculated: no value
        sheet.cell(2, place["Decision"]).value = "remove"

    found = problems(report, fill_workbook(report.xlsx(tmp_path / "review.xlsx"), spoil), "review.xlsx")
    assert found == [
        "row 2: remove needs a Comment: what is to be done, and by whom",
        "row 3: Review Date is '45309', not a day as 2024-01-15",
        "row 4: Account ID is '12345678901', it was '012345678901': a spreadsheet took its leading zeros",
    ]


def test_too_many_rows_and_too_many_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = small(tmp_path)
    monkeypatch.setattr("dbadmin_assets.review.access_review.check.MOST_ROWS", 2)
    assert problems(report, filled_csv(report.csv())) == ["it has more than 2 rows"]
    workbook = fill_workbook(report.xlsx(tmp_path / "review.xlsx"))
    assert problems(report, workbook, "review.xlsx") == ["it has more than 2 rows"]
    monkeypatch.setattr("dbadmin_assets.review.access_review.check.MOST_BYTES", 10)
    assert "more than any sheet needs" in problems(report, filled_csv(report.csv()))[0]
