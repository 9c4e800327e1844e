"""Which SQL Server principals are rows, and what is said of each besides its rights: class, status, last login."""

from __future__ import annotations

from typing import Literal

from worker_lambda.privileges.sqlserver_catalogue import SA_SID, DatabasePrincipal, Principal, Server
from worker_lambda.privileges.sqlserver_holdings import ServerRights
from worker_lambda.privileges.sqlserver_tiers import AWS_LOGINS

PrincipalClass = Literal["human", "service", "engine", "aws-managed", "group", "role"]

OPEN_SESSION = "open session"
UNKNOWN = "Unknown"

# Logins that SQL Server's setup makes, by exact name and type: a `##evil##` is a row, and so is a login that only took
# one of these names. Source: sys.server_principals of SQL Server 2012-2022, Microsoft: SQL Server certificate logins.
ENGINE_LOGINS = {
    ("##MS_SQLResourceSigningCertificate##", "C"),
    ("##MS_SQLReplicationSigningCertificate##", "C"),
    ("##MS_SQLAuthenticatorCertificate##", "C"),
    ("##MS_PolicySigningCertificate##", "C"),
    ("##MS_SmoExtendedSigningCertificate##", "C"),
    ("##MS_AgentSigningCertificate##", "C"),
    ("##MS_PolicyEventProcessingLogin##", "S"),
    ("##MS_PolicyTsqlExecutionLogin##", "S"),
}


def exclusion(principal: Principal, *, rds: bool, in_sysadmin: bool) -> str | None:
    """Why policy leaves a login out of the rows, by exact identity; None for one that is a row.

    Args:
        rds: AWS runs the server.
        in_sysadmin: the login is in sysadmin, where on RDS only AWS's own are: a customer's login that only took one of
            their names is not.
    """
    if rds and principal.type == "S" and (principal.sid == SA_SID or (principal.name in AWS_LOGINS and in_sysadmin)):
        return "managed by AWS"
    if principal.sid == SA_SID:
        return "sa (sid 0x01)"
    if (principal.name, principal.type) in ENGINE_LOGINS:
        return "made by the engine"
    return None


def principal_class(principal: Principal | DatabasePrincipal, excluded: str | None = None) -> PrincipalClass:
    """Who stands behind a principal, as far as its kind and name tell."""
    if excluded == "managed by AWS":
        return "aws-managed"
    if excluded is not None:
        return "engine"
    if principal.type in ("G", "X"):
        return "group"
    if principal.type == "R":
        return "role"
    name = principal.name.upper()
    service = name.startswith(("NT SERVICE\\", "NT AUTHORITY\\")) or (principal.type == "U" and name.endswith("$"))
    return "service" if service or principal.type in ("C", "K") else "human"


def login_status(principal: Principal, server: Server, rights: ServerRights) -> str:
    """User Status of a login. A lock or an expiry that could not be read makes it `Unknown`, never `Active`."""
    state = server.login_states.get(principal.id)
    flags: list[str] = []
    if principal.is_disabled or rights.cannot_connect(principal.id):
        flags.append("Disabled")
    unread = False
    if principal.type == "S":
        answers = (state.is_locked, state.is_expired, state.is_must_change) if state else (None, None, None)
        flags += ["Locked"] if answers[0] == 1 else []
        flags += ["Password Expired"] if 1 in answers[1:] else []
        unread = None in answers
    return "; ".join(flags) or (UNKNOWN if unread else "Active")


def contained_status(user: DatabasePrincipal, connect_denied: bool) -> str:
    """User Status of a user without a login. No function reads the lock of a contained password: `Unknown`."""
    if connect_denied:
        return "Disabled"
    return UNKNOWN if user.authentication_type == 2 else "Active"


def last_login(server: Server, sid: str | None, name: str, authenticating_database: int = 1) -> tuple[str, str]:
    """Last Login Date and its source: an open session is a lower bound, nothing else is known."""
    for identity in (sid, name):
        moment = server.sessions.get((authenticating_database, identity)) if identity else None
        if moment:
            return moment, OPEN_SESSION
    return UNKNOWN, ""
