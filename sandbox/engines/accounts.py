"""Accounts whose rights are known, for a real server: what the demo shows and the tests expect.

What they are granted stands in known/*.sql, what the report must say of them in tests/worker_lambda/expected/mysql.csv.
Passwords are random and thrown away: nobody logs in as these, except the reader.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from sandbox.engines.server import RunningServer
from worker_lambda.collectors import mysql_reader
from worker_lambda.collectors.mysql_visibility import VIEW, version_numbers
from worker_lambda.privileges.mysql_catalogue import Principal
from worker_lambda.reader_grants import mysql_script

_FILES = Path(__file__).with_name("known")
_CREATES = re.compile(r"CREATE (USER|ROLE) ((?:`(?:[^`]|``)+`|''|\w+)(?:@'[^']*')?)")
_PLUGIN_IS_THERE = 1125


def create_known_accounts(server: RunningServer) -> None:
    """Create the accounts and roles, dropping them first where they are there already."""
    mysql = server.kind == "mysql"
    with server.connect() as connection, connection.cursor() as cursor:
        if mysql:
            cursor.execute("SET GLOBAL mandatory_roles = ''")  # such a role cannot be dropped
        for statement in [*_statements("common"), *_statements("mysql" if mysql else "mariadb")]:
            if created := _CREATES.match(statement):
                cursor.execute(f"DROP {created[1]} IF EXISTS {created[2]}")
            try:
                cursor.execute(statement.replace("{password}", secrets.token_urlsafe(24)))
            except connection.OperationalError as error:
                if error.args[0] != _PLUGIN_IS_THERE:
                    raise


def _statements(name: str) -> Iterator[str]:
    lines = (_FILES / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return (line for line in lines if line and not line.startswith("--"))


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
