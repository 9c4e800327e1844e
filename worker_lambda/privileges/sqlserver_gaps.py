"""What the reader of a SQL Server could not see, as WARNING sentences with the statements that cure it. Pure."""

from __future__ import annotations

from worker_lambda.privileges import sqlserver_reader as reader_rights
from worker_lambda.privileges.sqlserver_catalogue import PUBLIC_ID, Database, Principal, Server
from worker_lambda.privileges.sqlserver_databases import DatabaseRights
from worker_lambda.privileges.sqlserver_tiers import Tiers, is_rds
from worker_lambda.privileges.wording import cut, quoted
from worker_lambda.result_object import WARNING_INCOMPLETE_DATABASES, WARNING_INCOMPLETE_RIGHTS, DatabaseWarning

# AWS's own: no customer can be given access, so they are no gap in what was asked for.
RDS_OWN_DATABASES = {"rdsadmin", "model", "rdsadmin_ReportServer", "rdsadmin_ReportServerTempDB"}
_NO_ENTRY = 916  # the login has no user in the database
_MAX_NAMES = 100  # in a warning's cell; what is beyond is counted


def gaps(tiers: Tiers, database_name: str) -> list[DatabaseWarning]:
    """At most one warning on server rights and one on databases. Too few rights bring fewer rows and no error.

    Args:
        database_name: the inventory's name of this server.
    """
    server, hidden = tiers.server, hidden_from_reader(tiers)
    sees_definitions = 1 in (server.rights["view_any_definition"], server.rights["view_any_security_definition"])
    lacking = _lacking_rights(server, hidden, sees_definitions=sees_definitions)
    closed = _closed_databases(tiers, sees_definitions=sees_definitions)
    found: list[DatabaseWarning] = []
    if lacking or hidden:
        texts = [*lacking, *(f"VIEW DEFINITION on principal {number}" for number in hidden)]
        cures = [reader_rights.grant(right, server.reader) for right in lacking]
        cures += [reader_rights.show_principal(number, server.reader) for number in hidden]
        text = f"Incomplete: login lacks {cut(texts, _MAX_NAMES)}"
        found.append(_warning(database_name, WARNING_INCOMPLETE_RIGHTS, text, cures))
    if closed:
        text = f"Incomplete: cannot read databases {cut([quoted(database.name) for database in closed], _MAX_NAMES)}"
        found.append(_warning(database_name, WARNING_INCOMPLETE_DATABASES, text, _cures(server, closed)))
    return found


def hidden_from_reader(tiers: Tiers) -> list[int]:
    """principal_ids of logins and server roles that a DENY on that one principal hides from the reader, in order.

    A reader that no login names (a group lets it in) is bound by what is denied to public at least.
    """
    reader = _reader(tiers.server)
    return tiers.rights.hidden_from(reader.id if reader else PUBLIC_ID)


def _reader(server: Server) -> Principal | None:
    return next((p for p in server.principals.values() if p.name == server.reader and p.type != "R"), None)


def _warning(database_name: str, order: int, text: str, cures: list[str]) -> DatabaseWarning:
    return {"database_name": database_name, "order": order, "text": text, "cures": cures}


def _lacking_rights(server: Server, hidden: list[int], *, sees_definitions: bool) -> list[str]:
    """Server rights; that of seeing definitions also where a principal is named, not shown, and no DENY tells why."""
    named = {number for edge in server.members for number in edge}
    named |= {permission.grantee_id for permission in server.permissions}
    unseen = named - server.principals.keys() - set(hidden)
    lacking = [] if sees_definitions and not unseen else [reader_rights.definition_right(server.major)]
    return lacking if server.rights["view_any_database"] == 1 else [*lacking, "VIEW ANY DATABASE"]


def _closed_databases(tiers: Tiers, *, sees_definitions: bool) -> list[Database]:
    """Databases that could not be read; one that hides its definitions counts where the server right does not miss."""
    own = RDS_OWN_DATABASES if is_rds(tiers.server) else set()
    reader = _reader(tiers.server)
    bound = reader is None or not tiers.rights.is_sysadmin(reader.id)  # no DENY binds a sysadmin
    closed = [
        rights.database
        for rights in tiers.databases
        if rights.database.name not in own
        and not (rights.database.is_readable and (not sees_definitions or _shows_all(rights, reader, bound=bound)))
    ]
    return sorted(closed, key=lambda database: database.name)


def _shows_all(rights: DatabaseRights, reader: Principal | None, *, bound: bool) -> bool:
    database = rights.database
    named = {number for edge in database.members for number in edge}
    named |= {permission.grantee_id for permission in database.permissions}
    hidden = bound and rights.hidden_from(reader.sid if reader else None)
    return database.has_definition_right and not hidden and not named - database.principals.keys()


def _cures(server: Server, closed: list[Database]) -> list[str]:
    entered = [d.name for d in closed if _lacks_entry(d)]
    cures = reader_rights.enter_databases(entered, server.reader, rds=is_rds(server)) if entered else []
    return [*cures, *(reader_rights.comment(_why_closed(d)) for d in closed if not _lacks_entry(d))]


def _lacks_entry(database: Database) -> bool:
    return database.is_online and not database.is_readable and database.error_number in (None, _NO_ENTRY)


def _why_closed(database: Database) -> str:
    name = reader_rights.delimited(database.name)
    if not database.is_online:
        return f"{name} is {database.state}: no grant opens it"
    if not database.is_readable:
        return f"{name} answered with error {database.error_number}: no grant opens it"
    return f"{name}: a DENY of VIEW DEFINITION or CONTROL hides principals from the reader, a role of it or public"
