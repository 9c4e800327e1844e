"""`python -m worker_lambda.probe`: collect from one database from where you stand, without AWS.

For a DBA who wants to see whether the reader's rights suffice, and what to grant where they do not.
Exit codes: 0 complete, 1 no data, 2 usage, 3 partial.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from worker_lambda import collect
from worker_lambda.collectors import collector_for
from worker_lambda.contract import DEFAULT_PORTS, HOST, DatabaseTarget
from worker_lambda.credentials import Credentials
from worker_lambda.errors import DatabaseError
from worker_lambda.privileges.wording import printable
from worker_lambda.program import FAILED, Parser, account_name, environment_variable, run
from worker_lambda.result_object import DatabaseResult

COMPLETE, PARTIAL = 0, 3
_LONGEST_SECONDS = 86_400
_NO_ACCOUNT, _NO_REGION = "000000000000", "local"


def main(arguments: list[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run the probe; the exit code."""
    parser = _parser()
    options = parser.read(arguments)
    password = environ.get(options.password_env)
    if not password:
        parser.error(f"the environment variable {options.password_env} is not set or empty")
    if not HOST.fullmatch(options.host):
        parser.error("--host has a form that is not allowed")
    port = DEFAULT_PORTS[options.engine] if options.port is None else options.port
    if not 1 <= port <= 65535:
        parser.error("--port is not a port number")
    if not 0 < options.timeout_seconds <= _LONGEST_SECONDS:
        parser.error(f"--timeout-seconds must lie between 0 and {_LONGEST_SECONDS}")
    target = DatabaseTarget(
        name=options.database_name or options.host,
        engine=options.engine,
        host=options.host,
        port=port,
        tls=options.tls,
        ca_file=options.ca_file,
        master_username=options.master_username,
    )
    answer, code = probe(target, options.username, password, options.timeout_seconds)
    if options.json:
        json.dump(answer, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _show(answer, sys.stdout)
    return code


def probe(target: DatabaseTarget, username: str, password: str, timeout_seconds: float) -> tuple[dict[str, Any], int]:
    """Collect from one database: the answer with the worker JSON's items, and the exit code."""
    credentials = Credentials(target.host or "", target.port or DEFAULT_PORTS[target.engine], username, password)
    deadline = time.monotonic() + timeout_seconds
    try:
        result: DatabaseResult = collector_for(target.engine)(target, credentials, deadline, _NO_ACCOUNT, _NO_REGION)
    except DatabaseError as error:
        failure = collect.failure(target, error.reason, error.detail)
        empty: list[object] = []
        database = collect.failed_connection(target)
        return {"database": database, "adminUsers": empty, "warnings": empty, "errors": [failure]}, FAILED
    answer = {
        "database": result.connection,
        "adminUsers": result.users,
        "warnings": result.warnings,
        "errors": [],
    }
    return answer, COMPLETE if result.connection["status"] == "complete" else PARTIAL


def _parser() -> Parser:
    parser = Parser(
        "db-admin-report probe",
        "Collect from one database from here, without AWS: do the reader's rights suffice, and if not, what to grant?",
        "READER_PASSWORD=... db-admin-report probe --engine mysql --host db.example.com --username db_admin_report \\\n"
        "    --password-env READER_PASSWORD",
    )
    add = parser.add_argument
    add("--engine", required=True, choices=sorted(DEFAULT_PORTS))
    add("--host", required=True)
    add("--port", type=int, help="default: 3306 or 1433")
    add("--username", required=True, type=account_name)
    add("--password-env", required=True, metavar="VAR", type=environment_variable, help="variable with the password")
    add("--database-name", metavar="NAME", help="name in the report (default: the host)")
    add("--tls", choices=("verify-full", "require", "off"), default="verify-full")
    add(
        "--ca-file",
        metavar="FILE",
        help="PEM bundle to verify the server with (default: the RDS roots or the system's)",
    )
    add("--master-username", metavar="NAME", help="of an RDS for SQL Server: no catalogue tells it")
    add("--timeout-seconds", type=float, default=60.0, metavar="SECONDS")
    add("--json", action="store_true", help="the worker's JSON items")
    return parser


def _show(answer: dict[str, Any], out: TextIO) -> None:
    database = answer["database"]
    version = printable(database["engine_version"] or "version unknown")
    out.write(f"{printable(database['name'])}: {database['status']}, {version}\n")
    out.write(f"{database['users']} users, {database['admins']} admins\n")
    for item in answer["errors"]:
        out.write(f"ERROR    {item['reason']} ({printable(item['detail'])})\n")
    for item in answer["warnings"]:
        out.write(f"WARNING  {printable(item['text'])}\n")
    if cures := [cure for item in answer["warnings"] for cure in item.get("cures", [])]:
        out.write("An administrator of the server cures it with:\n")
        out.writelines(f"  {printable(cure)}\n" for cure in cures)
    listed = [user for user in answer["adminUsers"] if user["excluded_by_policy"] is None]
    if listed:
        out.write("\n")
        out.writelines(_table([_HEADS, *([printable(user[key]) for key in _COLUMNS] for user in listed)]))


_COLUMNS = ("username", "role_name", "permission_level", "user_status", "access_path")
_HEADS = ("Username", "Role Name", "Permission Level", "User Status", "Access Path")
_WIDEST = 48  # a longer cell pushes the rest of its own line only


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [min(_WIDEST, max(len(row[n]) for row in rows)) for n in range(len(_HEADS))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"


if __name__ == "__main__":
    run(main)
