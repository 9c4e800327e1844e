"""The MySQL collector against real servers: known accounts, what a poor login cannot see, nothing secret."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest

from sandbox.engines import create_reader
from tests.engines import READER, KnownServer, by_username
from worker_lambda.collectors.mysql import EXCLUDED_VARIABLE, collect
from worker_lambda.credentials import Credentials
from worker_lambda.result_object import DatabaseResult


def collected(server: KnownServer, credentials: Credentials) -> DatabaseResult:
    return collect(server.target(), credentials, time.monotonic() + 20, "123456789012", "us-east-1")


def root(server: KnownServer) -> Credentials:
    return server.login("root", server.server.root_password)


def texts(result: DatabaseResult) -> list[str]:
    return [warning["text"] for warning in result.warnings]


def test_the_least_privileged_reader_sees_what_root_sees(any_server: KnownServer) -> None:
    reader = any_server.reader()
    keys = ("role_name", "permission_level", "user_status", "access_path", "rule_id", "password_changed_at")
    as_reader = {n: [u[k] for k in keys] for n, u in by_username(collected(any_server, reader)).items()}
    as_root = {n: [u[k] for k in keys] for n, u in by_username(collected(any_server, root(any_server))).items()}
    assert as_reader == as_root


def test_no_password_hash_and_no_password_is_in_the_result(any_server: KnownServer) -> None:
    reader = any_server.reader()
    any_server.execute("ALTER USER frank@'%' IDENTIFIED BY 'frank-secret-77'")
    if any_server.is_mysql():
        any_server.execute("ALTER USER frank@'%' IDENTIFIED BY 'frank-secret-78' RETAIN CURRENT PASSWORD")
        hashes = any_server.execute("SELECT authentication_string, User_attributes FROM mysql.user")
        secrets = [str(v) for row in hashes for v in row if v]
    else:
        hashes = any_server.execute("SELECT JSON_VALUE(Priv, '$.authentication_string') FROM mysql.global_priv")
        secrets = [str(row[0]) for row in hashes if row[0]]
    for credentials in (reader, root(any_server)):
        result = collected(any_server, credentials)
        text = json.dumps([result.connection, result.users, result.warnings, result.queries], ensure_ascii=False)
        assert secrets
        assert not [s for s in [*secrets, "frank-secret", credentials.password] if s in text]


def test_without_the_view_mariadb_lacks_lock_state_and_split_rights_and_says_so(mariadb_server: KnownServer) -> None:
    result = collected(mariadb_server, mariadb_server.reader(complete=False))
    assert texts(result) == ["Incomplete: login lacks SELECT on db_admin_report.account_facts"]
    assert result.connection["status"] == "partial"
    assert by_username(result)["heidi@%"]["user_status"] == "Unknown"
    assert by_username(result)["ivan@%"]["user_status"] == "Password Expired"


def test_without_the_view_mysql_is_complete_while_partial_revokes_are_off(mysql_server: KnownServer) -> None:
    result = collected(mysql_server, mysql_server.reader(complete=False))
    assert (result.connection["status"], texts(result)) == ("complete", [])


def test_partial_revokes_are_subtracted_and_missing_sight_of_them_is_a_gap(mysql_server: KnownServer) -> None:
    everything = mysql_server.reader()
    mysql_server.execute(
        "SET GLOBAL partial_revokes = ON",
        "CREATE USER revoked@'%' IDENTIFIED BY 'revoked-secret-1'",
        "GRANT INSERT, SELECT ON *.* TO revoked@'%'",
        "REVOKE INSERT ON mysql.* FROM revoked@'%'",
    )
    try:
        assert by_username(collected(mysql_server, everything))["revoked@%"]["role_name"] == "Limited User"
        result = collected(mysql_server, mysql_server.reader(complete=False))
        assert texts(result) == ["Incomplete: login lacks SELECT on db_admin_report.account_facts"]
        assert by_username(result)["revoked@%"]["role_name"] == "Full Admin (INSERT on *.*)"
    finally:
        mysql_server.execute("DROP USER revoked@'%'", "SET GLOBAL partial_revokes = OFF")


@pytest.mark.parametrize("table", ["role_edges", "global_grants", "db", "tables_priv", "proxies_priv"])
def test_a_table_that_the_login_cannot_read_is_named(mysql_server: KnownServer, table: str) -> None:
    reader = mysql_server.reader()
    mysql_server.execute(f"REVOKE SELECT ON mysql.{table} FROM {READER}@'%'")
    result = collected(mysql_server, reader)
    assert texts(result) == [f"Incomplete: login lacks SELECT on mysql.{table}"]
    assert result.connection["status"] == "partial"


def test_missing_role_mappings_on_mariadb_are_named(mariadb_server: KnownServer) -> None:
    reader = mariadb_server.reader()
    mariadb_server.execute(f"REVOKE SELECT ON mysql.roles_mapping FROM {READER}@'%'")
    assert texts(collected(mariadb_server, reader)) == ["Incomplete: login lacks SELECT on mysql.roles_mapping"]


def test_columns_that_the_login_cannot_read_are_named_and_all_is_not_claimed(mysql_server: KnownServer) -> None:
    reader = mysql_server.reader()
    mysql_server.execute(f"REVOKE SELECT (Super_priv, account_locked) ON mysql.user FROM {READER}@'%'")
    result = collected(mysql_server, reader)
    assert texts(result) == ["Incomplete: login lacks SELECT (Super_priv, account_locked) on mysql.user"]
    alice = by_username(result)["alice@%"]
    assert "ALL" not in alice["role_name"]
    assert alice["user_status"] == "Unknown"


def test_a_login_that_sees_nothing_is_partial_and_not_an_empty_server(any_server: KnownServer) -> None:
    any_server.execute("DROP USER IF EXISTS blind@'%'", "CREATE USER blind@'%' IDENTIFIED BY 'blind-secret-1'")
    try:
        result = collected(any_server, any_server.login("blind", "blind-secret-1"))
    finally:
        any_server.execute("DROP USER blind@'%'")
    assert result.users == []
    assert result.connection["status"] == "partial"
    (incomplete,) = texts(result)  # and not that there were no accounts to list
    assert "on mysql.user" in incomplete
    assert "authentication_string" not in incomplete


def test_an_enabled_excluded_administrator_is_a_warning(
    any_server: KnownServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXCLUDED_VARIABLE, '["bob@%", "heidi@%", "erin@%"]')
    result = collected(any_server, any_server.reader())
    # heidi is locked, erin is no administrator
    assert texts(result) == ['Excluded account is an enabled administrator: "bob@%"']
    assert by_username(result)["bob@%"]["excluded_by_policy"]


def test_a_temporal_password_lifetime_expires_an_account(any_server: KnownServer) -> None:
    any_server.execute(
        "DROP USER IF EXISTS stale@'%'",
        "CREATE USER stale@'%' IDENTIFIED BY 'stale-secret-1' PASSWORD EXPIRE INTERVAL 1 DAY",
    )
    try:
        fresh = by_username(collected(any_server, any_server.reader()))["stale@%"]
        if any_server.is_mysql():
            change = "UPDATE mysql.user SET password_last_changed = NOW() - INTERVAL 2 DAY WHERE User = 'stale'"
        else:
            change = (
                "UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.password_last_changed', "
                "UNIX_TIMESTAMP() - 2 * 86400) WHERE User = 'stale'"
            )
        any_server.execute(change)
        stale = by_username(collected(any_server, any_server.reader()))["stale@%"]
    finally:
        any_server.execute("DROP USER stale@'%'")
    assert (fresh["user_status"], stale["user_status"]) == ("Active", "Password Expired")


def test_query_texts_are_constant_and_carried_with_their_hashes(any_server: KnownServer) -> None:
    reader = any_server.reader()
    first = collected(any_server, reader)
    any_server.execute("DROP USER IF EXISTS newcomer@'%'", "CREATE USER newcomer@'%' IDENTIFIED BY 'new-secret-1'")
    second = collected(any_server, reader)
    any_server.execute("DROP USER newcomer@'%'")
    assert first.queries == second.queries
    assert {q["sha256"] for q in first.connection["queries"]} == set(first.queries)
    rows_of_an_account = 1 if any_server.is_mysql() else 2  # MariaDB's lock state is a row of its own
    assert second.connection["rows_fetched"] - first.connection["rows_fetched"] == rows_of_an_account


def test_two_servers_have_two_identities(mysql_server: KnownServer, mariadb_server: KnownServer) -> None:
    identities = [collected(s, s.reader()).connection["server_identity"] for s in (mysql_server, mariadb_server)]
    assert None not in identities
    assert len(set(identities)) == 2


def test_a_name_in_any_script_arrives_unchanged(any_server: KnownServer) -> None:
    name = "監査—Ünï"
    any_server.execute(f"DROP USER IF EXISTS `{name}`@'%'", f"CREATE USER `{name}`@'%' IDENTIFIED BY 'any-secret-1'")
    try:
        assert f"{name}@%" in by_username(collected(any_server, any_server.reader()))
    finally:
        any_server.execute(f"DROP USER `{name}`@'%'")


def test_a_server_with_ansi_quotes_answers_the_same(any_server: KnownServer) -> None:
    reader = any_server.reader()
    before = collected(any_server, reader)
    mode = any_server.execute("SELECT @@GLOBAL.sql_mode")[0][0]
    any_server.execute("SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'")
    try:
        after = collected(any_server, reader)
    finally:
        any_server.execute(f"SET GLOBAL sql_mode = '{mode}'")
    drop = {"collection_timestamp"}
    assert [{k: v for k, v in u.items() if k not in drop} for u in after.users] == [
        {k: v for k, v in u.items() if k not in drop} for u in before.users
    ]


def test_public_of_mariadb_makes_everybody_what_it_holds(mariadb_server: KnownServer) -> None:
    reader = mariadb_server.reader()
    mariadb_server.execute("GRANT SUPER ON *.* TO PUBLIC")
    try:
        users = by_username(collected(mariadb_server, reader))
    finally:
        mariadb_server.execute("REVOKE SUPER ON *.* FROM PUBLIC")
    assert users["frank@%"]["role_name"] == "Full Admin (SUPER via PUBLIC)"
    assert "PUBLIC@" not in users


def test_times_are_utc_whatever_the_servers_time_zone_is(any_server: KnownServer) -> None:
    reader = any_server.reader()
    before = by_username(collected(any_server, reader))["alice@%"]["password_changed_at"]
    zone = any_server.execute("SELECT @@GLOBAL.time_zone")[0][0]
    any_server.execute("SET GLOBAL time_zone = '+09:30'")
    try:
        result = collected(any_server, reader)
    finally:
        any_server.execute(f"SET GLOBAL time_zone = '{zone}'")
    assert by_username(result)["alice@%"]["password_changed_at"] == before
    assert result.connection["server_time"] is not None
    assert abs(_epoch(result.connection["server_time"]) - time.time()) < 3600  # one machine, one clock


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_the_collection_writes_nothing(mysql_server: KnownServer) -> None:
    """What the server counted for a login that does nothing else: SELECT, and SET."""
    create_reader(mysql_server.server, "quiet_reader", "quiet-secret-1")
    try:
        collected(mysql_server, mysql_server.login("quiet_reader", "quiet-secret-1"))
        counted = mysql_server.execute(
            "SELECT EVENT_NAME FROM performance_schema.events_statements_summary_by_user_by_event_name "
            "WHERE USER = 'quiet_reader' AND COUNT_STAR > 0 AND EVENT_NAME LIKE 'statement/sql/%'"
        )
    finally:
        mysql_server.execute("DROP USER quiet_reader@'%'")
    assert {name for (name,) in counted} == {"statement/sql/select", "statement/sql/set_option"}
