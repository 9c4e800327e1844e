"""LibreOffice opens the CSV and the workbook: values survive, nothing is a formula. Skipped where there is none."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest

from dbadmin_assets.review.detail import COLUMNS
from dbadmin_assets.review.outputs.sheets import cell_text
from tests.dbadmin_assets.review.outputs.made import HOSTILE, Made, hostile_pairs, make
from tests.dbadmin_assets.review.outputs.programs import libreoffice

# Comma, quotes, UTF-8, from the first line; all cells quoted, as shown, no formulas; each sheet a file.
_EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,false,true,false,false,-1"
_AS_CSV = "--infilter=Text - txt - csv (StarCalc):44,34,76,1"
_USERNAME = COLUMNS.index("username")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    # What LibreOffice makes of a cell's last few thousand characters is its own business.
    return make(tmp_path_factory.mktemp("made"), hostile_pairs([name for name in HOSTILE if len(name) < 100]), ["xlsx"])


def test_the_workbooks_values_survive_leading_zeros_included(made: Made, tmp_path: Path) -> None:
    libreoffice(
        tmp_path / "profile", "--convert-to", _EVERY_SHEET, "--outdir", str(tmp_path), str(made.folder / "report.xlsx")
    )  # fmt: skip
    with (tmp_path / "report-Users.csv").open(encoding="utf-8", newline="") as file:
        titles, *rows = csv.reader(file, strict=True)
    assert titles[0] == "Account ID"
    wanted = [row for row in made.details() if row[COLUMNS.index("excluded_by_policy")] is None]
    assert rows == [[cell_text(cell or "") for cell in row] for row in wanted]
    assert {row[0] for row in rows} == {"012345678901"}
    with (tmp_path / "report-Summary.csv").open(encoding="utf-8", newline="") as file:
        assert "INCOMPLETE" in file.read()


def test_the_csvs_values_survive_but_for_leading_zeros(made: Made, tmp_path: Path) -> None:
    csv_file = made.folder / "db-admin-report.csv"
    libreoffice(
        tmp_path / "profile", _AS_CSV, "--convert-to", "xlsx", "--outdir", str(tmp_path), str(csv_file)
    )  # fmt: skip
    (sheet,) = openpyxl.load_workbook(tmp_path / "db-admin-report.xlsx")
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
    rows = [row for row in sheet.iter_rows(values_only=True) if row[0] == 12345678901]
    texts = [cells for cells in made.csv() if not _reads_as_another_value(cells[_USERNAME])]
    assert [row[_USERNAME] for row in rows if isinstance(row[_USERNAME], str)] == [row[_USERNAME] for row in texts]
    assert len(rows) == len(made.csv())


def _reads_as_another_value(cell: str) -> bool:
    """Why the documents say to open the workbook: a spreadsheet makes numbers, dates and truths of a CSV's text."""
    return cell in ("00042", "1e5", "TRUE", "2024-01-15")
