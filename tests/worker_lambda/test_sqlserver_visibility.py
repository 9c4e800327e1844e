"""Principals that a DENY hides from the reader: fewer rows and no error, unless one asks for the DENY."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.recorded import RECORDED
from worker_lambda.privileges.sqlserver import evaluate
from worker_lambda.privileges.sqlserver_catalogue import parse
from worker_lambda.privileges.sqlserver_gaps import gaps, hidden_from_reader
from worker_lambda.privileges.sqlserver_tiers import Tiers
from worker_lambda.result_object import WARNING_EXCLUDED_ADMIN, WARNING_INCOMPLETE_DATABASES, WARNING_NO_ACCOUNTS

READER = "audit_reader"


def server() -> ServerBuilder:
    return ServerBuilder().reader(READER).login("alice").login("bob").role("r_dba", roles=("sysadmin",))


def hidden(builder: ServerBuilder, *, gone: tuple[str, ...] = ()) -> list[str]:
    """Names of the hidden principals; those in `gone` are not in the catalogue, as a real server leaves them out."""
    names = {builder.id_of(n): n for n in ("alice", "bob", "r_dba", READER)}
    catalogue = builder.build()
    kept = [p for p in catalogue.server["server_principals"] if p["name"] not in gone]
    catalogue.server["server_principals"][:] = kept
    return [names[number] for number in hidden_from_reader(Tiers(parse(catalogue.as_child_output())))]


HIDING: list[tuple[str, Callable[[ServerBuilder], object], list[str]]] = [
    ("nothing denied", lambda s: s, []),
    ("view definition on a login", lambda s: s.grant("VIEW DEFINITION", READER, "D", on="alice"), ["alice"]),
    ("control on a login", lambda s: s.grant("CONTROL", READER, "D", on="alice"), ["alice"]),
    ("view definition on a role", lambda s: s.grant("VIEW DEFINITION", READER, "D", on="r_dba"), ["r_dba"]),
    ("denied to public", lambda s: s.grant("VIEW DEFINITION", "public", "D", on="bob"), ["bob"]),
    (
        "denied to a role of the reader, two steps away",
        lambda s: (
            s.role("r_far")
            .role("r_near", roles=("r_far",))
            .member("r_near", READER)
            .grant("CONTROL", "r_far", "D", on="bob")
        ),
        ["bob"],
    ),
    (
        "denied twice and on several, in order of their ids",
        lambda s: (
            s.grant("CONTROL", READER, "D", on="bob")
            .grant("VIEW DEFINITION", READER, "D", on="bob")
            .grant("VIEW DEFINITION", "public", "D", on="alice")
        ),
        ["alice", "bob"],
    ),
    ("granted", lambda s: s.grant("VIEW DEFINITION", READER, on="alice").grant("CONTROL", READER, "W", on="bob"), []),
    ("denied to somebody else", lambda s: s.grant("VIEW DEFINITION", "bob", "D", on="alice"), []),
    (
        "denied to a role of somebody else",
        lambda s: s.role("r").member("r", "bob").grant("VIEW DEFINITION", "r", "D", on="alice"),
        [],
    ),
    ("another right denied", lambda s: s.grant("IMPERSONATE", READER, "D", on="alice"), []),
    ("denied on the whole server", lambda s: s.grant("VIEW ANY DEFINITION", READER, "D"), []),
    ("itself, to public", lambda s: s.grant("VIEW DEFINITION", "public", "D", on=READER), []),
    (
        "a reader in sysadmin",
        lambda s: s.member("sysadmin", READER).grant("VIEW DEFINITION", READER, "D", on="alice"),
        [],
    ),
    (
        "a reader in sysadmin through a role",
        lambda s: s.member("r_dba", READER).grant("VIEW DEFINITION", READER, "D", on="alice"),
        [],
    ),
]


@pytest.mark.parametrize(("arrange", "names"), [case[1:] for case in HIDING], ids=[case[0] for case in HIDING])
def test_what_is_hidden_from_the_reader(arrange: Callable[[ServerBuilder], object], names: list[str]) -> None:
    builder = server()
    arrange(builder)

    assert hidden(builder) == names


def test_a_principal_that_the_catalogue_leaves_out_is_found_by_its_deny() -> None:
    builder = server().grant("VIEW DEFINITION", READER, "D", on="alice")

    assert hidden(builder, gone=("alice",)) == ["alice"]


def test_a_reader_that_no_login_names_is_bound_by_what_is_denied_to_public() -> None:
    builder = server().grant("CONTROL", "public", "D", on="bob").grant("VIEW DEFINITION", READER, "D", on="alice")
    builder.set("server", reader="CORP\\behind_a_group")

    assert hidden(builder) == ["bob"]


def test_a_role_of_the_readers_name_is_not_the_reader() -> None:
    builder = server().grant("VIEW DEFINITION", "r_dba", "D", on="bob").set("server", reader="r_dba")

    assert hidden(builder) == []


@pytest.mark.parametrize("name", RECORDED)
def test_nothing_is_hidden_on_the_recorded_servers(name: str) -> None:
    assert hidden_from_reader(Tiers(parse(RECORDED[name]().as_child_output()))) == []


def test_a_hidden_principal_makes_the_server_partial_and_is_told_by_its_number() -> None:
    server = ServerBuilder().login(READER).login("secret_admin", roles=("sysadmin",))
    server.grant("VIEW DEFINITION", READER, "D", on="secret_admin")
    number = server.id_of("secret_admin")
    (warning,) = gaps(Tiers(parse(server.build().as_child_output())), "db")
    assert warning["text"] == f"Incomplete: login lacks VIEW DEFINITION on principal {number}"
    (cure,) = warning["cures"]
    assert cure.startswith(f"-- SUSER_NAME({number}) is hidden from [{READER}]")


def test_a_database_role_with_a_member_that_is_not_shown_closes_the_database() -> None:
    server = ServerBuilder().login(READER).database("payroll").user("payroll", "hidden", contained=True)
    server.database_member("payroll", "db_owner", "hidden")
    catalogue = server.build()
    inside = catalogue.databases["payroll"]
    inside["database_principals"] = [p for p in inside["database_principals"] if p["name"] != "hidden"]
    (warning,) = gaps(Tiers(parse(catalogue.as_child_output())), "db")
    assert warning["text"] == "Incomplete: cannot read databases payroll"


def test_an_empty_list_says_that_nobody_is_there_only_where_everybody_would_show() -> None:
    def said(builder: ServerBuilder) -> list[int]:
        evaluation = evaluate(parse(builder.build().as_child_output()), "db", "2024-01-15T14:22:33Z")
        assert all(user["excluded_by_policy"] for user in evaluation.users)
        return [warning["order"] for warning in evaluation.warnings]

    assert said(ServerBuilder()) == [WARNING_EXCLUDED_ADMIN, WARNING_NO_ACCOUNTS]
    hidden = ServerBuilder().database("payroll", accessible=False)
    assert said(hidden) == [WARNING_INCOMPLETE_DATABASES, WARNING_EXCLUDED_ADMIN]
