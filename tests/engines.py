"""Real database servers for tests, started once per session; the summary says which were used.

With DBADMIN_REQUIRE_ENGINES=1 a server that cannot be had is a failure instead of a skip: for CI.
"""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.engines import (
    EngineUnavailable,
    Kind,
    RunningServer,
    available,
    create_known_accounts,
    create_reader,
    start_mysql,
)
from sandbox.engines.choice import ROOT
from worker_lambda.contract import DatabaseTarget
from worker_lambda.credentials import Credentials
from worker_lambda.result_object import DatabaseResult

REQUIRE_VARIABLE = "DBADMIN_REQUIRE_ENGINES"
READER = "audit_reader"
_used: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """What the report must say of one account, with a reader that sees everything: a line of expected/mysql.csv."""

    tier: str
    rule_id: str
    access_path: str
    role_name: str
    permission_level: str
    user_status: str


def known_accounts(*engines: str) -> dict[str, KnownAccount]:
    """The lines of expected/mysql.csv for these values of its first column, by `user@host`."""
    with (ROOT / "tests/worker_lambda/expected/mysql.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.pop("engine") in engines]
    return {row.pop("account"): KnownAccount(**row) for row in rows}


@dataclass(slots=True)
class KnownServer:
    """A running server with the known accounts and readers made on demand."""

    server: RunningServer
    known: dict[str, KnownAccount] = field(repr=False)

    def target(self, **changes: Any) -> DatabaseTarget:
        """The server as an inventory would declare it, with verified TLS."""
        ca_file = str(self.server.ca_file) if self.server.ca_file else None
        values: dict[str, Any] = {"name": "known", "engine": "mysql", "tls": "verify-full", "ca_file": ca_file}
        return DatabaseTarget(**(values | changes))

    def reader(self, *, complete: bool = True) -> Credentials:
        """A fresh password for the least-privilege reader."""
        password = secrets.token_urlsafe(24)
        create_reader(self.server, READER, password, complete=complete)
        return self.login(READER, password)

    def login(self, username: str, password: str) -> Credentials:
        """Credentials for any account of this server."""
        return Credentials(self.server.host, self.server.port, username, password)

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as root; the rows of the last."""
        rows: list[tuple[Any, ...]] = []
        with self.server.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows = list(cursor.fetchall())
        return rows

    def is_mysql(self) -> bool:
        """Oracle's MySQL, not MariaDB."""
        return self.server.kind == "mysql"


def known_server(kind: Kind) -> Iterator[KnownServer]:
    """Start, fill, hand out, stop. Skips (or fails, see the module) where there is none."""
    # Not pytest's temporary directory: that one is closed to the unprivileged user the server runs as.
    directory = ROOT / ".sandbox" / "test-engines"
    try:
        server = start_mysql(directory, kind=kind)
    except EngineUnavailable as error:
        _used[kind] = f"none ({error})"
        if os.environ.get(REQUIRE_VARIABLE) == "1":
            pytest.fail(f"{kind}: {error}")
        pytest.skip(f"{kind}: {error}")
    _used[kind] = f"{available(kind).source} {server.version}"
    try:
        create_known_accounts(server)
        yield KnownServer(server, known_accounts("both", "mysql" if kind == "mysql" else "mariadb"))
    finally:
        server.stop()
        _remove_if_empty(directory)


def by_username(result: DatabaseResult) -> dict[str, Any]:
    """The items of a result by `user@host`."""
    return {user["username"]: user for user in result.users}


def _remove_if_empty(directory: Path) -> None:
    if directory.exists() and not any(directory.iterdir()):
        directory.rmdir()


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[KnownServer]:
    """MySQL with the known accounts."""
    yield from known_server("mysql")


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[KnownServer]:
    """The newest MariaDB with the known accounts."""
    yield from known_server("mariadb")


@pytest.fixture(scope="session")
def mariadb_10_11_server() -> Iterator[KnownServer]:
    """MariaDB 10.11 with the known accounts."""
    yield from known_server("mariadb-10.11")


@pytest.fixture(params=["mysql_server", "mariadb_server", "mariadb_10_11_server"])
def any_server(request: pytest.FixtureRequest) -> KnownServer:
    """Each engine in turn."""
    server = request.getfixturevalue(request.param)
    assert isinstance(server, KnownServer)
    return server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which engines the run used."""
    for kind, what in sorted(_used.items()):
        terminalreporter.write_line(f"engine {kind}: {what}")
