"""`python -m worker_lambda.reader_grants`: the script that makes a least-privilege reader on one kind of server.

Prints SQL for an administrator to read and to run; connects to nothing. No password is in it: on MySQL the account
stays locked until it gets one, on SQL Server sqlcmd takes it from the environment. Exit codes: 0, 2 usage.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass

from worker_lambda.collectors import mysql_reader
from worker_lambda.collectors.mysql_visibility import is_at_least, version_numbers
from worker_lambda.privileges import sqlserver_reader
from worker_lambda.privileges.mysql_catalogue import Flavour, Principal
from worker_lambda.program import Parser, account_name, run

DEFAULT_READER = "db_admin_report"
DEFAULT_VERSIONS = {"mysql": "8.4", "mariadb": "11.8", "mssql": "2022"}
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*([-+~].*)?")  # 8.4, 10.11.6-MariaDB-log
_OLDEST = {"mysql": (5, 7), "mariadb": (10, 6)}
SQLSERVER_MAJORS = {"2014": 12, "2016": 13, "2017": 14, "2019": 15, "2022": 16, "2025": 17}
PASSWORD_VARIABLE = "READER_PASSWORD"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True)
class Script:
    """What to run, in order, and what a person has to know.

    Attributes:
        title: which server it is for.
        before: comment lines above the statements; `after`: below them.
        statements: each ends with a semicolon.
    """

    title: str
    before: tuple[str, ...]
    statements: tuple[str, ...]
    after: tuple[str, ...] = ()

    def text(self) -> str:
        """The script as a file."""
        comments = [f"-- {line}" for line in (self.title, *self.before)]
        return "\n".join([*comments, "", *self.statements, "", *(f"-- {line}" for line in self.after)]).rstrip() + "\n"


def mysql_script(flavour: Flavour, version: tuple[int, ...], reader: Principal, *, iam: bool = False) -> Script:
    """The script for MySQL, MariaDB or Aurora MySQL.

    Args:
        version: as far as known, e.g. (8, 4).
        iam: the account logs in with an RDS token instead of a password.
    """
    who = mysql_reader.account(reader)
    product = "MariaDB" if flavour == "mariadb" else "MySQL"
    title = f"db-admin-report: the least rights that suffice on {product} {'.'.join(map(str, version))}"
    before = ["Run it as an administrator, e.g.: mysql --host HOST --user ADMIN -p < reader.sql"]
    if mysql_reader.needs_view(flavour, version):
        before.append(
            "The view reads with its creator's rights: the hash beside its facts stays out of the reader's reach."
        )
    after: list[str]
    if iam:
        created = f"CREATE USER IF NOT EXISTS {who} IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;"
        after = ["The worker's role needs rds-db:connect for this account."]
    else:
        # A server with a password policy refuses an account without one, locked or not.
        random = " IDENTIFIED BY RANDOM PASSWORD" if flavour == "mysql" and is_at_least(version, (8, 0, 18)) else ""
        created = f"CREATE USER IF NOT EXISTS {who}{random} ACCOUNT LOCK;"
        if not random:
            before.append(
                "Where a password policy refuses the first statement, add IDENTIFIED BY and a password to it."
            )
        after = [
            "Last, with a password of your own, which belongs into the secret that the inventory names:",
            f"ALTER USER {who} IDENTIFIED BY '…' ACCOUNT UNLOCK;",
        ]
    statements = (created, *mysql_reader.grants(flavour, version, reader))
    return Script(title, tuple(before), statements, tuple(after))


def sqlserver_script(major: int, reader: str, *, rds: bool = False) -> Script:
    """The script for SQL Server, for sqlcmd or SSMS in SQLCMD mode.

    Args:
        major: 12 is 2014, 16 is 2022.
        rds: run by the master user of an RDS instance.
    """
    release = next((name for name, number in SQLSERVER_MAJORS.items() if number == major), str(major))
    who, name = sqlserver_reader.delimited(reader), sqlserver_reader.literal(reader)
    statements = [
        "USE [master];",
        f"IF SUSER_ID({name}) IS NULL CREATE LOGIN {who} WITH PASSWORD = N'$({PASSWORD_VARIABLE})';",
        *sqlserver_reader.grants(major, reader, rds=rds),
    ]
    after: list[str] = []
    if rds:
        statements.append(sqlserver_reader.users_in_all_databases(reader))
        after.append("An RDS master cannot grant CONNECT ANY DATABASE: run the last statement again for new databases.")
    where = "RDS for SQL Server" if rds else "SQL Server"
    before = f"Run it as an administrator: {PASSWORD_VARIABLE}=… sqlcmd -S HOST -U ADMIN -i reader.sql"
    return Script(
        f"db-admin-report: the least rights that suffice on {where} {release}",
        (before, "The password belongs into the secret that the inventory names."),
        tuple(statements),
        tuple(after),
    )


def main(arguments: list[str]) -> int:
    """Print the script; the exit code."""
    parser = _parser()
    options = parser.read(arguments)
    version = options.version or DEFAULT_VERSIONS[options.engine]
    if "mariadb" in version.lower() and options.engine == "mysql":  # @@version of a MariaDB, as the inventory has it
        options.engine = "mariadb"
    try:
        script = _script(options, version)
    except ValueError as error:
        parser.error(str(error))
    if options.json:
        answer = {"title": script.title, "statements": script.statements, "notes": [*script.before, *script.after]}
        json.dump(answer, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(script.text())
    return 0


def _script(options: argparse.Namespace, version: str) -> Script:
    if options.platform == "aurora" and options.engine != "mysql":
        raise ValueError(f"--platform aurora: Aurora is MySQL, not {options.engine}")
    if options.engine == "mssql":
        if options.auth == "iam" or options.host:
            raise ValueError("--auth iam and --host are MySQL's")
        return sqlserver_script(_sqlserver_major(version), options.username, rds=options.platform == "rds")
    if options.auth == "iam" and options.platform == "self-managed":
        raise ValueError("--auth iam needs --platform rds or aurora")
    numbers, oldest = version_numbers(version), _OLDEST[options.engine]
    if not _VERSION.fullmatch(version) or numbers < oldest:
        raise ValueError(f"--version {version!r}: {options.engine} is supported from {'.'.join(map(str, oldest))}")
    reader = Principal(options.username, options.host or "%")
    return mysql_script(options.engine, numbers, reader, iam=options.auth == "iam")


def _sqlserver_major(version: str) -> int:
    major = SQLSERVER_MAJORS.get(version) or next(iter(version_numbers(version)), 0)
    if major not in SQLSERVER_MAJORS.values():
        raise ValueError(f"--version {version!r} is none of {', '.join(SQLSERVER_MAJORS)}")
    return major


def _parser() -> Parser:
    parser = Parser(
        "db-admin-report reader-grants",
        "Print the SQL that makes a least-privilege reader; nothing is connected to or changed.",
        "db-admin-report reader-grants --engine mysql --version 8.0 --platform rds > reader.sql",
    )
    add = parser.add_argument
    add("--engine", required=True, choices=sorted(DEFAULT_VERSIONS))
    add("--version", help="of the server: 5.7 to 9.x; MariaDB 10.6 to 11.x; SQL Server 2014 to 2025, or 15.0.4375")
    add("--platform", choices=("self-managed", "rds", "aurora"), default="self-managed")
    add("--username", default=DEFAULT_READER, type=account_name, help=f"of the reader (default: {DEFAULT_READER})")
    add("--host", type=account_name, help="from where a MySQL reader may connect (default: %%)")
    add("--auth", choices=("password", "iam"), default="password")
    add("--json", action="store_true", help="the statements as a list")
    return parser


if __name__ == "__main__":
    run(main)
