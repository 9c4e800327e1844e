"""The SQL Server stand-in of `sqlserver_catalogue`, in a process of its own: 5,000 logins, 200 databases.

`python -m benchmarks.sqlserver_standin` reads the reader's password, prints one line of JSON (host, port, ca_file,
rows), and then answers each line with what it did so far: CPU seconds, and batches by name. It ends with its input.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.catalogue import Catalogue
from sandbox.tds.catalogues import READER
from sandbox.tds.server import TdsServer

LOGINS, SERVER_ROLES, DATABASES = 5_000, 50, 200
USERS_PER_DATABASE, ROLES_PER_DATABASE = 50, 10
_DATABASE_ROLES = ("db_datareader", "db_datawriter", "db_ddladmin", "db_owner")


def catalogue() -> Catalogue:
    """A company's server: some logins administer it, most are users of a few databases."""
    server = ServerBuilder("SQL-BENCH").login(READER)
    for n in range(SERVER_ROLES):  # a tree with three branches at each node
        server.role(f"server_role_{n:02d}", roles=(f"server_role_{(n - 1) // 3:02d}",) if n else ())
    server.member("sysadmin", "server_role_07").member("serveradmin", "server_role_05")
    for n in range(LOGINS - 1):
        name, kind = (f"CORP\\login{n:04d}", "U" if n % 20 else "G") if n % 4 == 0 else (f"login{n:04d}", "S")
        server.login(name, kind, roles=(f"server_role_{n % SERVER_ROLES:02d}",) if n % 2 else ())
        if n % 25 == 1:
            server.grant("VIEW SERVER STATE", name)
        if n % 250 == 2:
            server.grant("IMPERSONATE", name, on=f"login{n - 1:04d}")
    for n in range(DATABASES - 4):  # master, tempdb, model and msdb are there
        _database(server, n)
    return server.build()


def _database(server: ServerBuilder, number: int) -> None:
    database = f"database_{number:03d}"
    server.database(database, owner=f"login{4 * number + 1:04d}")
    for n in range(ROLES_PER_DATABASE):
        server.database_role(database, f"role_{n}", roles=(f"role_{n - 1}",) if n else ("db_datareader",))
    for n in range(USERS_PER_DATABASE):
        login = (number * USERS_PER_DATABASE + 4 * n + 3) % (LOGINS - 4) // 4 * 4 + 3  # each fourth is a SQL login
        roles = (_DATABASE_ROLES[n % len(_DATABASE_ROLES)], f"role_{n % ROLES_PER_DATABASE}")
        server.user(database, f"user{n:02d}", login=f"login{login:04d}", roles=roles)
    server.database_grant(database, "CONTROL", "role_0").database_grant(database, "VIEW DEFINITION", "role_1")


def main() -> None:
    """Serve until the standard input closes."""
    password = sys.stdin.readline().strip()
    served = catalogue()
    inside = sum(len(rows) for tables in served.databases.values() for rows in tables.values())
    rows = inside + sum(len(rows) for rows in served.server.values())
    with TdsServer(served, {READER: password}) as server:
        say = {"host": server.host, "port": server.port, "ca_file": str(server.ca_file), "rows": rows}
        print(json.dumps(say), flush=True)
        for _ in sys.stdin:
            batches = Counter(what[1] for what in server.log if what[0] == "batch")
            print(json.dumps({"cpu_seconds": time.process_time(), "batches": batches}), flush=True)


if __name__ == "__main__":
    main()
