"""A real SQL Server, where one is: DBADMIN_TEST_MSSQL_DSN=mssql://LOGIN:PASSWORD@HOST:PORT[?tls=require&ca_file=…].

None can be had on most machines; the stand-in takes its place there, and does not prove T-SQL. The login must be an
administrator: it makes logins named dbadmin_test_…, a database of that name, and the reader by the script that
`reader-grants` prints, and drops them all.
"""

from __future__ import annotations

import os
import secrets
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from worker_lambda.collectors.sqlserver import collect
from worker_lambda.contract import DatabaseTarget
from worker_lambda.credentials import Credentials
from worker_lambda.privileges.sqlserver_reader import delimited
from worker_lambda.reader_grants import PASSWORD_VARIABLE, sqlserver_script
from worker_lambda.result_object import AdminUser

VARIABLE = "DBADMIN_TEST_MSSQL_DSN"
PREFIX = "dbadmin_test_"
READER = f"{PREFIX}reader"
# Name: what it is given in master, after the login was made; then what its row must say.
ACCOUNTS: dict[str, tuple[tuple[str, ...], tuple[str, str, str]]] = {
    "sysadmin": (("ALTER SERVER ROLE [sysadmin] ADD MEMBER {me}",), ("System Admin (sysadmin)", "Admin", "Active")),
    "nested": (
        (
            "CREATE SERVER ROLE [dbadmin_test_role]",
            "ALTER SERVER ROLE [sysadmin] ADD MEMBER [dbadmin_test_role]",
            "ALTER SERVER ROLE [dbadmin_test_role] ADD MEMBER {me}",
        ),
        ("System Admin (sysadmin via dbadmin_test_role)", "Admin", "Active"),
    ),
    "control": (("GRANT CONTROL SERVER TO {me}",), ("System Admin (CONTROL SERVER)", "Admin", "Active")),
    "denied": (
        ("GRANT CONTROL SERVER TO {me}", "DENY CONTROL SERVER TO {me}"),
        ("User", "User", "Disabled"),
    ),
    "security": (
        ("ALTER SERVER ROLE [securityadmin] ADD MEMBER {me}",),
        ("Security Admin (securityadmin)", "Admin", "Active"),
    ),
    "imitates": (
        ("GRANT IMPERSONATE ON LOGIN::[dbadmin_test_sysadmin] TO {me}",),
        ("System Admin (IMPERSONATE on dbadmin_test_sysadmin)", "Admin", "Active"),
    ),
    "creator": (
        ("ALTER SERVER ROLE [dbcreator] ADD MEMBER {me}",),
        ("Server Admin (dbcreator)", "dbcreator", "Active"),
    ),
    "owner": (
        ("USE [dbadmin_test_db]; CREATE USER {me} FOR LOGIN {me}; ALTER ROLE [db_owner] ADD MEMBER {me}",),
        ("Database Admin (db_owner on dbadmin_test_db)", "db_owner on dbadmin_test_db", "Active"),
    ),
    "off": (("ALTER LOGIN {me} DISABLE",), ("User", "User", "Disabled")),
    "nobody": ((), ("User", "User", "Active")),
}


def making(password: str) -> list[str]:
    """The statements that make the accounts."""
    found = [f"CREATE DATABASE [{PREFIX}db]"]
    for name, (grants, _) in ACCOUNTS.items():
        me = delimited(f"{PREFIX}{name}")
        found.append(f"USE [master]; CREATE LOGIN {me} WITH PASSWORD = N'{password}'")
        found += [f"{'' if g.startswith('USE') else 'USE [master]; '}{g.format(me=me)}" for g in grants]
    return found


def dropping() -> list[str]:
    """The statements that remove them, whatever of them is there."""
    names = [*(f"{PREFIX}{name}" for name in ACCOUNTS), READER]
    found = [f"USE [master]; IF DB_ID(N'{PREFIX}db') IS NOT NULL DROP DATABASE [{PREFIX}db]"]
    found += [f"IF SUSER_ID(N'{name}') IS NOT NULL DROP LOGIN {delimited(name)}" for name in reversed(names)]
    is_there = f"EXISTS (SELECT 1 FROM sys.server_principals WHERE name = N'{PREFIX}role')"
    return [*found, f"IF {is_there} DROP SERVER ROLE [{PREFIX}role]"]


@dataclass(slots=True)
class RealServer:
    """What the collector found on it."""

    rows: dict[str, AdminUser]
    status: str


@pytest.fixture(scope="module")
def real() -> Iterator[RealServer]:
    dsn = os.environ.get(VARIABLE)
    if not dsn:
        pytest.skip(f"no real SQL Server: {VARIABLE} is not set")
    parts = urllib.parse.urlsplit(dsn)
    options: dict[str, Any] = dict(urllib.parse.parse_qsl(parts.query))
    host, port, password = str(parts.hostname), parts.port or 1433, secrets.token_urlsafe(24) + "-Aa1"
    with _administrator(parts, host, port) as administrator, administrator.cursor() as cursor:
        cursor.execute("SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128))")
        major = int(str(cursor.fetchone()[0]).split(".")[0])
        script = [s.replace(f"$({PASSWORD_VARIABLE})", password) for s in sqlserver_script(major, READER).statements]
        try:
            for statement in [*dropping(), *making(password), *script]:
                cursor.execute(statement)
            target = DatabaseTarget("real", "mssql", **options)
            credentials = Credentials(host, port, READER, password)
            result = collect(target, credentials, time.monotonic() + 60, "123456789012", "us-east-1")
            yield RealServer({u["username"]: u for u in result.users}, result.connection["status"])
        finally:
            for statement in dropping():
                cursor.execute(statement)


def _administrator(parts: urllib.parse.SplitResult, host: str, port: int) -> Any:
    import pymssql

    login = urllib.parse.unquote(parts.username or "sa")
    secret = urllib.parse.unquote(parts.password or "")
    return pymssql.connect(
        server=host, port=str(port), user=login, password=secret, autocommit=True, tds_version="7.4", login_timeout=15
    )


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_login_of_a_real_server_is_judged_as_it_must_be(real: RealServer, name: str) -> None:
    row = real.rows[f"{PREFIX}{name}"]
    assert (row["role_name"], row["permission_level"], row["user_status"]) == ACCOUNTS[name][1]


def test_the_reader_made_by_the_script_sees_the_whole_server(real: RealServer) -> None:
    assert real.status == "complete"
    assert real.rows[READER]["permission_level"] == "User"
