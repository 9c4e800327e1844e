"""Every way a MySQL connection can go wrong has its reason, ends in time and leaves no connection behind."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from tests.engines import KnownServer
from tests.worker_lambda import mysql_stub
from worker_lambda.collectors import mysql_connection
from worker_lambda.collectors.mysql import collect
from worker_lambda.contract import DatabaseTarget, Reason
from worker_lambda.credentials import Credentials
from worker_lambda.errors import DatabaseError


def failure(target: DatabaseTarget, credentials: Credentials, seconds: float = 20.0) -> DatabaseError:
    """The error of a collection that must fail."""
    with pytest.raises(DatabaseError) as caught:
        collect(target, credentials, time.monotonic() + seconds, "", "")
    assert credentials.password not in str(caught.value)
    return caught.value


def plain() -> DatabaseTarget:
    return DatabaseTarget("stub", "mysql", tls="off")


def test_a_closed_port_is_connection_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        credentials = Credentials("127.0.0.1", taken.getsockname()[1], "u", "password-1")
        assert failure(plain(), credentials).reason is Reason.CONNECTION_REFUSED


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_an_unknown_name_is_host_not_found(host: str) -> None:
    assert failure(plain(), Credentials(host, 3306, "u", "password-1")).reason is Reason.HOST_NOT_FOUND


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (mysql_stub.silent, Reason.CONNECT_TIMED_OUT),
        (mysql_stub.trickle, Reason.CONNECT_TIMED_OUT),
        (mysql_stub.garbage, Reason.UNEXPECTED_ANSWER),
        (mysql_stub.silent_after_login, Reason.DEADLINE_REACHED),
        (mysql_stub.trickle_after_login, Reason.DEADLINE_REACHED),
        (mysql_stub.hang_up_after_login, Reason.UNEXPECTED_ANSWER),
        (mysql_stub.nonsense_after_login, Reason.UNEXPECTED_ANSWER),
    ],
)
def test_a_misbehaving_server_has_its_reason_and_loses_its_connection(behaviour: Any, reason: Reason) -> None:
    with mysql_stub.stub(behaviour) as server:
        assert failure(plain(), server.credentials, seconds=0.5).reason is reason
        assert server.closed.wait(10)


def test_a_query_that_outlives_its_own_limit_is_query_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_connection, "QUERY_SECONDS", 0.3)
    with mysql_stub.stub(mysql_stub.silent_after_login) as server:
        assert failure(plain(), server.credentials).reason is Reason.QUERY_TIMED_OUT


def test_a_flood_of_rows_is_refused_before_it_fills_the_memory(
    mysql_server: KnownServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql_connection, "MAX_ROWS", 5)
    assert failure(mysql_server.target(), mysql_server.reader()).reason is Reason.UNEXPECTED_ANSWER


def test_no_password_is_handed_out_in_clear_text() -> None:
    with mysql_stub.stub(mysql_stub.clear_text) as server:
        error = failure(plain(), server.credentials)
        assert error.reason is Reason.AUTHENTICATION_FAILED
        assert server.closed.wait(10)
        assert mysql_stub.PASSWORD.encode() not in server.received


@pytest.mark.parametrize("tls", ["verify-full", "require"])
def test_a_server_without_tls_is_not_talked_to_where_tls_is_asked_for(tls: Any) -> None:
    with mysql_stub.stub(mysql_stub.clear_text) as server:
        error = failure(DatabaseTarget("stub", "mysql", tls=tls), server.credentials)
        assert error.reason is Reason.TLS_FAILED
        assert b"reader" not in server.received


def test_a_token_for_iam_is_sent_over_verified_tls_only() -> None:
    token = Credentials("127.0.0.1", 1, "u", "token-1", iam=True)
    assert failure(DatabaseTarget("x", "mysql", auth="iam", tls="require"), token).reason is Reason.TLS_FAILED


def test_a_wrong_password_is_authentication_failed(any_server: KnownServer) -> None:
    wrong = any_server.login("audit_reader", "wrong-password-1")
    any_server.reader()
    assert failure(any_server.target(), wrong).reason is Reason.AUTHENTICATION_FAILED


def test_an_unknown_certificate_authority_is_a_tls_failure(any_server: KnownServer) -> None:
    error = failure(any_server.target(ca_file=None), any_server.reader())
    assert error.reason is Reason.TLS_FAILED
    assert "self-signed" in error.detail


def test_another_host_name_than_the_certificates_is_a_tls_failure(any_server: KnownServer) -> None:
    reader = any_server.reader()
    alias = Credentials("127.1", reader.port, reader.username, reader.password)  # resolves to 127.0.0.1
    assert failure(any_server.target(), alias).reason is Reason.TLS_FAILED


def test_tls_require_encrypts_without_verifying(any_server: KnownServer) -> None:
    result = collect(any_server.target(tls="require", ca_file=None), any_server.reader(), time.monotonic() + 20, "", "")
    assert result.connection["status"] == "complete"


def test_a_ca_file_that_is_not_there_is_a_tls_failure(any_server: KnownServer) -> None:
    assert failure(any_server.target(ca_file="/no/such.pem"), any_server.reader()).reason is Reason.TLS_FAILED


def test_a_schema_that_is_not_there_is_database_not_found(any_server: KnownServer) -> None:
    root = any_server.login("root", any_server.server.root_password)
    assert failure(any_server.target(database="nope"), root).reason is Reason.DATABASE_NOT_FOUND


def test_an_expired_password_is_password_expired(any_server: KnownServer) -> None:
    reader = any_server.reader()
    any_server.execute(f"ALTER USER {reader.username}@'%' PASSWORD EXPIRE")
    assert failure(any_server.target(), reader).reason is Reason.PASSWORD_EXPIRED


def test_a_locked_reader_is_authentication_failed(any_server: KnownServer) -> None:
    reader = any_server.reader()
    any_server.execute(f"ALTER USER {reader.username}@'%' ACCOUNT LOCK")
    assert failure(any_server.target(), reader).reason is Reason.AUTHENTICATION_FAILED


def test_a_catalogue_that_is_locked_by_somebody_meets_the_deadline(any_server: KnownServer) -> None:
    table = "mysql.db"
    with any_server.server.connect() as blocker, blocker.cursor() as cursor:
        reader = any_server.reader()
        cursor.execute(f"LOCK TABLES {table} WRITE")
        error = failure(any_server.target(), reader, seconds=1.0)
        cursor.execute("UNLOCK TABLES")
    assert error.reason is Reason.DEADLINE_REACHED


def test_the_connection_names_itself_and_is_closed(any_server: KnownServer) -> None:
    reader = any_server.reader()
    query = (
        "SELECT a.ATTR_VALUE FROM performance_schema.session_connect_attrs a JOIN information_schema.PROCESSLIST p "
        f"ON p.ID = a.PROCESSLIST_ID WHERE p.USER = '{reader.username}' AND a.ATTR_NAME = 'program_name'"
    )
    with mysql_connection.session(any_server.target(), reader, time.monotonic() + 20) as session:
        assert session.query("SELECT CONVERT('x' USING utf8mb4)") == [("x",)]
        assert any_server.execute(query) == [("db-admin-report",)]
    give_up_at = time.monotonic() + 10
    count = f"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '{reader.username}'"
    while any_server.execute(count) != [(0,)]:
        assert time.monotonic() < give_up_at, "the connection was left open"
        time.sleep(0.02)
