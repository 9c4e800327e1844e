"""Which logins and server roles a SQL Server hides from the reader by a DENY on that one principal. Pure."""

from __future__ import annotations

from worker_lambda.privileges.sqlserver_catalogue import PUBLIC_ID, Principal, Server
from worker_lambda.privileges.sqlserver_holdings import ServerRights

# A DENY of either on a principal leaves it out of the catalogue views, whatever is granted on the server, and the
# reader gets no error (Microsoft: Metadata visibility; CONTROL covers VIEW DEFINITION).
_HIDING = ("VIEW DEFINITION", "CONTROL")


def hidden_from_reader(server: Server) -> list[int]:
    """principal_ids that a DENY to the reader, to a role of it or to public hides, in order.

    The DENY itself stays visible, for it names the reader as grantee; that of a role is visible with the role. Empty
    for a member of sysadmin, whom no DENY binds. A reader that no login names (a group lets it in) is bound by those
    to public at least. Everybody sees oneself.
    """
    found = reader_of(server)
    reader = found.id if found else PUBLIC_ID
    denied = ServerRights(server).denied(reader)
    return sorted({on for on, right in denied if on is not None and on != reader and right in _HIDING})


def reader_of(server: Server) -> Principal | None:
    """The login that reads; None where a group lets it in and it has none of its own."""
    return next((p for p in server.principals.values() if p.name == server.reader and p.type != "R"), None)
