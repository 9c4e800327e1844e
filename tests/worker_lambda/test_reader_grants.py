"""The reader's script: it suffices on real servers, keeps hashes out of reach, and nothing of it can be misread."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time

import pymysql
import pytest
import sqlglot

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.catalogues import known_2019, rds_2022
from tests.engines import KnownServer
from worker_lambda.collectors.mysql import collect
from worker_lambda.collectors.mysql_visibility import version_numbers
from worker_lambda.privileges.mysql_catalogue import Principal
from worker_lambda.privileges.sqlserver_catalogue import parse
from worker_lambda.privileges.sqlserver_gaps import gaps
from worker_lambda.privileges.sqlserver_tiers import Tiers
from worker_lambda.reader_grants import mysql_script, sqlserver_script

NAME = "o'brien `the` reader"


def printed(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "worker_lambda.reader_grants", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_script_suffices_and_the_hash_stays_out_of_reach(any_server: KnownServer) -> None:
    version = ".".join(map(str, version_numbers(any_server.server.version)[:2]))
    engine = "mysql" if any_server.is_mysql() else "mariadb"
    done = printed("--engine", engine, "--version", version, "--username", NAME, "--json")
    script = json.loads(done.stdout)
    who = "`o'brien ``the`` reader`@`%`"
    last = next(note for note in script["notes"] if note.startswith("ALTER USER"))
    assert last == f"ALTER USER {who} IDENTIFIED BY '…' ACCOUNT UNLOCK;"
    try:
        any_server.execute(*script["statements"], last.replace("…", "reader-secret-1"))
        login = any_server.login(NAME, "reader-secret-1")
        result = collect(any_server.target(), login, time.monotonic() + 20, "", "")
        assert (result.connection["status"], result.warnings) == ("complete", [])
        hashes = ["SELECT authentication_string FROM mysql.user", "SELECT * FROM mysql.user"]
        hashes.append("SELECT User_attributes FROM mysql.user" if engine == "mysql" else "TABLE mysql.global_priv")
        changes = ["UPDATE mysql.db SET Db = 'x'", "CREATE TABLE db_admin_report.t (a INT)", "CREATE USER x"]
        with any_server.server.connect(user=NAME, password="reader-secret-1") as connection:
            for statement in hashes + changes:
                with connection.cursor() as cursor, pytest.raises(pymysql.Error) as refused:
                    cursor.execute(statement.replace("TABLE mysql", "SELECT * FROM mysql"))
                assert refused.value.args[0] in (1142, 1143, 1227), statement
    finally:
        any_server.execute(f"DROP USER IF EXISTS {who}")


def test_an_unmodified_script_leaves_nothing_open(any_server: KnownServer) -> None:
    reader = Principal("fresh_reader", "%")
    flavour = "mysql" if any_server.is_mysql() else "mariadb"
    any_server.execute(*mysql_script(flavour, version_numbers(any_server.server.version), reader).statements)
    try:
        with pytest.raises(pymysql.Error) as refused:
            any_server.server.connect(user="fresh_reader", password="")
        assert refused.value.args[0] in (1045, 3118, 4151)  # an unknown password, or locked
    finally:
        any_server.execute("DROP USER fresh_reader@'%'")


def test_a_password_policy_does_not_refuse_the_script(mysql_server: KnownServer) -> None:
    reader = Principal("policy_reader", "%")
    mysql_server.execute("INSTALL COMPONENT 'file://component_validate_password'")
    try:
        mysql_server.execute(*mysql_script("mysql", version_numbers(mysql_server.server.version), reader).statements)
    finally:
        mysql_server.execute(
            "UNINSTALL COMPONENT 'file://component_validate_password'", "DROP USER IF EXISTS policy_reader@'%'"
        )


@pytest.mark.parametrize(("version", "random"), [("8.0", True), ("8.0.18", True), ("8.0.17", False), ("5.7", False)])
def test_a_random_password_is_asked_for_where_there_is_such_a_thing(version: str, random: bool) -> None:
    text = printed("--engine", "mysql", "--version", version).stdout
    assert ("IDENTIFIED BY RANDOM PASSWORD ACCOUNT LOCK" in text) is random
    assert ("Where a password policy refuses" in text) is not random


@pytest.mark.parametrize(("version", "view"), [("8.0", True), ("8.0.16", True), ("8.0.15", False), ("9", True)])
def test_the_view_is_made_where_there_are_partial_revokes(version: str, view: bool) -> None:
    assert ("account_facts" in printed("--engine", "mysql", "--version", version).stdout) is view


def test_old_mysql_is_not_asked_for_what_it_does_not_have() -> None:
    text = printed("--engine", "mysql", "--version", "5.7").stdout
    assert "Create_role_priv" not in text
    assert "role_edges" not in text
    assert "account_facts" not in text


def test_a_mariadb_version_text_is_taken_for_what_it_is() -> None:
    assert "roles_mapping" in printed("--engine", "mysql", "--version", "10.11.6-MariaDB-log").stdout


def test_iam_needs_no_password_and_insists_on_tls() -> None:
    text = printed("--engine", "mysql", "--platform", "rds", "--auth", "iam").stdout
    assert "IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL" in text
    assert "IDENTIFIED BY" not in text


@pytest.mark.parametrize("rds", [False, True])
@pytest.mark.parametrize("major", [12, 13, 14, 15, 16, 17])
def test_every_sql_server_script_is_tsql_and_holds_no_password(major: int, rds: bool) -> None:
    script = sqlserver_script(major, "o'brien ]x[", rds=rds)
    for statement in script.statements:
        assert sqlglot.parse(statement, dialect="tsql"), statement
    assert "WITH PASSWORD = N'$(READER_PASSWORD)'" in script.text()
    rights = set(re.findall(r"GRANT ([A-Z ]+) TO \[o'brien \]\]x\[\];", script.text()))
    narrow = {"VIEW ANY SECURITY DEFINITION", "VIEW SERVER SECURITY STATE", "VIEW SERVER PERFORMANCE STATE"}
    wide = {"VIEW ANY DEFINITION", "VIEW SERVER STATE"}
    expected = {"VIEW ANY DATABASE", *(narrow if major >= 16 else wide)}
    assert rights == expected | (set() if rds else {"CONNECT ANY DATABASE"})


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--engine", "oracle"],
        ["--engine", "mysql", "--version", "5.6"],
        ["--engine", "mysql", "--version", "new"],
        ["--engine", "mariadb", "--version", "10.3"],
        ["--engine", "mssql", "--version", "2008"],
        ["--engine", "mssql", "--auth", "iam"],
        ["--engine", "mysql", "--auth", "iam"],
        ["--engine", "mysql", "--username", "a\nGO"],
        ["--engine", "mysql", "--username", ""],
        ["--engine", "mysql", "--version", "8.²"],
        ["--engine", "mysql", "--vers", "8.0"],
        ["--engine", "mssql", "--host", "%"],
        ["--engine", "mariadb", "--platform", "aurora"],
        ["--engine", "mssql", "--platform", "aurora"],
    ],
)
def test_wrong_usage_is_2_and_prints_no_script(arguments: list[str]) -> None:
    done = printed(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error:" in done.stderr


def test_the_command_hands_on_to_the_workers_program() -> None:
    command = [sys.executable, "-m", "dbadmin_assets.cli.main", "reader-grants", "--engine", "mssql"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, printed("--engine", "mssql").stdout)


def test_a_sql_server_reader_without_rights_is_told_the_statements() -> None:
    few = known_2019().seen_with_few_rights("audit_reader")
    rights, *_ = gaps(Tiers(parse(few.as_child_output())), "db")
    assert rights["cures"] == ["GRANT VIEW ANY DEFINITION TO [audit_reader];"]
    few = rds_2022().seen_with_few_rights("audit_reader")
    rights, *_ = gaps(Tiers(parse(few.as_child_output())), "db")
    assert rights["text"] == "Incomplete: login lacks VIEW ANY SECURITY DEFINITION"
    assert rights["cures"] == ["GRANT VIEW ANY SECURITY DEFINITION TO [audit_reader];"]


def test_a_closed_database_is_opened_by_what_its_platform_can_grant() -> None:
    server = ServerBuilder().login("audit_reader").database("a", accessible=False).database("b", online=False)
    (closed,) = gaps(Tiers(parse(server.build().as_child_output())), "db")
    assert closed["cures"] == [
        "GRANT CONNECT ANY DATABASE TO [audit_reader];",
        "-- [b] is OFFLINE: no grant opens it",
    ]
    (closed,) = gaps(Tiers(parse(rds_2022(readable=False).as_child_output())), "db")
    assert closed["cures"] == ["USE [orders]; CREATE USER [audit_reader] FOR LOGIN [audit_reader];"]


def test_a_database_name_cannot_end_a_batch_of_sqlcmd() -> None:
    server = ServerBuilder().login("audit_reader").database("x\nGO\nDROP LOGIN sa", online=False)
    (closed,) = gaps(Tiers(parse(server.build().as_child_output())), "db")
    assert "\n" not in "".join(closed["cures"])
