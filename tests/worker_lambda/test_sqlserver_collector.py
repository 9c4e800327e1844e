"""The SQL Server collector with the real driver against the stand-in: TLS, causes of failure, deadlines, left-overs."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.catalogue import Catalogue
from sandbox.tds.catalogues import READER, known_2019, rds_2022
from sandbox.tds.server import TdsServer
from sandbox.tds.session import Fault
from tests.worker_lambda.sqlserver_expected import as_rows, expected
from worker_lambda.collectors import sqlserver, sqlserver_diagnosis, sqlserver_process
from worker_lambda.collectors.sqlserver import collect
from worker_lambda.collectors.sqlserver_errors import from_exit, from_failure
from worker_lambda.collectors.sqlserver_freetds import configuration
from worker_lambda.contract import DatabaseTarget, Reason, Tls
from worker_lambda.credentials import Credentials
from worker_lambda.errors import DatabaseError
from worker_lambda.result_object import DatabaseResult

PASSWORD = "p@ss;{}='\"\\ wörd"
USERS = {READER: PASSWORD}


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One second for a login and for a query, so that a test of a time-out is quick."""
    monkeypatch.setattr(sqlserver, "LOGIN_TIMEOUT_SECONDS", 1)
    monkeypatch.setattr(sqlserver, "QUERY_TIMEOUT_SECONDS", 1)


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After each test no reading process and no driver configuration is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = {p.pid for p in psutil.process_iter() if _is_reader(p)}
    yield
    assert not [p for p in psutil.process_iter() if p.pid not in before and _is_reader(p) and _is_ours(p, tmp_path)]
    assert not list(tmp_path.glob("db-admin-report-*"))


def _is_reader(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and any("sqlserver_child" in a for a in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def _is_ours(process: psutil.Process, directory: Path) -> bool:
    """Whether a reading process was started under this test's directory, by itself or by an orphan of ours."""
    try:
        return process.environ().get("HOME", "").startswith(str(directory))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def read(server: TdsServer, seconds: float = 60, **changes: Any) -> DatabaseResult:
    """Collect from a stand-in; `changes` go to the target, or to the credentials (username, password, host, port)."""
    login: dict[str, Any] = {"host": server.host, "port": server.port, "username": READER, "password": PASSWORD}
    login.update({k: changes.pop(k) for k in tuple(changes) if k in login})
    target = DatabaseTarget("prod-mssql-01", "mssql", **{"ca_file": str(server.ca_file), **changes})
    return collect(target, Credentials(**login), time.monotonic() + seconds, "123456789012", "us-east-1")


def failure(server: TdsServer, seconds: float = 60, **changes: Any) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught:
        read(server, seconds, **changes)
    assert PASSWORD not in str(caught.value) and PASSWORD not in repr(caught.value.__cause__)
    return caught.value


@pytest.fixture(scope="module")
def server() -> Iterator[TdsServer]:
    with TdsServer(known_2019(), USERS) as running:
        yield running


# --- what is read


def test_a_known_server_is_read_over_verified_tls_and_judged(server: TdsServer) -> None:
    result = read(server)

    assert as_rows(result.users) == expected()["known_2019"]
    connection = result.connection
    assert (connection["status"], connection["users"], connection["admins"]) == ("complete", 21, 12)
    assert connection["server_identity"] and connection["server_identity"].startswith("SQL2019-01|")
    assert connection["server_time"] == "2024-01-15T14:22:33Z"
    assert ("tls", "TLSv1.2") in server.log


def test_every_query_that_ran_is_in_the_result_by_text_and_hash(server: TdsServer) -> None:
    result = read(server)

    ran = {entry[1] for entry in server.log if entry[0] == "batch"} - {"use"}
    assert ran == {q["name"] for q in result.connection["queries"]}
    assert {q["sha256"] for q in result.connection["queries"]} == result.queries.keys()


def test_the_server_sees_our_name_and_our_protocol(server: TdsServer) -> None:
    read(server)

    assert ("login", READER, "db-admin-report", "master", "0x74000004") in server.log


def test_a_database_whose_name_holds_brackets_is_entered_and_read(server: TdsServer) -> None:
    read(server)

    assert ("batch", "database_principals", "odd ]name[") in server.log


def test_an_rds_server_is_complete_though_aws_keeps_its_own_databases() -> None:
    with TdsServer(rds_2022(), USERS) as server:
        result = read(server)

    assert (result.connection["status"], result.warnings) == ("complete", [])


def test_a_closed_database_makes_the_server_partial_and_is_named() -> None:
    with TdsServer(rds_2022(readable=False), USERS) as server:
        result = read(server)

    assert result.connection["status"] == "partial"
    assert [w["text"] for w in result.warnings] == ["Incomplete: cannot read databases orders"]


def test_too_few_rights_bring_fewer_rows_and_say_so() -> None:
    with TdsServer(known_2019().seen_with_few_rights(READER), USERS) as server:
        result = read(server)

    assert result.connection["status"] == "partial"
    assert result.warnings[0]["text"] == "Incomplete: login lacks VIEW ANY DEFINITION"


def test_a_database_that_fails_while_it_is_read_costs_only_itself() -> None:
    catalogue = ServerBuilder().login(READER).database("a").database("b").build()
    del catalogue.databases["a"]["database_permissions"]
    with TdsServer(catalogue, USERS) as server:
        result = read(server)

    assert [w["text"] for w in result.warnings if w["order"] == 2] == ["Incomplete: cannot read databases a"]


def test_five_thousand_logins_arrive_whole() -> None:
    builder = ServerBuilder().login(READER)
    for number in range(5000):
        builder.login(f"CORP\\u{number}", "U")
    with TdsServer(builder.build(), USERS) as server:
        result = read(server)

    assert result.connection["users"] == 5001


# --- TLS


@pytest.mark.parametrize("tls", ["verify-full", "require", "off"])
def test_each_tls_mode_reads_a_server_that_encrypts(server: TdsServer, tls: Tls) -> None:
    assert read(server, tls=tls).connection["status"] == "complete"


def test_a_certificate_of_another_authority_is_refused(server: TdsServer) -> None:
    with TdsServer(known_2019(), USERS) as other:
        assert failure(server, ca_file=str(other.ca_file)).reason is Reason.TLS_FAILED


def test_a_certificate_for_another_name_is_refused() -> None:
    with TdsServer(known_2019(), USERS, certificate_names=("db.example.com",)) as server:
        assert failure(server).reason is Reason.TLS_FAILED
        assert read(server, tls="require").connection["status"] == "complete"


def test_a_login_never_travels_to_a_server_without_tls_unless_that_was_asked_for() -> None:
    with TdsServer(known_2019(), USERS, tls=False) as server:
        for tls in ("verify-full", "require"):
            error = failure(server, tls=tls)
            assert (error.reason, "offers no encryption" in error.detail) == (Reason.TLS_FAILED, True)
        assert not [entry for entry in server.log if entry[0] == "login"]
        assert read(server, tls="off").connection["status"] == "complete"


def test_verification_without_a_ca_file_is_refused_before_anything_is_sent(server: TdsServer) -> None:
    before = len(server.log)

    assert failure(server, ca_file="/nonexistent/ca.pem").reason is Reason.TLS_FAILED
    assert len(server.log) == before


@pytest.mark.parametrize("host", ["a\nencryption = off", "x y", "[global]", ""])
def test_a_host_cannot_write_into_the_drivers_configuration(host: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        configuration(host, 1433, "require", None)
    assert caught.value.reason is Reason.HOST_NOT_FOUND


# --- causes


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


CAUSES: list[tuple[Fault, dict[str, Any], Reason]] = [
    (Fault.NONE, {"password": "wrong"}, Reason.AUTHENTICATION_FAILED),
    (Fault.NONE, {"username": "nobody"}, Reason.AUTHENTICATION_FAILED),
    (Fault.NONE, {"database": "nowhere"}, Reason.DATABASE_NOT_FOUND),
    (Fault.NONE, {"host": "no-such-host.invalid"}, Reason.HOST_NOT_FOUND),
    (Fault.NONE, {"port": -1}, Reason.CONNECTION_REFUSED),
    (Fault.PASSWORD_EXPIRED, {}, Reason.PASSWORD_EXPIRED),
    (Fault.PASSWORD_MUST_CHANGE, {}, Reason.PASSWORD_EXPIRED),
    (Fault.SILENT, {}, Reason.CONNECT_TIMED_OUT),
    (Fault.TRICKLE, {}, Reason.CONNECT_TIMED_OUT),
    (Fault.GARBAGE, {}, Reason.UNEXPECTED_ANSWER),
    (Fault.CLOSE, {}, Reason.UNEXPECTED_ANSWER),
    (Fault.SILENT_AFTER_LOGIN, {}, Reason.QUERY_TIMED_OUT),
    (Fault.TRICKLE_AFTER_LOGIN, {}, Reason.QUERY_TIMED_OUT),
    (Fault.GARBAGE_AFTER_LOGIN, {}, Reason.UNEXPECTED_ANSWER),
    (Fault.CLOSE_AFTER_LOGIN, {}, Reason.UNEXPECTED_ANSWER),
]


@pytest.mark.usefixtures("short_timeouts")
def test_each_cause_gives_its_own_reason_though_all_happen_at_once() -> None:
    catalogue = known_2019()
    with ExitStack() as stack, ThreadPoolExecutor(len(CAUSES) + 3) as pool:
        good = stack.enter_context(TdsServer(catalogue, USERS))
        servers = [stack.enter_context(TdsServer(catalogue, USERS, fault=fault)) for fault, _, _ in CAUSES]
        changes = [{**c, "port": closed_port()} if c.get("port") == -1 else c for _, c, _ in CAUSES]
        reads = [pool.submit(read, good) for _ in range(3)]
        failures = [pool.submit(failure, s, 60, **c) for s, c in zip(servers, changes, strict=True)]

        found = [(str(fault), set(c), f.result().reason) for (fault, c, _), f in zip(CAUSES, failures, strict=True)]

        assert found == [(str(fault), set(c), reason) for fault, c, reason in CAUSES]
        assert [r.result().connection["status"] for r in reads] == ["complete"] * 3


@pytest.mark.parametrize(
    ("number", "message", "network", "reason"),
    [
        (20009, "unable to connect", "host_not_found", Reason.HOST_NOT_FOUND),
        (20009, "unable to connect", "refused", Reason.CONNECTION_REFUSED),
        (20009, "unable to connect", "unreachable", Reason.CONNECTION_REFUSED),
        (20009, "unable to connect", "timed_out", Reason.CONNECT_TIMED_OUT),
        (20009, "Net-Lib error during Connection refused (111)", "connected", Reason.CONNECTION_REFUSED),
        (20009, "Net-Lib error during Connection timed out (110)", "connected", Reason.CONNECT_TIMED_OUT),
        (20003, "connection timed out", "connected", Reason.CONNECT_TIMED_OUT),
        (20002, "DB-Lib error message 20003, severity 6", "connected", Reason.CONNECT_TIMED_OUT),
        (20002, "connection failed", "tls", Reason.TLS_FAILED),
        (20002, "connection failed", "closed", Reason.UNEXPECTED_ANSWER),
        (0, "Connection to the database failed for an unknown reason.", "host_not_found", Reason.HOST_NOT_FOUND),
    ],
)
def test_a_connection_error_is_told_by_what_a_plain_socket_found(
    number: int, message: str, network: str, reason: Reason
) -> None:
    failed = {"stage": "connect", "number": number, "message": message, "network": network}

    assert from_failure(failed).reason is reason


def test_a_host_that_does_not_answer_at_all_is_told_from_one_that_refuses() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        assert sqlserver_diagnosis.diagnose("127.0.0.1", full.getsockname()[1], 0.3) == "timed_out"


def test_every_authentication_number_of_a_failed_login_is_told_as_such() -> None:
    for number in (18456, 18452, 18470, 18486):
        error = from_failure({"stage": "connect", "number": number, "message": "x", "network": "connected"})
        assert error.reason is Reason.AUTHENTICATION_FAILED


def test_a_crash_of_the_driver_is_an_unexpected_answer_that_names_the_signal() -> None:
    error = from_exit(-11, "server_principals", killed_at_deadline=False)

    assert error.reason is Reason.UNEXPECTED_ANSWER
    assert "signal 11" in error.detail and "server_principals" in error.detail


def test_a_child_without_its_driver_says_so(server: TdsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pymssql.py").write_text("raise ImportError('libssl.so.9 is missing')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    environment = sqlserver_process._environment
    shadowed = {"PYTHONPATH": f"{tmp_path}:{environment('')['PYTHONPATH']}"}
    monkeypatch.setattr(sqlserver_process, "_environment", lambda directory: environment(directory) | shadowed)

    error = failure(server)

    assert (error.reason, "libssl.so.9 is missing" in error.detail) == (Reason.UNEXPECTED_ANSWER, True)


def test_an_empty_catalogue_is_an_unexpected_answer_not_an_empty_one() -> None:
    empty = known_2019()
    empty.server["server_principals"] = []
    with TdsServer(empty, USERS) as server:
        assert failure(server).reason is Reason.UNEXPECTED_ANSWER


def test_a_view_that_is_not_there_fails_the_server_instead_of_counting_as_empty() -> None:
    broken = known_2019()
    del broken.server["server_permissions"]
    with TdsServer(broken, USERS) as server:
        error = failure(server)

    assert (error.reason, "208" in error.detail) == (Reason.UNEXPECTED_ANSWER, True)


# --- deadline and left-overs (the autouse fixture looks for the latter after every test)


@pytest.mark.parametrize("fault", [Fault.SILENT_AFTER_LOGIN, Fault.TRICKLE_AFTER_LOGIN])
def test_a_hanging_server_is_given_up_at_the_deadline(fault: Fault) -> None:
    with TdsServer(known_2019(), USERS, fault=fault, fault_query="server_permissions") as server:
        error = failure(server, seconds=1.5)

    assert error.reason is Reason.DEADLINE_REACHED
    assert "server_permissions" in error.detail


def test_a_child_that_no_alarm_ends_is_killed_with_whatever_it_started(
    server: TdsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hanging = tmp_path / "hanging_sqlserver_child.py"
    hanging.write_text(
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if len(sys.argv) == 1: subprocess.Popen([sys.executable, __file__, 'again'])\n"
        "time.sleep(600)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sqlserver_process, "_MODULE", "hanging_sqlserver_child")

    assert failure(server, seconds=1).reason is Reason.DEADLINE_REACHED


def test_a_deadline_that_has_passed_starts_nothing(server: TdsServer) -> None:
    before = len(server.log)

    assert failure(server, seconds=-1).reason is Reason.DEADLINE_REACHED
    assert len(server.log) == before


def test_the_password_is_in_no_argument_file_or_environment(server: TdsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}
    start = sqlserver_process.subprocess.Popen

    def spy(arguments: list[str], **options: Any) -> Any:
        environment: dict[str, str] = options["env"]
        seen.update(environment, arguments=" ".join(arguments))
        seen["conf"] = Path(environment["FREETDSCONF"]).read_text(encoding="utf-8")
        return start(arguments, **options)

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for the child")
    monkeypatch.setenv("TDSDUMP", "/tmp/would-hold-the-login-packet")
    monkeypatch.setattr(sqlserver_process.subprocess, "Popen", spy)
    read(server)

    assert seen["conf"]
    assert not [name for name, value in seen.items() if PASSWORD in value]
    assert not {"AWS_SECRET_ACCESS_KEY", "TDSDUMP"} & seen.keys()


def test_the_log_of_the_stand_in_never_holds_the_password(server: TdsServer) -> None:
    read(server)

    assert server.log and not any(PASSWORD in part for entry in server.log for part in entry)


def test_the_child_needs_no_working_directory_to_find_the_package(
    server: TdsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)

    assert read(server).connection["status"] == "complete"
    assert not (tmp_path / "worker_lambda").exists()


def test_forty_servers_at_once_are_all_read() -> None:
    catalogues: list[Catalogue] = [known_2019(f"SQL{number:02}") for number in range(40)]
    with ExitStack() as stack, ThreadPoolExecutor(40) as pool:
        servers = [stack.enter_context(TdsServer(c, USERS)) for c in catalogues]
        results = list(pool.map(read, servers))

    assert [r.connection["server_name"] for r in results] == [f"SQL{number:02}" for number in range(40)]
