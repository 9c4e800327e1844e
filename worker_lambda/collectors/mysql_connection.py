"""One connection to a MySQL or MariaDB server: verified TLS, an end to every phase, errors as reasons, always closed.

Socket time-outs count per recv, so a server that trickles one byte a second would never meet one: a timer shuts the
socket down when a phase's time is over. Messages of the server never go into a detail: they name accounts.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from types import TracebackType
from typing import Any

import pymysql
from pymysql.cursors import SSCursor

from worker_lambda.collectors.mysql_trust import ssl_context
from worker_lambda.contract import DatabaseTarget, Reason
from worker_lambda.credentials import Credentials
from worker_lambda.errors import CollectionFailed, ConnectionFailed, DatabaseError

PROGRAM_NAME = "db-admin-report"
CONNECT_SECONDS = 10.0
QUERY_SECONDS = 60.0
MAX_ROWS = 2_000_000
_BATCH = 10_000

_REASONS: dict[int, Reason] = {
    1040: Reason.CONNECTION_REFUSED,  # too many connections
    1044: Reason.DATABASE_NOT_FOUND,  # no right to it, which a server also says of one that is not there
    1045: Reason.AUTHENTICATION_FAILED,
    1049: Reason.DATABASE_NOT_FOUND,
    1129: Reason.CONNECTION_REFUSED,  # host blocked after too many errors
    1130: Reason.AUTHENTICATION_FAILED,  # no account for this client host
    1203: Reason.CONNECTION_REFUSED,
    1226: Reason.CONNECTION_REFUSED,  # the account's own connection limit
    1251: Reason.AUTHENTICATION_FAILED,
    1275: Reason.AUTHENTICATION_FAILED,
    1524: Reason.AUTHENTICATION_FAILED,
    1698: Reason.AUTHENTICATION_FAILED,  # MariaDB's 1045 for socket accounts
    1820: Reason.PASSWORD_EXPIRED,  # MariaDB, at the first statement
    1862: Reason.PASSWORD_EXPIRED,  # MySQL, at connect
    1969: Reason.QUERY_TIMED_OUT,  # MariaDB's max_statement_time
    2026: Reason.TLS_FAILED,  # the server offers none
    2059: Reason.AUTHENTICATION_FAILED,
    3024: Reason.QUERY_TIMED_OUT,  # MySQL's MAX_EXECUTION_TIME
    3118: Reason.AUTHENTICATION_FAILED,  # account locked
    3159: Reason.TLS_FAILED,  # the server insists on TLS, the inventory says off
    3955: Reason.AUTHENTICATION_FAILED,  # locked after failed logins
    4151: Reason.AUTHENTICATION_FAILED,  # MariaDB: account locked
}
_LOST = {2006, 2013}


class _Watchdog:
    """Shuts a connection down for good when a phase has used up its time."""

    def __init__(self, guard: socket.socket, seconds: float) -> None:
        self.fired = False
        self._guard = guard
        self._timer = threading.Timer(max(seconds, 0.001), self._fire)
        self._timer.daemon = True

    def _fire(self) -> None:
        self.fired = True
        _cut(self._guard)

    def __enter__(self) -> _Watchdog:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._timer.cancel()


def _cut(guard: socket.socket) -> None:
    with suppress(OSError):  # already closed by the other side
        guard.shutdown(socket.SHUT_RDWR)


class _RefuseClearText:
    """An authentication plug-in that hands no password to a server that asks for it in clear text."""

    def __init__(self, connection: object) -> None:
        del connection

    def authenticate(self, packet: object) -> None:
        del packet
        raise ConnectionFailed(Reason.AUTHENTICATION_FAILED, "the server asked for the password in clear text")


class Session:
    """An open connection; `query` is all it does."""

    def __init__(self, connection: pymysql.Connection[Any], guard: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._guard = guard
        self._deadline = deadline

    def query(self, sql: str) -> list[tuple[str | None, ...]]:
        """Run one statement and fetch every row.

        Raises:
            CollectionFailed: QUERY_TIMED_OUT, DEADLINE_REACHED, UNEXPECTED_ANSWER.
            ConnectionFailed: PASSWORD_EXPIRED (MariaDB says so only now).
        """
        left = self._deadline - time.monotonic()
        late = Reason.DEADLINE_REACHED if left < QUERY_SECONDS else Reason.QUERY_TIMED_OUT
        with _Watchdog(self._guard, min(left, QUERY_SECONDS)) as watchdog:
            try:
                return self._fetch(sql)
            except Exception as error:
                # Closing would first read what the server still sends.
                _cut(self._guard)
                if isinstance(error, DatabaseError):
                    raise
                raise _query_error(error, watchdog.fired, late) from error

    def _fetch(self, sql: str) -> list[tuple[str | None, ...]]:
        rows: list[tuple[str | None, ...]] = []
        # Unbuffered, so that a server which never stops sending meets MAX_ROWS before it fills the memory.
        cursor = self._connection.cursor(SSCursor)
        cursor.execute(sql)
        while batch := cursor.fetchmany(_BATCH):
            rows.extend(batch)
            if len(rows) > MAX_ROWS:
                raise CollectionFailed(Reason.UNEXPECTED_ANSWER, f"more than {MAX_ROWS} rows")
        cursor.close()
        return rows


@contextmanager
def session(target: DatabaseTarget, credentials: Credentials, deadline: float) -> Iterator[Session]:
    """Connect, hand out a session, close whatever happens.

    Args:
        deadline: on time.monotonic()'s clock; nothing here lasts longer, except a resolver that hangs.

    Raises:
        ConnectionFailed: with the reason.
        CollectionFailed: UNEXPECTED_ANSWER when what answers does not speak the protocol.
    """
    context = ssl_context(target)
    if credentials.iam and (context is None or target.tls != "verify-full"):
        raise ConnectionFailed(Reason.TLS_FAILED, "auth: iam sends a token in clear text and needs tls: verify-full")
    seconds = min(CONNECT_SECONDS, deadline - time.monotonic())
    if seconds <= 0:
        raise CollectionFailed(Reason.DEADLINE_REACHED, "no time was left to connect")
    give_up_at = time.monotonic() + seconds
    raw = _open_socket(credentials, seconds)
    # A second descriptor of the same connection: TLS takes the first one over, this one still ends it.
    with closing(raw), closing(raw.dup()) as guard:
        with _Watchdog(guard, give_up_at - time.monotonic()) as watchdog:
            try:
                connection = _log_in(raw, target, credentials, context)
            except Exception as error:
                if isinstance(error, DatabaseError):
                    raise
                raise _connect_error(error, watchdog.fired) from error
        with closing(connection):
            yield Session(connection, guard, deadline)


def _open_socket(credentials: Credentials, seconds: float) -> socket.socket:
    try:
        raw = socket.create_connection((credentials.host, credentials.port), timeout=seconds)
    except (socket.gaierror, UnicodeError) as error:
        raise ConnectionFailed(Reason.HOST_NOT_FOUND, f"{credentials.host} cannot be resolved") from error
    except TimeoutError as error:
        detail = f"no answer from {credentials.host}:{credentials.port} within {seconds:.0f} s"
        raise ConnectionFailed(Reason.CONNECT_TIMED_OUT, detail) from error
    except OSError as error:
        detail = f"{credentials.host}:{credentials.port}: {type(error).__name__} ({error.errno})"
        raise ConnectionFailed(Reason.CONNECTION_REFUSED, detail) from error
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw


def _log_in(
    raw: socket.socket, target: DatabaseTarget, credentials: Credentials, context: ssl.SSLContext | None
) -> pymysql.Connection[Any]:
    connection: pymysql.Connection[Any] = pymysql.connect(
        host=credentials.host,
        port=credentials.port,
        user=credentials.username,
        # PyMySQL would encode text as latin-1.
        password=credentials.password.encode(),
        database=target.database,
        charset="utf8mb4",
        autocommit=None,  # only SELECTs follow; saves a round trip
        read_timeout=QUERY_SECONDS,
        write_timeout=QUERY_SECONDS,
        ssl=context,  # our own context: PyMySQL's checks no host name unless it is given a CA file
        ssl_disabled=context is None,
        program_name=PROGRAM_NAME,
        auth_plugin_map={} if credentials.iam else dict.fromkeys(_CLEAR_TEXT, _RefuseClearText),
        defer_connect=True,
    )
    connection.connect(raw)
    return connection


_CLEAR_TEXT = ("mysql_clear_password", "dialog", "mysql_old_password")


def _connect_error(error: Exception, fired: bool) -> DatabaseError:
    cause = getattr(error, "original_exception", error)
    if fired or isinstance(cause, TimeoutError):
        return ConnectionFailed(Reason.CONNECT_TIMED_OUT, "connected, but the login was not answered in time")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ConnectionFailed(Reason.TLS_FAILED, str(cause.verify_message))
    if isinstance(cause, ssl.SSLError):
        return ConnectionFailed(Reason.TLS_FAILED, f"TLS handshake failed ({cause.reason or type(cause).__name__})")
    if isinstance(cause, OSError):
        return ConnectionFailed(Reason.CONNECTION_REFUSED, f"{type(cause).__name__} during the login")
    code = _code(error)
    if code in _REASONS:
        return ConnectionFailed(_REASONS[code], f"MySQL error {code}")
    if code in _LOST:
        return ConnectionFailed(Reason.CONNECTION_REFUSED, "the server closed the connection during the login")
    return _unexpected(error, code, "login")


def _query_error(error: Exception, fired: bool, late: Reason) -> DatabaseError:
    code = _code(error)
    cause = error.__context__ if code in _LOST else error
    if fired or isinstance(cause, TimeoutError):
        return CollectionFailed(late, "the catalogue query was not answered in time")
    if code in _REASONS:
        reason = _REASONS[code]
        kind = CollectionFailed if reason is Reason.QUERY_TIMED_OUT else ConnectionFailed
        return kind(reason, f"MySQL error {code}")
    if code in _LOST:
        return CollectionFailed(Reason.UNEXPECTED_ANSWER, "the server closed the connection during the query")
    return _unexpected(error, code, "catalogue query")


def _unexpected(error: Exception, code: int | None, phase: str) -> DatabaseError:
    what = f"MySQL error {code}" if code else type(error).__name__
    return CollectionFailed(Reason.UNEXPECTED_ANSWER, f"{phase}: {what}")


def _code(error: Exception) -> int | None:
    if isinstance(error, pymysql.Error) and error.args and isinstance(error.args[0], int):
        return error.args[0]
    return None
