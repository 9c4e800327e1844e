"""Every kind of change, one by one; and what must never be taken for one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dbadmin_assets.review.diff import DATABASE_KINDS, PRINCIPAL_KINDS, as_json, rows, summary
from tests.dbadmin_assets.review.diff.reports import Db, compared, told, told_of_databases, who

KEPT_OUT = {"excluded_by_policy": "sa"}
FAILED = Db(failed="Connection Failed: Timed out")
HERE, ELSEWHERE = ("123456789012", "us-east-1"), ("999999999999", "eu-west-1")

PRINCIPALS: list[tuple[str, dict[str, Any] | None, dict[str, Any] | None, tuple[str, ...]]] = [
    ("added", None, who("x", "0"), ("added",)),
    ("removed", who("x"), None, ("removed",)),
    ("escalated from nothing", who("x"), who("x", "2"), ("escalated",)),
    ("escalated from schema to server", who("x", "2"), who("x", "1"), ("escalated",)),
    ("escalated to administrator", who("x", "1"), who("x", "0"), ("escalated",)),
    ("reduced", who("x", "0"), who("x"), ("reduced",)),
    ("escalated and enabled", who("x", user_status="Disabled"), who("x", "0"), ("escalated", "status-changed")),
    ("another status", who("x"), who("x", user_status="Locked"), ("status-changed",)),
    ("another role of one tier", who("x", "0"), who("x", "0", role_name="Other"), ("rights-changed",)),
    ("another level of one tier", who("x", "1"), who("x", "1", permission_level="FILE"), ("rights-changed",)),
    ("another way to one right", who("x", "0", access_path="a"), who("x", "0", access_path="b"), ()),
    ("a login since", who("x"), who("x", last_login_date="2024-01-15T00:00:00Z"), ()),
    ("renamed", who("y", sid="0x01"), who("x", sid="0x01"), ("renamed",)),
    ("renamed and reduced", who("y", "0", sid="0x01"), who("x", sid="0x01"), ("reduced", "renamed")),
    ("excluded from now on", who("x", "0"), who("x", "0", excluded_by_policy="sa"), ("policy-changed",)),
    ("excluded, and escalated", who("x", **KEPT_OUT), who("x", "0", **KEPT_OUT), ("escalated",)),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "kinds"), [p[1:] for p in PRINCIPALS], ids=[p[0] for p in PRINCIPALS])
def test_a_principal_that_changed(tmp_path: Path, before: Any, after: Any, kinds: tuple[str, ...]) -> None:
    stays = who("stays", "0", sid="0x09")
    sides = [Db([stays, *([one] if one else [])], "mssql") for one in (before, after)]
    comparison = compared(tmp_path, {"db": sides[0]}, {"db": sides[1]})
    assert told(comparison) == ({"x": kinds} if kinds else {})
    assert comparison.databases == ()
    assert {kind: number for kind, number in comparison.counts().items() if number} == dict.fromkeys(kinds, 1)


def test_every_kind_of_principal_has_a_case() -> None:
    assert {kind for case in PRINCIPALS for kind in case[3]} == set(PRINCIPAL_KINDS)


def test_excluded_principals_are_marked(tmp_path: Path) -> None:
    gone = who("sa", "0", excluded_by_policy="engine account")
    comparison = compared(tmp_path, {"db": Db([gone])}, {"db": Db()})
    (change,) = comparison.principals
    assert (change.kinds, change.excluded) == (("removed",), True)
    assert list(rows(comparison, note=""))[-1][14] == "engine account"


def test_a_login_made_again_under_its_old_name_is_another(tmp_path: Path) -> None:
    before, after = (Db([who("dba", "0", sid=sid)], "mssql") for sid in ("0x0A", "0x0B"))
    comparison = compared(tmp_path, {"db": before}, {"db": after})
    assert [(c.kinds, c.principal_id) for c in comparison.principals] == [
        (("added",), "0x0B"),
        (("removed",), "0x0A"),
    ]


def test_the_same_sid_on_two_databases_is_two_principals(tmp_path: Path) -> None:
    one, other = Db([who("x", "0", sid="0x01")], "mssql"), Db([who("x", sid="0x01")], "mssql")
    comparison = compared(tmp_path, {"a": one, "b": other}, {"a": other, "b": one})
    assert [(c.pair.named.name, c.kinds) for c in comparison.principals] == [("b", ("escalated",)), ("a", ("reduced",))]


USERS = Db([who("x", "0"), who("y")])
DATABASES: list[tuple[str, Db | None, Db | None, tuple[str, ...]]] = [
    ("failed now", USERS, FAILED, ("database-failed",)),
    ("failed before", FAILED, USERS, ("database-failed-before",)),
    ("appeared", None, USERS, ("database-appeared",)),
    ("appeared and failed", None, FAILED, ("database-failed", "database-appeared")),
    ("disappeared", USERS, None, ("database-disappeared",)),
    ("failed, then disappeared", FAILED, None, ("database-failed-before", "database-disappeared")),
    ("excluded now", USERS, Db(excluded="no data"), ("database-excluded",)),
    ("excluded before", Db(excluded="no data"), USERS, ("database-included",)),
    ("excluded, then failed", Db(excluded="no data"), FAILED, ("database-failed", "database-included")),
]


@pytest.mark.parametrize(("before", "after", "kinds"), [d[1:] for d in DATABASES], ids=[d[0] for d in DATABASES])
def test_users_of_a_database_that_only_one_report_has_read_are_neither_added_nor_removed(
    tmp_path: Path, before: Db | None, after: Db | None, kinds: tuple[str, ...]
) -> None:
    sides = [{"stays": Db([who("z")]), **({"db": db} if db else {})} for db in (before, after)]
    comparison = compared(tmp_path, *sides)
    assert comparison.principals == ()
    assert told_of_databases(comparison) == {"db": kinds}
    if USERS in (before, after):
        assert "2 users, 1 admins" in list(rows(comparison, note=""))[-1][-1]


def test_the_administrators_of_a_database_that_appeared_are_counted(tmp_path: Path) -> None:
    comparison = compared(tmp_path, {"db": Db()}, {"db": Db(), "new": USERS, "down": FAILED})
    assert summary(comparison) == (
        "no principal changed in the 1 databases that both have read; "
        "1 database failed, 2 databases appeared, 1 admins in what appeared"
    )


def test_what_failed_both_times_is_no_change_and_is_said(tmp_path: Path) -> None:
    comparison = compared(tmp_path, {"db": FAILED}, {"db": FAILED})
    assert not comparison.changed
    nothing = "no principal changed in the 0 databases that both have read"
    assert summary(comparison) == f"{nothing}; 1 not compared, failed both times"
    assert list(rows(comparison, note=""))[-1][0] == "not-compared"
    assert [entry["after"]["name"] for entry in as_json(comparison)["not_compared"]] == ["db"]


def test_visibility_that_changed_is_said_and_missing_principals_may_only_be_unseen(tmp_path: Path) -> None:
    seen, unseen = Db([who("x"), who("y")]), Db([who("x")], partial=True)
    comparison = compared(tmp_path / "1", {"db": seen}, {"db": unseen})
    assert told_of_databases(comparison) == {"db": ("database-partial",)}
    assert told(comparison) == {"y": ("removed",)}
    assert list(rows(comparison, note=""))[-1][-1] == "may only have been unseen: only partly visible now"
    back = compared(tmp_path / "2", {"db": unseen}, {"db": seen})
    assert told_of_databases(back) == {"db": ("database-complete",)}
    assert list(rows(back, note=""))[-1][-1] == "may only have been unseen: only partly visible before"
    both = compared(tmp_path / "3", {"db": unseen}, {"db": unseen})
    assert not both.changed
    assert "missing principals may only be unseen" in as_json(both)["cautions"][0]


@pytest.mark.parametrize("new", [(*HERE, "new"), (*ELSEWHERE, "db")])
def test_an_entry_under_another_name_is_found_by_its_server(tmp_path: Path, new: Any) -> None:
    before = {(*HERE, "db"): Db([who("x"), who("y")], identity="uuid-1")}
    comparison = compared(tmp_path, before, {new: Db([who("x", "0")], identity="uuid-1")})
    assert [c.kinds for c in comparison.databases] == [("database-renamed",)]
    assert told(comparison) == {"x": ("escalated",), "y": ("removed",)}
    note = next(row[-1] for row in rows(comparison, note="") if row[0] == "database-renamed")
    assert note.startswith("before as 123456789012 us-east-1 db: complete, 2 users")


def test_two_entries_of_one_server_are_not_told_apart_by_it(tmp_path: Path) -> None:
    before = {"db": Db([who("x")], identity="uuid-1")}
    after = {name: Db([who("x")], identity="uuid-1") for name in ("a", "b")}
    comparison = compared(tmp_path, before, after)
    assert comparison.principals == ()
    assert told_of_databases(comparison) == {
        "db": ("database-disappeared",), "a": ("database-appeared",), "b": ("database-appeared",),
    }  # fmt: skip


def test_entries_match_by_name_before_their_server(tmp_path: Path) -> None:
    before = {"a": Db([who("x")], identity="1"), "b": Db([who("y")], identity="2")}
    after = {"a": Db([who("x")], identity="2"), "b": Db([who("y")], identity="1")}
    comparison = compared(tmp_path, before, after)
    assert told_of_databases(comparison) == {"a": ("server-changed",), "b": ("server-changed",)}
    assert comparison.principals == ()


def test_a_server_that_changed_is_said_and_its_principals_are_compared(tmp_path: Path) -> None:
    before, after = Db([who("x")], identity="1"), Db([who("x", "0")], identity="2")
    comparison = compared(tmp_path / "1", {"db": before}, {"db": after})
    assert told_of_databases(comparison) == {"db": ("server-changed",)}
    assert told(comparison) == {"x": ("escalated",)}
    engine = compared(tmp_path / "2", {"db": Db([who("x")])}, {"db": Db([who("x")], "mssql")})
    assert told_of_databases(engine) == {"db": ("server-changed",)}


def test_what_was_not_asked_for_did_not_disappear(tmp_path: Path) -> None:
    whole = {(*HERE, "db"): USERS, (*ELSEWHERE, "far"): USERS}
    part = {(*HERE, "db"): USERS}
    for name, asked in {
        "accounts": {"accounts": (HERE[0],), "full_scope": False},
        "regions": {"regions": (HERE[1],), "full_scope": False},
        "partitions": {"full_scope": False},
    }.items():
        comparison = compared(tmp_path / name, whole, part, after_request=asked)
        assert told_of_databases(comparison) == {"far": ("database-not-asked",)}
        assert not comparison.same_scope
        back = compared(tmp_path / f"{name} back", part, whole, before_request=asked)
        assert told_of_databases(back) == {"far": ("database-not-asked-before",)}


def test_a_database_that_left_the_account_asked_for_disappeared(tmp_path: Path) -> None:
    asked = {"accounts": (HERE[0],), "full_scope": False}
    before = {(*HERE, "db"): USERS, (HERE[0], "eu-west-1", "far"): USERS}
    comparison = compared(tmp_path, before, {(*HERE, "db"): USERS}, before_request=asked, after_request=asked)
    assert told_of_databases(comparison) == {"far": ("database-disappeared",)}
    assert comparison.same_scope


def test_every_kind_of_database_change_has_a_case() -> None:
    cases = {kind for case in DATABASES for kind in case[3]}
    alone = {"database-partial", "database-complete", "database-not-asked", "database-not-asked-before",
             "database-renamed", "server-changed"}  # fmt: skip
    assert cases | alone == set(DATABASE_KINDS)


def test_only_some_kinds(tmp_path: Path) -> None:
    before = {"db": Db([who("x"), who("y")]), "gone": USERS}
    comparison = compared(tmp_path, before, {"db": Db([who("x", "0", user_status="Locked")])})
    assert told(comparison.only(["status-changed"])) == {"x": ("escalated", "status-changed")}
    assert comparison.only(["status-changed"]).databases == ()
    assert told_of_databases(comparison.only(["database-disappeared"])) == {"gone": ("database-disappeared",)}
    assert summary(comparison) == "1 escalated, 1 removed, 1 status changed; 1 database disappeared"
