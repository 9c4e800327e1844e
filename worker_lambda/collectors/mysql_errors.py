"""What went wrong with a MySQL connection, as a reason of the report: server error numbers, sockets, TLS.

Messages of the server never go into a detail: they name accounts.
"""

from __future__ import annotations

import ssl

import pymysql

from worker_lambda.contract import Reason
from worker_lambda.errors import CollectionFailed, ConnectionFailed, DatabaseError, StatementRefused

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
# No right to a table or column; 1045, 1356, 1449: the view's creator is gone or has lost his.
_REFUSED = {1045, 1142, 1143, 1356, 1449}


def connect_error(error: Exception, fired: bool) -> DatabaseError:
    """Why there is no session; `fired`: the login's time was over."""
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


def query_error(error: Exception, fired: bool, late: Reason) -> DatabaseError:
    """Why a query gave nothing; `late` is the reason when its time was over, which `fired` says."""
    code = _code(error)
    cause = error.__context__ if code in _LOST else error
    if fired or isinstance(cause, TimeoutError):
        return CollectionFailed(late, "the catalogue query was not answered in time")
    if code in _REFUSED:
        return StatementRefused(Reason.UNEXPECTED_ANSWER, f"the catalogue query was refused: MySQL error {code}")
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
