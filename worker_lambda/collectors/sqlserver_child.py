"""One SQL Server, one process: reads the catalogues and writes them to standard output; decides nothing.

Run as `python -m worker_lambda.collectors.sqlserver_child` by `sqlserver.py`, which says why. Standard input is one
JSON object (`Request`), standard output is JSON lines: `{"stage": …}` as work goes on, and last either
`{"tables": …}` or `{"failure": …}`. FreeTDS takes the server's address and its trust from FREETDSCONF.

Every stage arms SIGALRM with its default action: C code that waits on a trickling server never returns to Python, so
only the kernel can end it. Whoever reads the exit code sees the stage that hung.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any, TypedDict

from worker_lambda.collectors import sqlserver_queries as queries
from worker_lambda.collectors.sqlserver_diagnosis import asks_for_tls, diagnose

APP_NAME = "db-admin-report"
SERVER_SECTION = "db-admin-report:server"  # the colon keeps pymssql from adding a port to the section's name
ALARM_GRACE_SECONDS = 3.0

# DB-Library's own errors begin here: the connection is gone. A lower number, the server's, costs one database only.
DRIVER_ERRORS = 20000
TLS_OR_CLOSED = 20002
TIMED_OUT_TEXT = "error message 20003"


class Request(TypedDict):
    """What the parent asks for. `host` and `port` serve the diagnosis; FreeTDS reads them from its own file."""

    host: str
    port: int
    username: str
    password: str
    database: str
    encryption: str
    login_timeout_seconds: int
    query_timeout_seconds: int
    remaining_seconds: float


class Table(TypedDict):
    """One answer: column names, and rows of str, int, None; varbinary as `0x…`."""

    columns: list[str]
    rows: list[list[Any]]


class _Output:
    def __init__(self, secret: str) -> None:
        self._secret = secret

    def say(self, item: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(item, ensure_ascii=True, default=_plain) + "\n")
        sys.stdout.flush()

    def clean(self, error: BaseException) -> tuple[int, str]:
        """Number and text of a pymssql error, without the password should a server ever echo it."""
        number, text = _number_and_text(error)
        return number, text.replace(self._secret, "[redacted]") if self._secret else text


def _plain(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return "0x" + value.hex()
    return str(value)


def _number_and_text(error: BaseException) -> tuple[int, str]:
    args = error.args
    if args and isinstance(args[0], tuple):
        args = args[0]
    number = args[0] if args and isinstance(args[0], int) else 0
    raw = args[1] if len(args) > 1 else (args[0] if args else type(error).__name__)
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return number, text


def _errors() -> tuple[type[Exception], ...]:
    """What pymssql raises: DB-API errors, the driver's own that it sometimes lets through, refused arguments."""
    import pymssql

    return (pymssql.Error, pymssql.exceptions.Error, pymssql._mssql.MSSQLException, ValueError)


class _Clock:
    """Arms the alarm for the next stage, never beyond what remains of the whole."""

    def __init__(self, remaining_seconds: float) -> None:
        self._end = time.monotonic() + remaining_seconds + 1

    def arm(self, seconds: float) -> None:
        left = self._end - time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, max(0.01, min(seconds + ALARM_GRACE_SECONDS, left)))


def _read(cursor: Any, text: str) -> Table:
    cursor.execute(text)
    if cursor.description is None:
        raise ValueError("the server answered without a result set")
    rows: Sequence[Sequence[Any]] = cursor.fetchall()
    return {"columns": [c[0] for c in cursor.description], "rows": [list(row) for row in rows]}


def _column(table: Table, name: str) -> int:
    return table["columns"].index(name)


def _databases(cursor: Any, table: Table, request: Request, clock: _Clock, out: _Output) -> list[dict[str, Any]]:
    """Every database's catalogues, or the error that kept us out of it. An inaccessible one is not tried."""
    name_at, access_at = _column(table, "name"), _column(table, "has_access")
    found: list[dict[str, Any]] = []
    for row in table["rows"]:
        item: dict[str, Any] = {"name": row[name_at], "tables": None, "failure": None}
        found.append(item)
        if row[access_at] != 1:
            continue
        clock.arm(request["query_timeout_seconds"] * (1 + len(queries.DATABASE_QUERIES)))
        try:
            cursor.execute(queries.use_database(row[name_at]))
            item["tables"] = {n: _read(cursor, text) for n, text in queries.DATABASE_QUERIES.items()}
        except _errors() as error:
            number, text = out.clean(error)
            if not 0 < number < DRIVER_ERRORS:
                raise
            item["failure"] = {"number": number, "message": text}
    return found


def _collect(connection: Any, request: Request, clock: _Clock, out: _Output) -> None:
    tables: dict[str, Table] = {}
    with connection.cursor() as cursor:
        for name, text in queries.SERVER_QUERIES.items():
            clock.arm(request["query_timeout_seconds"])
            out.say({"stage": name})
            tables[name] = _read(cursor, text)
        out.say({"stage": "databases_read"})
        databases = _databases(cursor, tables["databases"], request, clock, out)
    out.say({"tables": tables, "databases": databases})


def _connect(request: Request, out: _Output, clock: _Clock) -> Any | None:
    """A connection, or None after saying why there is none."""
    try:
        import pymssql
    except ImportError as error:
        out.say({"failure": {"stage": "start", "number": 0, "message": f"no driver: {error}", "network": "unknown"}})
        return None
    login_timeout = request["login_timeout_seconds"]
    clock.arm(login_timeout)
    try:
        return pymssql.connect(
            server=SERVER_SECTION,
            user=request["username"],
            password=request["password"],
            database=request["database"],
            login_timeout=login_timeout,
            timeout=request["query_timeout_seconds"],
            tds_version="7.4",
            encryption=request["encryption"],
            appname=APP_NAME,
            conn_properties=queries.SESSION,
            autocommit=True,
        )
    except _errors() as error:
        number, text = out.clean(error)
    clock.arm(login_timeout)
    network = diagnose(request["host"], request["port"], login_timeout)
    if number == TLS_OR_CLOSED and network == "connected" and TIMED_OUT_TEXT not in text:
        network = asks_for_tls(request["host"], request["port"], login_timeout)
    out.say({"failure": {"stage": "connect", "number": number, "message": text, "network": network}})
    return None


def run(request: Request) -> int:
    """Connect, read, answer. Returns the exit code: 0 whenever the last line says how it ended."""
    out, clock = _Output(request["password"]), _Clock(request["remaining_seconds"])
    connection = _connect(request, out, clock)
    if connection is None:
        return 0
    out.say({"stage": "connected"})
    try:
        _collect(connection, request, clock, out)
    except _errors() as error:
        number, text = out.clean(error)
        out.say({"failure": {"stage": "query", "number": number, "message": text, "network": "connected"}})
    finally:
        clock.arm(1)
        connection.close()
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    sys.exit(run(json.load(sys.stdin)))
