"""What could hide an administrator of a MySQL or MariaDB server without an error; each once did."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.engines import KnownServer, by_username
from tests.worker_lambda.mysql_reading import collect_given
from tests.worker_lambda.recorded_mysql import aurora_3
from worker_lambda.collectors.mysql import collect
from worker_lambda.credentials import Credentials
from worker_lambda.errors import CollectionFailed
from worker_lambda.privileges.mysql import evaluate
from worker_lambda.privileges.mysql_catalogue import Account, Catalogue, Principal, ProxyGrant
from worker_lambda.result_object import DatabaseResult

PASSWORD = "trap-secret-1"


def collected(server: KnownServer, reader: Credentials | None = None) -> DatabaseResult:
    return collect(server.target(), reader or server.reader(), time.monotonic() + 20, "", "")


def users(server: KnownServer) -> dict[str, Any]:
    return by_username(collected(server))


@contextlib.contextmanager
def accounts(server: KnownServer, *names: str) -> Iterator[None]:
    """Accounts that are gone afterwards, with whatever rows were written for them."""
    try:
        server.execute(*(f"DROP USER IF EXISTS {name}" for name in names))
        server.execute(*(f"CREATE USER {name} IDENTIFIED BY '{PASSWORD}'" for name in names))
        yield
    finally:
        server.execute(*(f"DROP USER IF EXISTS {name}" for name in names))
        tables = ("db", "tables_priv", "columns_priv")
        server.execute(*(f"DELETE FROM mysql.{t} WHERE User IN ('carl', '')" for t in tables), "FLUSH PRIVILEGES")


@contextlib.contextmanager
def globally(server: KnownServer, variable: str, value: str) -> Iterator[None]:
    """A global variable, set back afterwards."""
    before = server.execute(f"SELECT @@GLOBAL.{variable}")[0][0]
    server.execute(f"SET GLOBAL {variable} = {value}")
    try:
        yield
    finally:
        server.execute(f"SET GLOBAL {variable} = {before!r}")


def writes_a_grant_table(server: KnownServer) -> str:
    """Log in as carl and write a row: the account that the server took it for. Raises where the server refuses."""
    with server.server.connect(user="carl", password=PASSWORD) as connection, connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")  # with a role, the mandatory one too, MySQL compares rows exactly
        cursor.execute("INSERT INTO mysql.db (Host, Db, User) VALUES ('%', 'nothing', 'carl')")
        cursor.execute("SELECT CURRENT_USER()")
        return str((cursor.fetchone() or ("",))[0])


@pytest.mark.parametrize("scope", ["mysql.*", "mysql.db"])
def test_a_grant_to_a_wider_host_reaches_the_account_that_is_logged_in(any_server: KnownServer, scope: str) -> None:
    with accounts(any_server, "carl@'%'", "carl@'localhost'", "carl@'127.0.0.1'", "carl@'10.9.8.7'"):
        any_server.execute(f"GRANT INSERT ON {scope} TO carl@'%'")
        name = writes_a_grant_table(any_server)
        assert name != "carl@%"
        found = users(any_server)
    names = ["carl@%", name, "carl@10.9.8.7"]
    assert {n: found[n]["tier"] for n in names} == dict.fromkeys(names, "0")


def test_a_grant_to_a_narrower_host_is_that_accounts_alone(any_server: KnownServer) -> None:
    with accounts(any_server, "carl@'%'", "carl@'localhost'", "carl@'127.0.0.1'"):
        any_server.execute("GRANT INSERT ON mysql.* TO carl@'localhost'", "GRANT ALL ON payroll.* TO carl@'127.0.0.1'")
        found = users(any_server)
    assert (found["carl@%"]["tier"], found["carl@localhost"]["tier"]) == ("none", "0")


def test_what_the_anonymous_account_may_everybody_may(any_server: KnownServer) -> None:
    with accounts(any_server, "carl@'%'", "''@'%'"):
        any_server.execute("GRANT INSERT ON mysql.* TO ''@'%'")
        writes_a_grant_table(any_server)
        found = users(any_server)
    assert found["carl@%"]["role_name"] == "Full Admin (INSERT on mysql)"
    assert found["erin@%"]["tier"] == "0"


@pytest.mark.parametrize("pattern", ["my\\sql", "\\mysql", "mysq\\l", "m%\\l"])
def test_a_backslash_in_a_schema_hides_nothing(any_server: KnownServer, pattern: str) -> None:
    with accounts(any_server, "carl@'%'"):
        any_server.execute(f"GRANT INSERT ON `{pattern}`.* TO carl@'%'")
        writes_a_grant_table(any_server)
        assert users(any_server)["carl@%"]["tier"] == "0"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("sql_select_limit", "7"),
        ("init_connect", "'SET SESSION sql_select_limit = 7'"),
        ("sql_mode", "'EMPTY_STRING_IS_NULL'"),
        ("sql_mode", "'ORACLE'"),
        ("sql_mode", "'NO_BACKSLASH_ESCAPES,ANSI,PAD_CHAR_TO_FULL_LENGTH'"),
        ("max_join_size", "50"),
        ("autocommit", "0"),
        ("character_set_server", "'utf32'"),
        ("collation_connection", "'latin1_german1_ci'"),
    ],
)
def test_what_a_session_inherits_changes_nothing(any_server: KnownServer, variable: str, value: str) -> None:
    if any_server.is_mysql() and value in ("'EMPTY_STRING_IS_NULL'", "'ORACLE'"):
        value = "'ANSI_QUOTES'"  # the two are MariaDB's
    reader = any_server.reader()
    before = collected(any_server, reader)
    with globally(any_server, variable, value):
        after = collected(any_server, reader)
    assert [u["username"] for u in after.users] == [u["username"] for u in before.users]
    assert [u["role_name"] for u in after.users] == [u["role_name"] for u in before.users]
    assert (after.connection["status"], after.warnings) == ("complete", [])


def test_an_answer_that_was_cut_short_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    server = aurora_3()
    with pytest.raises(CollectionFailed, match="cut short"):
        collect_given(monkeypatch, server.probe(), server.facts()[:-1])


@pytest.mark.parametrize("row", [Principal("px", "%"), Principal("", "%"), Principal("px", "127.0.0.%")])
def test_a_proxy_row_reaches_the_account_that_is_logged_in(row: Principal) -> None:
    plain = Account(Principal("px", "127.0.0.1"), frozenset(), False, "sha256_password", False, False)
    boss = replace(plain, principal=Principal("boss", "%"), privileges=frozenset({"SUPER"}))
    proxies = (ProxyGrant(row, boss.principal),)
    verdicts = evaluate(Catalogue("mysql", (8, 4), (plain, boss), proxies=proxies))
    assert verdicts[plain.principal].role_name == 'Full Admin (PROXY on "boss@%")'


def test_whoever_replaces_the_view_cannot_hide_from_a_reader_of_the_table(any_server: KnownServer) -> None:
    forged = "'0' AS access, '0' AS account_locked, '1' AS password_last_changed, '-1' AS password_lifetime"
    if any_server.is_mysql():
        forged = """'[{"Database": "mysql", "Privileges": ["INSERT", "UPDATE", "ALTER"]}]' AS Restrictions"""
    view = "CREATE OR REPLACE SQL SECURITY DEFINER VIEW db_admin_report.account_facts AS"
    any_server.reader()
    try:
        any_server.execute(f"{view} SELECT Host, User, {forged} FROM mysql.user WHERE User IN ('inserts', 'definer')")
        root = any_server.login("root", any_server.server.root_password)
        found = by_username(collected(any_server, root))
    finally:
        any_server.reader()  # makes the view again
    assert (found["inserts@%"]["tier"], found["definer@%"]["tier"]) == ("0", "0")


@pytest.mark.parametrize("table", ["db", "role"])
def test_a_host_in_capitals_is_the_same_host(any_server: KnownServer, table: str) -> None:
    edge = "role_edges (FROM_HOST, FROM_USER, TO_HOST, TO_USER) VALUES ('%', 'r_top', 'LOCALHOST', 'carl')"
    if not any_server.is_mysql():
        edge = "roles_mapping (Host, User, Role) VALUES ('LOCALHOST', 'carl', 'r_top')"
    row = "db (Host, Db, User, Insert_priv) VALUES ('LOCALHOST', 'mysql', 'carl', 'Y')" if table == "db" else edge
    with accounts(any_server, "carl@'localhost'"):
        try:
            any_server.execute(f"INSERT INTO mysql.{row}", "FLUSH PRIVILEGES")
            assert users(any_server)["carl@localhost"]["tier"] == "0"
        finally:
            name, column = ("role_edges", "TO_USER") if any_server.is_mysql() else ("roles_mapping", "User")
            any_server.execute(f"DELETE FROM mysql.{name} WHERE {column} = 'carl'", "FLUSH PRIVILEGES")


def test_a_mandatory_role_with_an_empty_host_is_a_role_of_any_host(mysql_server: KnownServer) -> None:
    with globally(mysql_server, "mandatory_roles", "'r_mandatory,`r_top`@'"):
        assert users(mysql_server)["frank@%"]["role_name"] == "Full Admin (SUPER via r_top)"


def test_two_accounts_that_differ_in_case_are_two_in_what_they_may_do_with_a_table(mariadb_server: KnownServer) -> None:
    with accounts(mariadb_server, "carl@'%'", "Carl@'%'", "cärl@'%'"):
        mariadb_server.execute(*(f"GRANT SELECT ON payroll.salaries TO {n}@'%'" for n in ("carl", "Carl", "cärl")))
        found = users(mariadb_server)
    assert {found[f"{name}@%"]["role_name"] for name in ("carl", "Carl", "cärl")} == {"Limited User"}


def test_a_view_whose_creator_has_gone_is_a_gap_and_not_the_end(any_server: KnownServer) -> None:
    reader = any_server.reader()
    with accounts(any_server, "carl@'%'"):
        any_server.execute("GRANT ALL ON *.* TO carl@'%'")
        definition = any_server.execute("SHOW CREATE VIEW db_admin_report.account_facts")[0][1]
        body = definition[definition.index(" VIEW ") :]
        with any_server.server.connect(user="carl", password=PASSWORD) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE OR REPLACE SQL SECURITY DEFINER{body}")
    result = collected(any_server, reader)
    fresh = any_server.reader()  # the script repairs it
    assert collected(any_server, fresh).warnings == []
    texts = [warning["text"] for warning in result.warnings]
    # MySQL needs the view only where it has partial revokes.
    gap = ["Incomplete: login lacks SELECT on db_admin_report.account_facts"]
    assert texts == ([] if any_server.is_mysql() else gap)


def test_a_state_that_is_no_number_is_told_without_its_value(mariadb_server: KnownServer) -> None:
    reader = mariadb_server.reader()
    with accounts(mariadb_server, "carl@'%'"):
        mariadb_server.execute(
            "UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.access', '1.5secret') WHERE User = 'carl'"
        )
        with pytest.raises(CollectionFailed) as caught:
            collected(mariadb_server, reader)
    assert "kind state" in caught.value.detail
    assert "secret" not in str(caught.value)
