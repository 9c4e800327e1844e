"""Account names of any shape come back as they were made, in rows, paths and what is granted between them."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymysql.converters import escape_string

from tests.engines import KnownServer, by_username
from worker_lambda.collectors import mysql_reader
from worker_lambda.collectors.mysql import collect
from worker_lambda.privileges.mysql_catalogue import Principal

AS_LONG_AS_MYSQL_ALLOWS = 32
# Both engines store names as utf8mb3 (no emoji: they become ?) and strip white space at the ends.
# The first character is one that no account of the fixture begins with: hypothesis draws words of this code, too.
NAMES = (
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=AS_LONG_AS_MYSQL_ALLOWS - 1)
    .filter(lambda name: name == name.rstrip(" \t\n\v\f\r"))
    .map(lambda name: f"~{name}")
)

SHAPES = {
    "quotes": 'o\'brien "x" `y`',
    "backslash": "back\\slash\\'",
    "newline": "two\r\nlines\nof it",
    "right to left": "\u202enimda\u202c",
    "zero width": "al\u200bice",
    "formula": "@SUM(1+1)*cmd|' /C calc'!A0",
    "full-width formula": "\uff1d1+1",
    "comment": "-- x /* y */ # z",
    "at signs": "a@b@c",
    "wildcards": "%_\\%",
    "NUL": "nul\x00x",
    "escape": "\x1b[31mred",
    "unnormalised": "e\u0301",
    "full length": "n" * AS_LONG_AS_MYSQL_ALLOWS,
    "html": "<script>alert(1)</script>",
}


def users_of(server: KnownServer) -> dict[str, dict[str, str]]:
    result = collect(server.target(), server.reader(), time.monotonic() + 20, "", "")
    return by_username(result)


def dropped(server: KnownServer, names: list[str]) -> None:
    server.execute(*(f"DROP USER IF EXISTS {literal(name)}@'%'" for name in names))


def literal(name: str) -> str:
    """A string: an identifier in backticks cannot hold NUL, a name can."""
    return "'" + escape_string(name) + "'"


def created(server: KnownServer, names: list[str]) -> list[str]:
    """Statements that make these accounts, each an administrator by its own right."""
    accounts = [f"{literal(name)}@'%'" for name in names]
    create = [f"CREATE USER {account} IDENTIFIED BY 'any-secret-1'" for account in accounts]
    return [*create, *(f"GRANT CREATE USER ON *.* TO {account}" for account in accounts)]


def test_a_name_of_every_shape_arrives_unchanged_and_as_the_administrator_it_is(any_server: KnownServer) -> None:
    names = list(SHAPES.values())
    try:
        any_server.execute(*created(any_server, names))
        users = users_of(any_server)
    finally:
        dropped(any_server, names)
    for name in names:
        assert users[f"{name}@%"]["role_name"] == "Full Admin (CREATE USER)"
        assert users[f"{name}@%"]["access_path"].endswith("@%: CREATE USER")


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
# MySQL takes two names for one that differ only behind a NUL ("User account already exists").
@given(names=st.lists(NAMES, min_size=1, max_size=12, unique_by=lambda name: name.partition("\0")[0]))
def test_any_names_make_a_round_trip(mysql_server: KnownServer, mariadb_server: KnownServer, names: list[str]) -> None:
    for server in (mysql_server, mariadb_server):
        try:
            server.execute(*created(server, names))
            users = users_of(server)
        finally:
            dropped(server, names)
        assert [name for name in names if users.get(f"{name}@%", {}).get("tier") != "0"] == []


def test_roles_of_any_name_are_followed(any_server: KnownServer) -> None:
    roles = ["r'1", "r 2, x", "r`3 > y", "r\n4"]
    quoted = [mysql_reader.account(Principal(role, "%")) if any_server.is_mysql() else _plain(role) for role in roles]
    chain = [f"GRANT {role} TO {to}" for role, to in zip(quoted, [*quoted[1:], "holder@'%'"], strict=True)]
    try:
        any_server.execute(
            *(f"CREATE ROLE {role}" for role in quoted), f"GRANT SUPER ON *.* TO {quoted[0]}",
            "CREATE USER holder@'%' IDENTIFIED BY 'any-secret-1'", *chain,
        )  # fmt: skip
        holder = users_of(any_server)["holder@%"]
    finally:
        any_server.execute("DROP USER IF EXISTS holder@'%'", *(f"DROP ROLE IF EXISTS {role}" for role in quoted))
    assert holder["role_name"] == 'Full Admin (SUPER via "r\n4")'
    assert holder["access_path"] == 'holder@% > "r\n4" > "r`3 > y" > "r 2, x" > "r\'1": SUPER'


def _plain(role: str) -> str:
    return "`" + role.replace("`", "``") + "`"


@pytest.mark.parametrize("pair", [("carl", "Carl"), ("STRASSE", "strasse"), ("é", "e\u0301")])
def test_accounts_that_differ_in_case_or_form_only_are_two(any_server: KnownServer, pair: tuple[str, str]) -> None:
    strong, weak = pair
    try:
        any_server.execute(*created(any_server, [strong]), *created(any_server, [weak])[:1])
        users = users_of(any_server)
    finally:
        dropped(any_server, [strong, weak])
    assert (users[f"{strong}@%"]["tier"], users[f"{weak}@%"]["tier"]) == ("0", "none")
