"""The access file: every principal once, honest about status, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from dbadmin_assets.review.access_review.grc import COLUMNS, account_status, grc_lines
from tests.dbadmin_assets.review.access_review.sample import ACCOUNT, HOSTILE, Report, admin, small
from tests.dbadmin_assets.review.samples import FACTS


def read(data: bytes) -> list[dict[str, str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def test_one_row_per_principal_with_what_tools_ask_for(tmp_path: Path) -> None:
    report = small(tmp_path)
    rows = read(b"".join(grc_lines(report.principals, lambda row: "dba@example.com")))
    assert len(rows) == 4
    assert {row["Account name"]: row["Is admin"] for row in rows} == {
        "CORP\\dba": "Yes", "app@%": "No", "ops@10.%": "Yes", "root@%": "Yes",
    }  # fmt: skip
    assert rows[-1] == {
        "Account name": "root@%", "Account owner": "dba@example.com", "Role": "Full Admin (SUPER)", "Status": "Active",
        "System": f"{ACCOUNT}/us-east-1/orders", "Is admin": "Yes", "Permission level": "Admin", "Tier": "0",
        "Last login": "Unknown", "User status": "Active", "Access path": "root@%: SUPER", "AWS account ID": ACCOUNT,
        "AWS account name": "payments", "Region": "us-east-1", "Database": "orders", "Database type": "MySQL",
        "Report time": FACTS,
    }  # fmt: skip
    assert tuple(rows[0]) == COLUMNS


@pytest.mark.parametrize(("said", "engine", "status"), [
    ("Active", "MySQL", "Active"), ("Disabled", "MSSQL", "Inactive"), ("Locked", "MySQL", "Inactive"),
    ("Locked", "MSSQL", "Active"), ("Password Expired", "MySQL", "Active"), ("Unknown", "MSSQL", "Unknown"),
    ("Disabled; Locked", "MSSQL", "Inactive"), ("Locked; Password Expired", "MySQL", "Inactive"),
    ("", "MySQL", "Unknown"), ("something new", "MySQL", "Unknown"),
])  # fmt: skip
def test_inactive_is_only_who_cannot_log_in_and_unknown_stays_unknown(said: str, engine: str, status: str) -> None:
    assert account_status(said, engine) == status


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    report = Report(*(admin("orders", name, access_path=name, role_name=name) for name in HOSTILE), folder=tmp_path)
    for row in read(b"".join(grc_lines(report.principals, lambda row: row.username))):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())
        assert not any("\n" in cell or "\x1b" in cell or "\u202e" in cell for cell in row.values())
