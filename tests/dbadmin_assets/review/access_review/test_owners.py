"""The owners file: the most specific row wins, and everything that is wrong with it is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbadmin_assets.review.access_review.errors import OwnersError
from dbadmin_assets.review.access_review.owners import read_owners
from tests.dbadmin_assets.review.access_review.sample import ACCOUNT, admin, login, small
from tests.dbadmin_assets.review.access_review.sample import Report as MakeReport

HEADER = "account_id,region,database,username,owner\n"


def test_the_most_specific_row_wins_wherever_it_stands(tmp_path: Path) -> None:
    report = MakeReport(
        admin("orders", "root@%"), admin("orders", "ops@%"), login("CORP\\dba", "0x1"), login("root@%", "0x2"),
        folder=tmp_path,
    )  # fmt: skip
    owners = read_owners(
        f"{HEADER},,,root@%,security\n{ACCOUNT},,,,account\n,us-east-1,orders,,orders\n"
        f"{ACCOUNT},us-east-1,erp,root@%,one\n,,,nobody,unused\n,,,,all\n".encode()
    )
    found = {(row.database_name, row.username): owners.of(row) for row in report.administrators}
    assert found == {
        ("orders", "root@%"): "security", ("orders", "ops@%"): "orders",
        ("erp", "CORP\\dba"): "account", ("erp", "root@%"): "one",
    }  # fmt: skip
    assert owners.unused == {6, 7}


def test_who_is_meant_by_no_row_has_the_inventorys_owner(tmp_path: Path) -> None:
    report = small(tmp_path)
    owners = read_owners(f"{HEADER},,erp,,dba@example.com\n".encode())
    assert [row.prefilled.owner for row in report.rows(owners=owners)] == ["dba@example.com", "", ""]


def test_a_file_that_excel_saved_is_read(tmp_path: Path) -> None:
    data = f"{HEADER};;erp;;jörg\n".replace(",", ";").encode("utf-8-sig")
    assert read_owners(data).of(small(tmp_path).administrators[0]) == "jörg"


def test_every_problem_is_listed_with_its_line() -> None:
    lines = [
        "12345678901,us-east-1,,,a", "1.23457E+11,us-east-1,,,a", "prod,Ohio,,,a", ",,db,, ", f"{ACCOUNT},,,,a",
        f"{ACCOUNT},,,,b", ",,,", "",
    ]  # fmt: skip
    with pytest.raises(OwnersError) as caught:
        read_owners((HEADER + "\n".join(lines)).encode())
    why = "; did a spreadsheet take its leading zeros or write it as a number?"
    assert caught.value.problems == [
        f"line 2: account_id '12345678901' is not twelve digits{why}",
        f"line 3: account_id '1.23457E+11' is not twelve digits{why}",
        "line 4: account_id 'prod' is not twelve digits",
        "line 4: region 'Ohio' is not an AWS region, as us-east-1 is",
        "line 5: the owner is empty",
        "line 7: it selects the same as line 6",
    ]
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("data", "why"), [
    (b"account,region,database,username,owner\n", "line 1: there is no column 'account'"),
    (b"region,owner\n", "line 1: the column account_id is missing"),
    (b"account_id,owner,owner,region,database,username\n", "line 1: the column owner is there twice"),
    (HEADER.encode() + b",,,x,y,z\n", "line 2: it has 6 cells, not 5"),
    (HEADER.encode() + b",,,\xfc,y\n", "not UTF-8"),
    (b"", "its first line is not account_id"),
])  # fmt: skip
def test_what_is_no_owners_file_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(OwnersError, match=why):
        read_owners(data)
