"""The database servers of a sandbox: one of each kind the plan needs, with the known accounts and one reader."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sandbox import engines
from sandbox.plan import PlannedDatabase, Server
from sandbox.processes import Processes
from sandbox.tds.catalogues import READER


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens, and the CA that signed its certificate."""

    host: str
    port: int
    ca_file: Path | None
    version: str | None = None


@dataclass(slots=True)
class DatabaseServers:
    """Running servers by kind and instance; the reader's password is made anew for each sandbox.

    Attributes:
        running: the real ones, whose `connect` is root's: to change what the next report will find.
    """

    running: dict[tuple[Server, int], engines.RunningServer] = field(default_factory=dict)
    endpoints: dict[tuple[Server, int], Endpoint] = field(default_factory=dict)
    _password: str = field(default_factory=lambda: f"{secrets.token_urlsafe(18)}-Aa1", repr=False)
    _stops: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, repr=False)

    def start(self, needed: list[tuple[Server, int]], processes: Processes, progress: Callable[[str], None]) -> None:
        """Start what the plan needs.

        Raises:
            SandboxError: a stand-in did not start.
            engines.EngineUnavailable: a real server is neither here nor to be had; it says what to install.
        """
        standins = [item for item in needed if item[0].startswith("mssql")]
        if standins:
            self._start_standins(standins, processes)
            progress(f"SQL Server stand-ins: {len(standins)}")
        for kind, instance in needed:
            if kind == "mysql" or kind == "mariadb":
                progress(self._start_engine(kind, instance, processes))

    def stop(self) -> None:
        """Stop the real servers; the stand-ins end with the processes."""
        self._stops.close()

    def secret(self, database: PlannedDatabase) -> str:
        """The text of a database's secret, in the shape of RDS."""
        password = secrets.token_urlsafe(12) if database.wrong_password else self._password
        return json.dumps({"username": READER, "password": password, "engine": database.engine})

    def _start_standins(self, needed: list[tuple[Server, int]], processes: Processes) -> None:
        home = processes.directory / "mssql"
        home.mkdir(exist_ok=True)
        environment = {"PATH": os.defpath, "TMPDIR": str(home)}  # certificates go with the directory
        order = json.dumps({"servers": needed, "login": READER, "password": self._password})
        answer = processes.ask("mssql", [sys.executable, "-m", "sandbox.mssql_host"], environment, order)
        for item, where in zip(needed, json.loads(answer), strict=True):
            self.endpoints[item] = Endpoint(where["host"], where["port"], Path(where["ca_file"]))

    def _start_engine(self, kind: Literal["mysql", "mariadb"], instance: int, processes: Processes) -> str:
        actual = _obtainable(kind)
        server = engines.start_mysql(processes.directory / "engines", kind=actual)
        self._stops.callback(server.stop)
        if server.pid is not None:
            processes.adopt(server.pid)
        engines.create_known_accounts(server)
        engines.create_reader(server, READER, self._password)
        self.running[kind, instance] = server
        self.endpoints[kind, instance] = Endpoint(server.host, server.port, server.ca_file, server.version)
        return f"{actual} {server.version}" + ("" if actual == kind else f" in place of {kind}")


def _obtainable(kind: Literal["mysql", "mariadb"]) -> Literal["mysql", "mariadb"]:
    """The kind itself where it can be had, else the other of the family; start_mysql says so when neither can."""
    other: Literal["mysql", "mariadb"] = "mariadb" if kind == "mysql" else "mysql"
    here = engines.available(kind).source != "none"
    return kind if here or engines.available(other).source == "none" else other
