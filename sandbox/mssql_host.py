"""`python -m sandbox.mssql_host`: SQL Server stand-ins in a process of their own, so that the reaper can end them.

Reads `{"servers": [[kind, instance], …], "login": …, "password": …}` from standard input, prints one line of JSON, a
list of `{host, port, ca_file}` in that order, and serves until it is ended. The password comes through standard input,
for it must not be in argv.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading

from sandbox.tds.catalogues import known_2019, rds_2022
from sandbox.tds.server import TdsServer

_CATALOGUES = {"mssql-2019": known_2019, "mssql-rds": rds_2022}

_NAMES = {"mssql-2019": "SQL2019-", "mssql-rds": "EC2AMAZ-"}  # RDS names its hosts so


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    asked = json.loads(sys.stdin.readline())
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with contextlib.ExitStack() as stack:
        users = {asked["login"]: asked["password"]}
        where = []
        for kind, instance in asked["servers"]:
            catalogue = _CATALOGUES[kind](f"{_NAMES[kind]}{instance:04d}")
            server = stack.enter_context(TdsServer(catalogue, users))
            where.append({"host": server.host, "port": server.port, "ca_file": str(server.ca_file)})
        print(json.dumps(where), flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
