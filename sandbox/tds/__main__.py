"""`python -m sandbox.tds`: one stand-in in the foreground, until it is interrupted or its standard input closes."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading

from sandbox.tds import catalogues
from sandbox.tds.server import TdsServer
from sandbox.tds.session import Fault

CATALOGUES = {"known-2019": catalogues.known_2019, "rds-2022": catalogues.rds_2022}


def main(arguments: list[str] | None = None) -> int:
    """Serve, after one JSON line on standard output: host, port, ca_file, pid. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.tds", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--catalogue", choices=sorted(CATALOGUES), default="known-2019")
    parser.add_argument("--name", help="server name, so that several stand-ins are several servers")
    parser.add_argument("--username", default=catalogues.READER)
    parser.add_argument("--password-env", required=True, help="name of the variable that holds the password")
    parser.add_argument("--few-rights", action="store_true", help="the reader lacks VIEW ANY DEFINITION")
    parser.add_argument("--fault", choices=[str(f) for f in Fault], default=str(Fault.NONE))
    parser.add_argument("--fault-query", help="misbehave on this query only")
    parser.add_argument("--delay-ms", type=int, default=0, help="before each answer")
    parser.add_argument("--no-tls", action="store_true")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that holds our input")
    options = parser.parse_args(arguments)
    password = os.environ.get(options.password_env)
    if not password:
        parser.error(f"the variable {options.password_env} is empty or not set")
    make = CATALOGUES[options.catalogue]
    catalogue = make(options.name) if options.name else make()
    if options.few_rights:
        catalogue = catalogue.seen_with_few_rights(options.username)
    server = TdsServer(
        catalogue,
        {options.username: password},
        tls=not options.no_tls,
        fault=Fault(options.fault),
        fault_query=options.fault_query,
        delay_seconds=options.delay_ms / 1000,
        port=options.port,
    )
    _serve(server, watch_stdin=options.until_stdin_closes)
    return 0


def _serve(server: TdsServer, *, watch_stdin: bool) -> None:
    # Blocked here, before any thread starts, and waited for: a handler that sets an Event can deadlock with its waiter.
    endings = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    with server:
        facts = {"host": server.host, "port": server.port, "ca_file": str(server.ca_file), "pid": os.getpid()}
        print(json.dumps(facts), flush=True)
        if watch_stdin:
            threading.Thread(target=_end_with_stdin, daemon=True).start()
        signal.sigwait(endings)


def _end_with_stdin() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock, held by a daemon thread, would break the interpreter's exit
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
