"""What ended a child process, as the reason of an ERROR row. Pure: facts in, exception out.

Numbers are SQL Server's (18456, 4060, …) and DB-Library's (200xx); what each means was tried with pymssql 2.4.6.
"""

from __future__ import annotations

import signal
from typing import Any

from worker_lambda.contract import Reason
from worker_lambda.errors import CollectionFailed, ConnectionFailed, DatabaseError

_AUTHENTICATION = {18456, 18452, 18450, 18451, 18461, 18470, 18486}  # …disabled, locked, untrusted domain
_PASSWORD_EXPIRED = {18487, 18488}
_NO_DATABASE = {4060, 4063, 4064, 911, 916}
_NETWORK: dict[str, tuple[Reason, str]] = {
    "host_not_found": (Reason.HOST_NOT_FOUND, "the host name could not be resolved"),
    "refused": (Reason.CONNECTION_REFUSED, "nothing listens on the port"),
    "unreachable": (Reason.CONNECTION_REFUSED, "no route to the host"),
    "timed_out": (Reason.CONNECT_TIMED_OUT, "no answer to a TCP connection"),
    "no_tls": (Reason.TLS_FAILED, "the server offers no encryption"),
    "tls": (Reason.TLS_FAILED, "the certificate is not trusted or does not name the host"),
    "closed": (Reason.UNEXPECTED_ANSWER, "the server closed the connection without a TDS answer"),
}


def from_failure(failure: dict[str, Any]) -> DatabaseError:
    """The error for a child that said how it failed: stage, number, message and what a plain socket found."""
    number, text = int(failure["number"]), " ".join(str(failure["message"]).split())
    said, _, _ = text.partition("DB-Lib error message")  # the driver's own words, which say less
    detail = f"error {number}: {said.strip() or text}"[:500]
    if failure["stage"] == "start":
        return CollectionFailed(Reason.UNEXPECTED_ANSWER, text[:500])
    if failure["stage"] == "query":
        reason = Reason.QUERY_TIMED_OUT if number == 20003 or "20003" in text else Reason.UNEXPECTED_ANSWER
        return CollectionFailed(reason, detail)
    if number in _AUTHENTICATION:
        return ConnectionFailed(Reason.AUTHENTICATION_FAILED, detail)
    if number in _PASSWORD_EXPIRED:
        return ConnectionFailed(Reason.PASSWORD_EXPIRED, detail)
    if number in _NO_DATABASE:
        return ConnectionFailed(Reason.DATABASE_NOT_FOUND, detail)
    network = str(failure["network"])
    if network in ("host_not_found", "refused", "unreachable", "timed_out"):
        reason, why = _NETWORK[network]
        return ConnectionFailed(reason, f"{why} ({detail})")
    if number == 20003 or "error message 20003" in text:
        return ConnectionFailed(Reason.CONNECT_TIMED_OUT, detail)
    if number == 20009:  # FreeTDS could not connect, the plain socket could a moment later
        reason = Reason.CONNECT_TIMED_OUT if "timed out" in text else Reason.CONNECTION_REFUSED
        return ConnectionFailed(reason, detail)
    if number == 20002 and network in _NETWORK:
        reason, why = _NETWORK[network]
        return ConnectionFailed(reason, f"{why} ({detail})")
    return ConnectionFailed(Reason.UNEXPECTED_ANSWER, detail)


def from_exit(exit_code: int, stage: str | None, *, killed_at_deadline: bool) -> DatabaseError:
    """The error for a child that ended without its last line.

    Args:
        exit_code: negative for a signal, as subprocess gives it.
        stage: the last stage it announced; None before it was connected.
        killed_at_deadline: whether the parent ended it.
    """
    where = f"while reading {stage}" if stage else "while connecting"
    if killed_at_deadline:
        return CollectionFailed(Reason.DEADLINE_REACHED, f"ended at the deadline, {where}")
    if exit_code == -signal.SIGALRM:
        if stage is None:
            return ConnectionFailed(Reason.CONNECT_TIMED_OUT, "no complete login in time")
        return CollectionFailed(Reason.QUERY_TIMED_OUT, f"no complete answer in time, {where}")
    how = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    return CollectionFailed(Reason.UNEXPECTED_ANSWER, f"the reading process ended with {how}, {where}")
