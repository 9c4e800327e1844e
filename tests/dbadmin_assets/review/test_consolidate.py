"""The CSV, byte for byte: every kind of row, its order and counts, and what becomes of damaged collections."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbadmin_assets.review.consolidate import Pair, Totals, write_csv
from dbadmin_assets.review.errors import ContradictionError, OrderError
from dbadmin_assets.review.records import DeclaredDatabase, ExcludedDatabase, TargetRecord
from dbadmin_assets.review.verdict import failure
from tests.dbadmin_assets.review.samples import (
    AS_OF,
    ENDED,
    STARTED,
    answer,
    delivered,
    encoded,
    found,
    judged,
    record,
    user,
    worker_request,
)
from worker_lambda.contract import Reason

HEADER = (
    "\ufeffAccount ID,Region,Database Name,Database Type,Username,Role Name,Permission Level,Last Login Date,"
    "User Status,Report Timestamp"
)


def report(pairs: list[Pair], **options: Any) -> tuple[str, Totals]:
    out = io.BytesIO()
    totals = write_csv(pairs, out, as_of=AS_OF, **options)
    data = out.getvalue()
    assert (totals.csv_sha256, totals.csv_size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    return data.decode("utf-8"), totals


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


def every_kind() -> list[Pair]:
    """Two accounts: data, hostile names, partial, failed, empty, excluded, no verdict at all."""
    leading_zero = worker_request({"ledger": "mysql"}, account="012345678901", region="eu-west-1")
    east = worker_request({"prod-mssql-01": "mssql", "prod-mssql-02": "mssql", "prod-mysql-02": "mysql"})
    west = worker_request({"prod-mssql-01": "mssql", "empty": "mysql"}, region="us-west-2")
    lost = worker_request({"=lost": "mysql"}, region="us-west-9")
    refused = failure(leading_zero, Reason.CANNOT_ASSUME_ROLE, "denied", started_at=STARTED, ended_at=ENDED, attempts=0)
    admin = {
        "engine": "mssql", "role_name": "System Admin (sysadmin)", "permission_level": "Admin",
        "last_login_date": "2024-01-15T10:30:00Z",
    }  # fmt: skip
    return [
        (record(leading_zero, refused, excluded=(ExcludedDatabase("scratch", "mysql", "ticket 123"),)), None),
        delivered(
            east,
            [
                user("prod-mssql-01", "admin", **admin),
                user("prod-mssql-01", "=cmd|' /C calc'!A0", engine="mssql", user_status="Disabled; Locked"),
                user("prod-mssql-01", "sa", engine="mssql", permission_level="Admin", excluded_by_policy="sid 0x01"),
                user("prod-mssql-02", 'O"Brien, A', engine="mssql", role_name="User"),
            ],
            failed={"prod-mysql-02": Reason.AUTHENTICATION_FAILED},
            warnings=[
                ("prod-mssql-02", 3, "Excluded account is an enabled administrator: sa"),
                ("prod-mssql-02", 1, "Incomplete: login lacks VIEW ANY DEFINITION"),
            ],
        ),
        delivered(
            west,
            [user("prod-mssql-01", "admin", **admin), user("prod-mssql-01", "zoe", engine="mssql")],
            same_servers=(("prod-mssql-01", "ledger in 012345678901 eu-west-1"),),
        ),
        (record(lost, None), None),
    ]


GOLDEN = [
    HEADER,
    "ACCOUNT: 012345678901,1 regions,1 databases,,0 users,0 admins,,,1 failed; 0 partial,2024-01-15T14:25:00Z",
    "ERROR: 012345678901,eu-west-1,ledger,MySQL,Worker Failed: Cannot assume role,2024-01-15T14:25:00Z,,,,",
    "ACCOUNT: 123456789012,3 regions,6 databases,,5 users,2 admins,,,2 failed; 1 partial,2024-01-15T15:00:00Z",
    "123456789012,us-east-1,prod-mssql-01,MSSQL,'=cmd|' /C calc'!A0,Limited User,User,Unknown,Disabled; Locked,"
    "2024-01-15T14:22:33Z",
    "123456789012,us-east-1,prod-mssql-01,MSSQL,admin,System Admin (sysadmin),Admin,2024-01-15T10:30:00Z,Active,"
    "2024-01-15T14:22:33Z",
    "123456789012,us-west-2,prod-mssql-01,MSSQL,admin,System Admin (sysadmin),Admin,2024-01-15T10:30:00Z,Active,"
    "2024-01-15T14:22:33Z",
    "123456789012,us-west-2,prod-mssql-01,MSSQL,zoe,Limited User,User,Unknown,Active,2024-01-15T14:22:33Z",
    '123456789012,us-east-1,prod-mssql-02,MSSQL,"O""Brien, A",User,User,Unknown,Active,2024-01-15T14:22:33Z',
    "WARNING: 123456789012,us-west-2,empty,MySQL,No accounts to list,2024-01-15T14:22:33Z,,,,",
    "WARNING: 123456789012,us-west-2,prod-mssql-01,MSSQL,Same server as ledger in 012345678901 eu-west-1,"
    "2024-01-15T14:22:33Z,,,,",
    "WARNING: 123456789012,us-east-1,prod-mssql-02,MSSQL,Incomplete: login lacks VIEW ANY DEFINITION; "
    "Excluded account is an enabled administrator: sa,2024-01-15T14:22:33Z,,,,",
    "ERROR: 123456789012,us-west-9,'=lost,MySQL,Worker Failed: Result missing,2024-01-15T15:00:00Z,,,,",
    "ERROR: 123456789012,us-east-1,prod-mysql-02,MySQL,Connection Failed: Authentication failed,"
    "2024-01-15T14:23:00Z,,,,",
]


def test_a_report_with_every_kind_of_row_byte_for_byte() -> None:
    text, totals = report(every_kind())
    assert text.split("\r\n") == [*GOLDEN, ""]
    assert (totals.targets, totals.databases, totals.complete, totals.partial, totals.failed) == (4, 7, 3, 1, 3)
    assert (totals.users, totals.admins, totals.excluded, totals.excluded_principals) == (5, 2, 1, 1)
    assert totals.changed_cells == 2
    assert totals.per_target[1].excluded_principals == {"prod-mssql-01": ("sa",)}
    assert [t.status for t in totals.per_target] == ["failed", "partial", "complete", "failed"]


def test_flat_leaves_out_the_section_rows_and_nothing_else() -> None:
    text, totals = report(every_kind(), flat=True)
    assert text.split("\r\n") == [*(line for line in GOLDEN if not line.startswith("ACCOUNT:")), ""]
    assert totals.users == 5


def test_every_row_has_ten_cells() -> None:
    assert {len(row) for row in rows(report(every_kind())[0])} == {10}


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_inside_the_objects_changes_no_byte(chance: random.Random) -> None:
    shuffled: list[Pair] = []
    for target, data in every_kind():
        if data is None or target.outcome is None:
            shuffled.append((target, data))
            continue
        value = json.loads(data)
        for field in ("databaseConnections", "adminUsers", "warnings", "errors"):
            chance.shuffle(value[field])
        request = worker_request({d.name: d.engine for d in target.declared}, region=target.region)
        outcome = judged(request, value)
        shuffled.append((msgspec.structs.replace(target, outcome=outcome), encoded(value)))
    assert report(shuffled)[0] == report(every_kind())[0]


hostile = st.text(st.sampled_from("=+-@\t\r\n;'\",\u202e\uff1d\x00 ab|!"), min_size=1, max_size=12)


@settings(max_examples=60)
@given(st.lists(st.tuples(hostile, hostile, hostile, hostile), max_size=6), hostile)
def test_hostile_accounts_come_out_as_as_many_harmless_rows(values: list[tuple[str, str, str, str]], host: str) -> None:
    request = worker_request({"db": "mysql"})
    users = [
        user("db", name, role_name=role, permission_level=level, last_login_date=login, user_status=host)
        for name, role, level, login in values
    ]
    table = rows(report([delivered(request, users)], flat=True)[0])[1:]
    data = [row for row in table if row[0] == "123456789012"]
    assert len(data) == len(values) and {len(row) for row in table} == {10}
    assert [(r[2], r[4]) for r in data] == sorted((r[2], r[4]) for r in data)
    for cell in (cell for row in data for cell in row):
        assert not cell.startswith(tuple("=+-@\t\r\uff1d")) and not set(cell) & set("\t\r\n\x00\u202e")


def test_changed_cells_are_counted_one_by_one() -> None:
    users = [user("=db", f"u{n}", role_name="=r", permission_level="+p") for n in range(3)] + [user("=db", "-x")]
    totals = report([delivered(worker_request({"=db": "mysql"}), users)])[1]
    assert totals.changed_cells == 4 + 3 * 2 + 1


def test_a_database_without_accounts_says_so_once_even_if_the_worker_said_it() -> None:
    request = worker_request({"db": "mysql"})
    text, _ = report([delivered(request, [], warnings=[("db", 6, "No accounts to list")])], flat=True)
    assert [row[4] for row in rows(text)[1:]] == ["No accounts to list"]


@pytest.mark.parametrize("change", [b" ", b"", b"x"])
def test_an_object_that_changed_after_its_verdict_gives_error_rows_only(change: bytes) -> None:
    request = worker_request({"a": "mysql", "b": "mysql"})
    target, data = delivered(request, [user("a", "root@%")], failed={"b": Reason.CONNECT_TIMED_OUT})
    text, totals = report([(target, data + change if change else b"")], flat=True)
    assert [(row[0], row[2], row[4], row[5]) for row in rows(text)[1:]] == [
        ("ERROR: 123456789012", "a", "Worker Failed: Invalid answer", AS_OF),
        ("ERROR: 123456789012", "b", "Worker Failed: Invalid answer", AS_OF),
    ]
    assert (totals.users, totals.failed) == (0, 2)


def test_an_object_that_is_gone_costs_its_rows_and_keeps_the_known_reasons() -> None:
    request = worker_request({"a": "mysql", "b": "mysql"})
    target, _ = delivered(request, [user("a", "root@%")], failed={"b": Reason.CONNECT_TIMED_OUT})
    text, _ = report([(target, None)], flat=True)
    assert [(row[2], row[4]) for row in rows(text)[1:]] == [
        ("a", "Worker Failed: Result missing"),
        ("b", "Connection Failed: Timed out"),
    ]


def test_a_refused_object_is_never_read_again() -> None:
    request = worker_request({"a": "mysql"})
    data = encoded(answer(request, [user("a", "root@%")]) | {"region": "eu-west-1"})
    text, _ = report([(record(request, judged(request, data)), data)], flat=True)
    assert [row[4] for row in rows(text)[1:]] == ["Worker Failed: Invalid answer"]


def test_a_database_declared_after_the_verdict_is_missing_and_one_no_longer_declared_is_listed() -> None:
    request = worker_request({"kept": "mysql", "dropped": "mysql", "moved": "mysql"})
    users = [user(name, "x") for name in ("kept", "dropped", "moved")]
    target, data = delivered(request, users, warnings=[("moved", 1, "Incomplete: login lacks X")])
    declared = (DeclaredDatabase("new", "mssql"), DeclaredDatabase("kept", "mysql"), DeclaredDatabase("moved", "mssql"))
    text, totals = report([(msgspec.structs.replace(target, declared=declared), data)], flat=True)
    assert [(row[0], row[2], row[4]) for row in rows(text)[1:]] == [
        ("123456789012", "kept", "x"),
        ("ERROR: 123456789012", "moved", "Worker Failed: Result missing"),
        ("ERROR: 123456789012", "new", "Worker Failed: Result missing"),
    ]
    assert totals.per_target[0].undeclared == ("dropped", "moved")


def test_a_verdict_and_its_object_that_count_differently_are_refused() -> None:
    request = worker_request({"a": "mysql"})
    target, data = delivered(request, [user("a", "x")])
    assert target.outcome is not None
    other = encoded(answer(request, [user("a", "x"), user("a", "y")]))
    outcome = msgspec.structs.replace(target.outcome, object=found(request, other))
    with pytest.raises(ContradictionError, match="says 1 users and 0 admins"):
        report([(record(request, outcome), other)])
    rubbish = msgspec.structs.replace(target.outcome, object=found(request, b"<html>"))
    with pytest.raises(ContradictionError, match="was judged valid and cannot be read"):
        report([(record(request, rubbish), b"<html>")])
    assert data


@pytest.mark.parametrize("order", [(1, 0), (0, 0), (2, 1), (0, 2, 1)])
def test_targets_out_of_order_or_twice_are_refused(order: tuple[int, ...]) -> None:
    places = [("111111111111", "eu-west-1"), ("111111111111", "us-east-1"), ("222222222222", "af-south-1")]
    pairs: list[Pair] = [
        (record(worker_request({"a": "mysql"}, account=a, region=r), None), None) for a, r in (places[i] for i in order)
    ]
    with pytest.raises(OrderError):
        report(pairs)


def test_a_report_time_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="does not match"):
        write_csv([], io.BytesIO(), as_of="2024-01-15 14:22:33")


def test_an_account_with_nothing_but_excluded_databases_still_has_its_section() -> None:
    target = record(worker_request({}), None, excluded=(ExcludedDatabase("x", "mysql", "why"),))
    assert report([(target, None)])[0].split("\r\n")[1] == (
        f"ACCOUNT: 123456789012,0 regions,0 databases,,0 users,0 admins,,,0 failed; 0 partial,{AS_OF}"
    )


def test_memory_grows_with_the_largest_account_and_not_with_their_number() -> None:
    def peak(accounts: int) -> int:
        sink = _Sink()
        tracemalloc.start()
        try:
            totals = write_csv(_fleet(accounts), sink, as_of=AS_OF)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            assert totals.users == accounts * 300

    few, many = peak(3), peak(60)
    assert many < 1.5 * few


class _Sink:
    def write(self, data: bytes, /) -> None:
        """Forgets."""


def _fleet(accounts: int) -> Iterator[tuple[TargetRecord, bytes]]:
    for number in range(accounts):
        request = worker_request({"db": "mysql"}, account=f"{number:012d}")
        yield delivered(request, [user("db", f"u{n}-{number}") for n in range(300)])
