"""One real MySQL server with 10,000 accounts, 200 nested roles and 30,000 grants: what a whole `collect` costs.

Measured: a fresh interpreter per run imports the collector and collects once as the least-privilege reader, over
verified TLS. Statements are counted by the server. Beside it, what a person would do: SHOW GRANTS for each account.
"""

from __future__ import annotations

import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measured import as_child, in_fresh_interpreter, peak_mib, resident_mib, spread, timed
from sandbox.engines import RunningServer, available, create_reader, start_mysql

ACCOUNTS, ROLES, SCHEMAS = 10_000, 200, 300
RUNS = 7
ASKED_ONE_BY_ONE = 500
READER = "audit_reader"
_A_STATEMENT = 1000  # accounts named in one CREATE USER or GRANT
_DYNAMIC = ("BACKUP_ADMIN", "CONNECTION_ADMIN", "SYSTEM_VARIABLES_ADMIN", "XA_RECOVER_ADMIN")
_ROWS = {"mysql.user": "accounts and roles", "mysql.role_edges": "role grants", "mysql.db": "schema grants",
         "mysql.global_grants": "dynamic privileges"}  # fmt: skip


def main() -> None:
    """Fill a server, collect from it, print the figures."""
    if as_child(collect_once):
        return
    if available("mysql").source == "dsn":
        print("not measured: it would fill the server of the DSN with accounts")
        return
    with tempfile.TemporaryDirectory() as directory:
        server = start_mysql(Path(directory))
        try:
            password = secrets.token_urlsafe(24)
            began = time.perf_counter()
            create_reader(server, READER, password)
            fill(server)
            print(f"{server.version}, filled in {time.perf_counter() - began:.0f} s: {', '.join(sizes(server))}")
            report(server, password)
        finally:
            server.stop()


def report(server: RunningServer, password: str) -> None:
    """Collect in fresh interpreters; then the same by SHOW GRANTS."""
    request = {"host": server.host, "port": server.port, "ca_file": str(server.ca_file), "password": password}
    before = statements(server)
    runs = [in_fresh_interpreter("benchmarks.mysql_catalogue", request) for _ in range(RUNS)]
    after = statements(server)
    print(f"median (least to largest) of {RUNS} runs, each in a fresh interpreter")
    for name in ("collect", "probe", "facts", "read_facts", "evaluate", "connect and rows"):
        print(f"{name:<17} {spread([run['seconds'][name] for run in runs])} s")
    print(f"peak RSS          {spread([run['peak_mib'] for run in runs], 0)} MiB, ", end="")
    print(f"{statistics.median(run['before_mib'] for run in runs):.0f} MiB before collecting")
    print(f"rows              {runs[0]['rows']:,} fetched, {runs[0]['users']:,} accounts judged")
    per_run = ", ".join(f"{after[n] - before.get(n, 0)} {n}" for n in after if after[n] > before.get(n, 0))
    print(f"statements        {per_run} in {RUNS} runs, counted by the server")
    seconds, grants = show_grants(server)
    print(
        f"SHOW GRANTS       {seconds:.2f} s for {ASKED_ONE_BY_ONE} accounts ({grants:,} lines), one connection; ",
        end="",
    )
    print(f"for all {seconds * ACCOUNTS / ASKED_ONE_BY_ONE:.1f} s and {ACCOUNTS:,} round trips, nothing judged")


# --- the measured process ---------------------------------------------------------------------


def collect_once(request: dict[str, Any]) -> dict[str, Any]:
    """Import the collector, collect, and say how long each step took and how much memory it needed."""
    from worker_lambda.collectors import mysql
    from worker_lambda.collectors.mysql_connection import Session
    from worker_lambda.contract import DatabaseTarget
    from worker_lambda.credentials import Credentials

    seconds: dict[str, float] = {}
    timed(Session, "query", seconds, "probe", "facts")
    timed(mysql, "read_facts", seconds, "read_facts")
    timed(mysql, "evaluate", seconds, "evaluate")
    target = DatabaseTarget("bench", "mysql", ca_file=request["ca_file"])
    credentials = Credentials(request["host"], request["port"], READER, request["password"])
    before = resident_mib()
    began = time.perf_counter()
    result = mysql.collect(target, credentials, time.monotonic() + 120, "111111111111", "us-east-1")
    whole = time.perf_counter() - began
    if result.connection["status"] != "complete":
        raise SystemExit(f"not complete: {result.warnings}")
    seconds |= {"collect": whole, "connect and rows": whole - sum(seconds.values())}
    counts = {"rows": result.connection["rows_fetched"], "users": result.connection["users"]}
    return {"seconds": seconds, "before_mib": before, "peak_mib": peak_mib(), **counts}


# --- the server -------------------------------------------------------------------------------


def fill(server: RunningServer) -> None:
    """Create accounts, roles and grants with ordinary statements, each for many accounts."""
    with server.connect() as connection, connection.cursor() as cursor:
        for statement in filling():
            cursor.execute(statement)


def filling() -> Iterator[str]:
    """The statements. Every account gets the same hash, of no known password: hashing 10,000 would take minutes."""
    users = [f"'user{n:05d}'@'10.%'" for n in range(ACCOUNTS)]
    roles = [f"'role{n:03d}'" for n in range(ROLES)]
    for part in _parts(users):
        accounts = ", ".join(f"{user} IDENTIFIED WITH caching_sha2_password AS {_HASH}" for user in part)
        yield f"CREATE USER {accounts}"
    yield f"CREATE ROLE {', '.join(roles)}"
    second = random.Random(1).sample(users, ACCOUNTS // 5)  # so that many sets of roles are held by one account only
    for n in range(1, ROLES):  # a tree with three branches at each node, five deep
        yield f"GRANT {roles[(n - 1) // 3]} TO {roles[n]}"
    yield f"GRANT SUPER ON *.* TO {roles[7]}, {roles[30]}, {roles[150]}"
    for n, role in enumerate(roles):
        yield from _grants(f"SELECT, EXECUTE ON app_{n % SCHEMAS:03d}.*", [role])
        yield from _grants(role, users[n::ROLES])
        yield from _grants(role, second[n::ROLES])
    for n in range(SCHEMAS):
        yield from _grants(f"SELECT, INSERT, UPDATE, DELETE ON app_{n:03d}.*", users[n::SCHEMAS])
        yield from _grants(f"ALL ON own_{n:03d}.*", users[n :: 2 * SCHEMAS])
    for n, privilege in enumerate(_DYNAMIC):
        yield from _grants(f"{privilege} ON *.*", users[n :: 4 * len(_DYNAMIC)])
    yield from _grants("CREATE USER ON *.*", users[::500])
    for part in _parts(users[::10]):  # who left: such an account looks like a role until its grants are known
        yield f"ALTER USER {', '.join(part)} PASSWORD EXPIRE ACCOUNT LOCK"


_HASH = "0x" + (b"$A$005$" + b"x" * 20 + b"y" * 43).hex()


def _grants(what: str, accounts: list[str]) -> Iterator[str]:
    for part in _parts(accounts):
        yield f"GRANT {what} TO {', '.join(part)}"


def _parts(accounts: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(accounts), _A_STATEMENT):
        yield accounts[at : at + _A_STATEMENT]


def sizes(server: RunningServer) -> list[str]:
    """How many rows each grant table has."""
    with server.connect() as connection, connection.cursor() as cursor:
        found = []
        for table, name in _ROWS.items():
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
            ((count,),) = cursor.fetchall()
            found.append(f"{count:,} {name}")
        return found


def statements(server: RunningServer) -> dict[str, int]:
    """What the server counted for the reader so far, by kind of statement."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT SUBSTRING_INDEX(EVENT_NAME, '/', -1), COUNT_STAR"
            " FROM performance_schema.events_statements_summary_by_user_by_event_name"
            " WHERE USER = %s AND COUNT_STAR > 0",
            (READER,),
        )
        return {str(name): int(count) for name, count in cursor.fetchall()}


def show_grants(server: RunningServer) -> tuple[float, int]:
    """SHOW GRANTS for accounts spread over the server, as root, one after the other: seconds, and lines of answer."""
    with server.connect() as connection, connection.cursor() as cursor:
        began, lines = time.perf_counter(), 0
        for n in range(0, ACCOUNTS, ACCOUNTS // ASKED_ONE_BY_ONE):
            cursor.execute("SHOW GRANTS FOR %s@'10.%%'", (f"user{n:05d}",))
            lines += len(cursor.fetchall())
        return time.perf_counter() - began, lines


if __name__ == "__main__":
    main()
