"""The detail rows: raw, in the order of the CSV, excluded principals among them, the same whatever came first."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dbadmin_assets.review.consolidate import Pair, write_csv
from dbadmin_assets.review.csv_cells import neutral
from dbadmin_assets.review.detail import COLUMNS, REPORT_COLUMNS, SCHEMA, DetailFile, detail_rows
from tests.dbadmin_assets.review.samples import AS_OF, delivered, user, worker_request
from tests.dbadmin_assets.review.test_consolidate import every_kind


def written(path: Path, pairs: list[Pair]) -> tuple[list[list[str]], list[dict[str, Any]]]:
    """The data rows of the CSV, and the detail rows."""
    out = io.BytesIO()
    with DetailFile(path) as details:
        write_csv(pairs, out, details=details, flat=True, as_of=AS_OF)
    rows = csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline=""), strict=True)
    data = [row for row in rows if row[0].isdigit()]
    return data, [dict(zip(COLUMNS, row, strict=True)) for row in detail_rows(path)]


def test_the_detail_rows_are_the_csv_rows_raw_and_the_excluded_principals(tmp_path: Path) -> None:
    data, details = written(tmp_path / "x.parquet", every_kind())
    shown = [row for row in details if row["excluded_by_policy"] is None]
    assert [[neutral(row[column]) for column in REPORT_COLUMNS] for row in shown] == data
    assert [row["username"] for row in details if row["excluded_by_policy"]] == ["sa"]
    assert "=cmd|' /C calc'!A0" in {row["username"] for row in details}


def test_what_a_row_says_of_its_database_and_its_principal(tmp_path: Path) -> None:
    request = worker_request({"db": "mssql"})
    details = {
        "login": {"account_details": {"sid": "0x0105", "principal_id": 5}, "tier": "0", "access_path": "a: sysadmin"},
        "contained [app]": {"account_details": {"sid": "0x09", "database": "app"}},
        "keyless": {"account_details": {}},
    }
    users = [user("db", name, engine="mssql", **more) for name, more in details.items()]
    _, rows = written(tmp_path / "x.parquet", [delivered(request, users)])
    by_name = {row["username"]: row for row in rows}
    assert {name: row["principal_id"] for name, row in by_name.items()} == {
        "login": "0x0105",
        "contained [app]": "0x09 [app]",
        "keyless": "keyless",
    }
    login = by_name["login"]
    assert (login["account_name"], login["host"], login["engine"]) == ("payments", "db.internal", "mssql")
    assert (login["engine_version"], login["server_identity"]) == ("8.4.3", "id-db")
    assert (login["tier"], login["access_path"], login["password_changed_at"]) == ("0", "a: sysadmin", None)


def test_a_report_without_rows_is_a_file_with_the_columns(tmp_path: Path) -> None:
    _, rows = written(tmp_path / "x.parquet", [])
    assert rows == []
    assert SCHEMA.names == list(COLUMNS)


@settings(max_examples=30)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=8, unique=True))
def test_any_name_comes_back_as_it_was(tmp_path_factory: Any, names: list[str]) -> None:
    path = tmp_path_factory.mktemp("detail") / "x.parquet"
    request = worker_request({"db": "mysql"})
    data, rows = written(path, [delivered(request, [user("db", name) for name in names])])
    assert sorted(row["username"] for row in rows) == sorted(names)
    assert [neutral(row["username"]) for row in rows] == [row[4] for row in data]
