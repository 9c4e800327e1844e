"""Private database servers: on loopback only, gone with whoever started them, chosen and named openly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pymysql
import pytest

from sandbox.engines import EngineUnavailable, RunningServer, available, choice, start_mysql
from sandbox.engines.choice import ROOT, Kind


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that an unprivileged user may enter, unlike pytest's own."""
    path = ROOT / ".sandbox" / f"test-engines-{os.getpid()}"
    path.mkdir(parents=True)
    yield path
    path.rmdir()  # fails when a server left anything behind


def started(directory: Path, kind: Kind) -> RunningServer:
    if available(kind).source != "prefix":
        pytest.skip(f"no server of our own to look at: {available(kind)}")
    return start_mysql(directory, kind=kind)


@pytest.fixture(params=["mysql", "mariadb"])
def server(request: pytest.FixtureRequest, directory: Path) -> Iterator[RunningServer]:
    running = started(directory, request.param)
    yield running
    running.stop()


def test_it_listens_on_its_loopback_port_only(server: RunningServer) -> None:
    assert server.pid is not None
    addresses = [c.laddr for c in psutil.Process(server.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert [(a.ip, a.port) for a in addresses] == [("127.0.0.1", server.port)]


def test_it_does_not_run_as_root_where_it_need_not(server: RunningServer) -> None:
    assert server.pid is not None
    if os.geteuid() == 0 and all(p.stat().st_mode & 0o001 for p in (ROOT, *ROOT.parents)):
        assert psutil.Process(server.pid).username() == "nobody"


def test_root_needs_its_password_and_the_name_in_the_certificate_verifies(server: RunningServer) -> None:
    for host in ("127.0.0.1", "localhost"):
        verified = {"ca": str(server.ca_file), "check_hostname": True, "verify_mode": True}
        with server.connect(host=host, ssl=verified) as connection:
            assert connection.open
    with pytest.raises(pymysql.err.OperationalError):
        server.connect(password="")


def test_its_password_is_neither_in_its_arguments_nor_in_a_repr(server: RunningServer) -> None:
    assert server.pid is not None
    assert server.root_password not in repr(server)
    assert server.root_password not in " ".join(psutil.Process(server.pid).cmdline())


def test_stopping_twice_leaves_nothing(directory: Path) -> None:
    running = started(directory, "mariadb")
    running.stop()
    running.stop()
    assert running.pid is not None
    assert not psutil.pid_exists(running.pid)
    assert list(directory.iterdir()) == []


_STARTER = """
import sys, threading, time
from pathlib import Path
from sandbox.engines import start_mysql
servers = []
# From a thread that ends: the server must not end with it.
thread = threading.Thread(target=lambda: servers.append(start_mysql(Path(sys.argv[1]), kind="mariadb")))
thread.start(); thread.join()
time.sleep(0.2)
servers[0].connect().close()
print(servers[0].pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_it_dies_with_its_starter_and_takes_its_files(directory: Path, number: signal.Signals) -> None:
    if available("mariadb").source != "prefix":
        pytest.skip(f"no server of our own to look at: {available('mariadb')}")
    starter = subprocess.Popen(
        [sys.executable, "-c", _STARTER, str(directory)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    assert starter.stdout is not None
    with starter, starter.stdout:
        pid = int(starter.stdout.readline())
        assert psutil.pid_exists(pid)
        starter.send_signal(number)
        starter.wait(20)
    give_up_at = time.monotonic() + 20
    while psutil.pid_exists(pid) or any(directory.iterdir()):
        assert time.monotonic() < give_up_at, "a process or a file was left behind"
        time.sleep(0.02)


def test_a_dsn_in_the_environment_is_chosen_first_and_its_password_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DBADMIN_TEST_MYSQL_DSN", "mysql://root:dsn-secret@db.example.com:3306")
    engine = available.__wrapped__("mysql")
    assert str(engine) == "mysql: dsn (DBADMIN_TEST_MYSQL_DSN)"
    assert "dsn-secret" not in repr(engine)


def test_where_none_can_be_had_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choice, "_docker_answers", lambda: False)
    monkeypatch.setattr(choice, "TOOLS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DBADMIN_TEST_MYSQL_DSN", raising=False)
    engine = available.__wrapped__("mysql")
    assert engine.source == "none"
    assert "install Docker, or set DBADMIN_TEST_MYSQL_DSN" in engine.detail
    assert "\n" not in engine.detail


def test_asking_for_a_server_that_cannot_be_had_says_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    none = choice.Engine("mysql", "none", "install Docker")
    monkeypatch.setattr("sandbox.engines.server.available", lambda kind: none)
    with pytest.raises(EngineUnavailable, match="install Docker"):
        start_mysql(tmp_path)
