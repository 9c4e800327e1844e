"""No output says something else than the CSV: the same rows, in the same order, each as its form shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dbadmin_assets.review.consolidate import Pair
from dbadmin_assets.review.csv_cells import neutral, visible
from dbadmin_assets.review.detail import COLUMNS, REPORT_COLUMNS
from dbadmin_assets.review.outputs.sheets import cell_text
from tests.dbadmin_assets.review.outputs.made import as_row, hostile_pairs, make
from tests.dbadmin_assets.review.test_consolidate import every_kind

EXCLUDED = COLUMNS.index("excluded_by_policy")


@pytest.mark.parametrize("pairs", [every_kind, hostile_pairs])
def test_every_output_has_the_rows_of_the_csv(tmp_path: Path, pairs: Callable[[], list[Pair]]) -> None:
    made = make(tmp_path, pairs())
    rows = [row for row in made.details() if row[EXCLUDED] is None]
    ten = [[cell or "" for cell in row[: len(REPORT_COLUMNS)]] for row in rows]
    assert len(rows) == made.facts["counts"]["users"] > 0
    assert made.csv() == [[neutral(cell) for cell in row] for row in ten]
    assert [as_row(row) for row in made.json() if row["excluded_by_policy"] is None] == rows
    assert made.page().tables["users"][1:] == [[visible(cell) for cell in row] for row in ten]
    sheet = made.workbook()["Users"]
    found = [tuple(cell or "" for cell in row) for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert found == [tuple(cell_text(cell or "") for cell in row) for row in rows]


@pytest.mark.parametrize("pairs", [every_kind, hostile_pairs])
def test_excluded_principals_and_administrators_are_the_same_in_workbook_and_page(
    tmp_path: Path, pairs: Callable[[], list[Pair]]
) -> None:
    made = make(tmp_path, pairs())
    level, name = COLUMNS.index("permission_level"), COLUMNS.index("username")
    admins = [row[name] or "" for row in made.details() if row[level] == "Admin" and row[EXCLUDED] is None]
    excluded = [row[name] or "" for row in made.details() if row[EXCLUDED] is not None]
    assert len(admins) == made.facts["counts"]["admins"] > 0
    assert len(excluded) == made.facts["counts"]["excludedPrincipals"] > 0
    book, page = made.workbook(), made.page()
    for names, sheet, table in (
        (admins, "Administrators", "administrators"),
        (excluded, "Excluded principals", "excluded"),
    ):
        shown = [row[name] for row in book[sheet].iter_rows(min_row=2, values_only=True)]
        assert shown == [cell_text(text) for text in names]
        assert [row[4] for row in page.tables[table][1:]] == [visible(text) for text in names]
