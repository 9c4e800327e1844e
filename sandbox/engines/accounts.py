"""Accounts whose rights are known, for a real server: what the demo shows and the tests expect.

Passwords are random and thrown away: nobody logs in as these, except the reader.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.engines.server import RunningServer
from worker_lambda.collectors import mysql_reader
from worker_lambda.collectors.mysql_visibility import VIEW, version_numbers
from worker_lambda.privileges.mysql_catalogue import Principal
from worker_lambda.reader_grants import mysql_script

HOSTILE_USER = "=cmd|' /C calc'!A0"
SCHEMA = "payroll"


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """What the report must say of one account; `None` as a value of `role_name` or `level`: not compared.

    Attributes:
        tier: `0`, `1`, `2` or `none`.
        status: with a reader that sees everything.
    """

    username: str
    role_name: str
    level: str
    tier: str
    status: str = "Active"


def create_known_accounts(server: RunningServer) -> tuple[KnownAccount, ...]:
    """Create the accounts and roles (dropping them first if they are there) and say what they must be judged as."""
    mysql = server.kind == "mysql"
    statements = [*_common(), *(_mysql_only() if mysql else _mariadb_only())]
    if mysql:
        statements.insert(0, "SET GLOBAL mandatory_roles = ''")  # such a role cannot be dropped
    with server.connect() as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    return (*_COMMON, *(_MYSQL if mysql else _MARIADB))


def create_reader(server: RunningServer, name: str, password: str, *, complete: bool = True) -> None:
    """Make the least-privilege reader `name@%` by the script that the product prints for it.

    Args:
        complete: False leaves out the view, and with it what lies beside a hash: partial revokes on MySQL, lock state
            and split privileges on MariaDB.
    """
    reader = Principal(name, "%")
    who = mysql_reader.account(reader)
    script = mysql_script("mysql" if server.kind == "mysql" else "mariadb", version_numbers(server.version), reader)
    statements = [s for s in script.statements if complete or VIEW.partition(".")[0] not in s]
    statements.append(f"ALTER USER {who} IDENTIFIED BY {quote(password)} ACCOUNT UNLOCK")
    with server.connect() as connection, connection.cursor() as cursor:
        for statement in [f"DROP USER IF EXISTS {who}", *statements]:
            cursor.execute(statement)


def quote(text: str) -> str:
    """A MySQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _users(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        account = f"{quote(name)}@'%'"
        found.append(f"DROP USER IF EXISTS {account}")
        found.append(f"CREATE USER {account} IDENTIFIED BY '{secrets.token_urlsafe(24)}'")
    return found


def _roles(names: Sequence[str]) -> list[str]:
    return [f"{verb} {name}" for name in names for verb in ("DROP ROLE IF EXISTS", "CREATE ROLE")]


def _common() -> list[str]:
    return [
        f"CREATE DATABASE IF NOT EXISTS {SCHEMA}",
        *_roles(["r_top", "r_mid", "r_report"]),
        *_users(
            ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "peggy"]
        ),
        *_users([HOSTILE_USER, "user_admin", "columns"]),
        "GRANT ALL ON *.* TO alice@'%' WITH GRANT OPTION",
        "GRANT SUPER ON *.* TO bob@'%'",
        "GRANT SUPER ON *.* TO r_top",
        "GRANT r_top TO r_mid",
        "GRANT r_mid TO carol@'%'",
        f"GRANT ALL ON {SCHEMA}.* TO dave@'%' WITH GRANT OPTION",
        f"GRANT SELECT ON {SCHEMA}.* TO erin@'%'",
        "GRANT PROCESS, RELOAD, FILE ON *.* TO grace@'%'",
        "GRANT ALL ON *.* TO heidi@'%'",
        "ALTER USER heidi@'%' ACCOUNT LOCK",
        "ALTER USER ivan@'%' PASSWORD EXPIRE",
        f"GRANT SELECT ON {SCHEMA}.* TO r_report",
        "GRANT r_report TO judy@'%'",
        "GRANT PROXY ON alice@'%' TO mallory@'%'",
        "GRANT INSERT, UPDATE ON mysql.* TO peggy@'%'",
        f"GRANT CREATE USER ON *.* TO {quote(HOSTILE_USER)}@'%'",
        "GRANT CREATE USER ON *.* TO user_admin@'%'",
        "GRANT UPDATE (Table_priv) ON mysql.tables_priv TO columns@'%'",
    ]


def _mysql_only() -> list[str]:
    return [
        *_roles(["r_mandatory"]),
        *_users(["oscar", "trent"]),
        "GRANT SYSTEM_VARIABLES_ADMIN ON *.* TO oscar@'%' WITH GRANT OPTION",
        "GRANT CONNECTION_ADMIN ON *.* TO trent@'%'",
        f"GRANT SELECT ON {SCHEMA}.* TO r_mandatory",
        "SET GLOBAL mandatory_roles = 'r_mandatory'",
    ]


def _mariadb_only() -> list[str]:
    return [
        *_users(["oscar", "trent"]),
        "GRANT BINLOG REPLAY ON *.* TO oscar@'%'",
        "GRANT CONNECTION ADMIN ON *.* TO trent@'%'",
    ]


_COMMON = (
    KnownAccount("alice@%", "Full Admin (ALL on *.* WITH GRANT OPTION)", "Admin", "0"),
    KnownAccount("bob@%", "Full Admin (SUPER)", "Admin", "0"),
    KnownAccount("carol@%", "Full Admin (SUPER via r_mid)", "Admin", "0"),
    KnownAccount(
        "dave@%", f"Database Admin (ALL on {SCHEMA} WITH GRANT OPTION)", f"ALL on {SCHEMA} WITH GRANT OPTION", "2"
    ),
    KnownAccount("erin@%", "Limited User", "User", "none"),
    KnownAccount("grace@%", "Server Admin (FILE, PROCESS, RELOAD)", "FILE, PROCESS, RELOAD", "1"),
    KnownAccount("heidi@%", "Full Admin (ALL on *.*)", "Admin", "0", "Locked"),
    KnownAccount("judy@%", "Limited User", "User", "none"),
    KnownAccount("mallory@%", 'Full Admin (PROXY on "alice@%")', "Admin", "0"),
    KnownAccount("peggy@%", "Full Admin (INSERT on mysql, UPDATE on mysql)", "Admin", "0"),
    KnownAccount(f"{HOSTILE_USER}@%", "Full Admin (CREATE USER)", "Admin", "0"),
    KnownAccount("user_admin@%", "Full Admin (CREATE USER)", "Admin", "0"),
    KnownAccount("columns@%", "Full Admin (UPDATE on mysql.tables_priv)", "Admin", "0"),
)
# MySQL's mandatory role makes everybody without rights of their own a Limited User.
_MYSQL = (
    KnownAccount("frank@%", "Limited User", "User", "none"),
    KnownAccount("ivan@%", "Limited User", "User", "none", "Password Expired"),
    KnownAccount("oscar@%", "Full Admin (SYSTEM_VARIABLES_ADMIN WITH GRANT OPTION)", "Admin", "0"),
    KnownAccount("trent@%", "Server Admin (CONNECTION_ADMIN)", "CONNECTION_ADMIN", "1"),
)
_MARIADB = (
    KnownAccount("frank@%", "User", "User", "none"),
    KnownAccount("ivan@%", "User", "User", "none", "Password Expired"),
    KnownAccount("oscar@%", "Full Admin (BINLOG REPLAY)", "Admin", "0"),
    KnownAccount("trent@%", "Server Admin (CONNECTION ADMIN)", "CONNECTION ADMIN", "1"),
)
