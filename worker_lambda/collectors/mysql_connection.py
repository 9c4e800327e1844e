"""One connection to a MySQL or MariaDB server: verified TLS, an end to every phase, errors as reasons, always closed.

Socket time-outs count per recv, so a server that trickles one byte a second would never meet one: a timer shuts the
socket down when a phase's time is over.
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

from worker_lambda.collectors.mysql_errors import connect_error, query_error
from worker_lambda.collectors.mysql_queries import SESSION
from worker_lambda.collectors.tls_trust import ssl_context
from worker_lambda.contract import DatabaseTarget, Reason
from worker_lambda.credentials import Credentials
from worker_lambda.errors import CollectionFailed, ConnectionFailed, DatabaseError, StatementRefused

PROGRAM_NAME = "db-admin-report"
CONNECT_SECONDS = 10.0
QUERY_SECONDS = 60.0
MAX_ROWS = 2_000_000
_BATCH = 10_000


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
                told = error if isinstance(error, DatabaseError) else query_error(error, watchdog.fired, late)
                if not isinstance(told, StatementRefused):
                    _cut(self._guard)  # closing would first read what the server still sends
                if told is error:
                    raise
                raise told from error

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
    context = ssl_context(target, credentials.host)
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
                raise connect_error(error, watchdog.fired) from error
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
        init_command=SESSION,
        auth_plugin_map={} if credentials.iam else dict.fromkeys(_CLEAR_TEXT, _RefuseClearText),
        defer_connect=True,
    )
    connection.connect(raw)
    return connection


_CLEAR_TEXT = ("mysql_clear_password", "dialog", "mysql_old_password")
