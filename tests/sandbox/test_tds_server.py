"""The SQL Server stand-in itself: it refuses what it does not know, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.tds import wire
from sandbox.tds.catalogues import READER, known_2019
from sandbox.tds.server import TdsServer
from worker_lambda.collectors import sqlserver_queries as queries

ROOT = str(Path(__file__).resolve().parents[2])


@pytest.fixture
def cursor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[object]:
    """A cursor of the real driver on a stand-in without TLS; nothing here fails to log in, which would poison us."""
    pymssql = pytest.importorskip("pymssql")
    monkeypatch.setenv("FREETDSCONF", str(tmp_path / "none.conf"))
    with TdsServer(known_2019(), {READER: "pw"}, tls=False) as server:
        connection = pymssql.connect(
            server=server.host, port=str(server.port), user=READER, password="pw", tds_version="7.4",
            encryption="off", conn_properties=queries.SESSION, autocommit=True,
        )  # fmt: skip
        yield connection.cursor()
        connection.close()


@pytest.mark.parametrize(
    "text",
    ["SELECT 1", "SELECT name FROM sys.server_principals", "/* db-admin-report:nothing */ SELECT 1", "DROP LOGIN sa"],
)
def test_a_text_it_does_not_know_is_an_error_and_never_an_empty_answer(cursor: object, text: str) -> None:
    with pytest.raises(Exception, match="208"):
        cursor.execute(text)  # type: ignore[attr-defined]


def test_using_an_unknown_database_is_error_911(cursor: object) -> None:
    with pytest.raises(Exception, match="911"):
        cursor.execute(queries.use_database("nowhere"))  # type: ignore[attr-defined]


def test_what_is_read_is_what_the_catalogue_holds(cursor: object) -> None:
    cursor.execute(queries.SERVER_QUERIES["server_principals"])  # type: ignore[attr-defined]

    found = {row[1]: row[5] for row in cursor.fetchall()}  # type: ignore[attr-defined]  # name, sid
    assert found == {row["name"]: row["sid"] for row in known_2019().server["server_principals"]}


def test_a_login_shows_no_password_in_its_repr() -> None:
    assert "secret" not in repr(wire.Login("u", "a", "d", 0x74000004, 4096, "secret"))


def test_two_servers_have_their_own_ports_and_authorities() -> None:
    with TdsServer(known_2019(), {}) as one, TdsServer(known_2019(), {}) as two:
        assert one.port != two.port
        assert one.ca_file.read_bytes() != two.ca_file.read_bytes()


def test_a_stopped_server_leaves_neither_port_nor_file() -> None:
    with TdsServer(known_2019(), {}) as server:
        ca_file = server.ca_file
        socket.create_connection((server.host, server.port)).close()

    assert not ca_file.exists()
    with pytest.raises(OSError):
        socket.create_connection((server.host, server.port), timeout=5)


@pytest.mark.parametrize("end", ["terminate", "close its input"])
def test_the_command_serves_until_it_is_told_to_end(end: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.tds", "--password-env", "TDS_PASSWORD", "--until-stdin-closes"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "TDS_PASSWORD": "pw"},
    )  # fmt: skip
    try:
        assert process.stdin and process.stdout
        facts = json.loads(process.stdout.readline())
        socket.create_connection((facts["host"], facts["port"])).close()
        if end == "terminate":
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        assert process.wait(timeout=30) == 0
        assert not Path(facts["ca_file"]).exists()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
