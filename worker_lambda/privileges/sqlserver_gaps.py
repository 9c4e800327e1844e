"""What the reader of a SQL Server could not see, as WARNING sentences with the statements that cure it. Pure."""

from __future__ import annotations

from worker_lambda.contract import WARNING_INCOMPLETE_DATABASES, WARNING_INCOMPLETE_RIGHTS, DatabaseWarning
from worker_lambda.privileges import sqlserver_reader as reader_rights
from worker_lambda.privileges.sqlserver_catalogue import SA_SID, Database, Server
from worker_lambda.privileges.sqlserver_databases import DatabaseRights
from worker_lambda.privileges.sqlserver_holdings import ServerRights
from worker_lambda.privileges.sqlserver_tiers import is_rds
from worker_lambda.privileges.sqlserver_visibility import hidden_from_reader, reader_of
from worker_lambda.privileges.wording import cut, quoted

# AWS's own: no customer can be given access, so they are no gap in what was asked for.
RDS_OWN_DATABASES = {"rdsadmin", "model", "rdsadmin_ReportServer", "rdsadmin_ReportServerTempDB"}
_NO_ENTRY = 916  # the login has no user in the database
_MAX_NAMES = 100  # in a warning's cell; what is beyond is counted


def gaps(server: Server, database_name: str) -> list[DatabaseWarning]:
    """At most one warning on server rights and one on databases. Too few rights bring fewer rows and no error.

    Args:
        database_name: the inventory's name of this server.
    """
    sees_definitions = _sees_definitions(server)
    lacking = _lacking_rights(server, sees_definitions=sees_definitions)
    closed = _closed_databases(server, sees_definitions=sees_definitions)
    found: list[DatabaseWarning] = []
    hidden = [f"VIEW DEFINITION on principal {number}" for number in hidden_from_reader(server)]
    if lacking or hidden:
        found.append(
            {
                "database_name": database_name,
                "order": WARNING_INCOMPLETE_RIGHTS,
                "text": f"Incomplete: login lacks {cut([*lacking, *hidden], _MAX_NAMES)}",
                "cures": [
                    *(reader_rights.grant(right, server.reader) for right in lacking),
                    *(reader_rights.show_principal(number, server.reader) for number in hidden_from_reader(server)),
                ],
            }
        )
    if closed:
        names = cut([quoted(database.name) for database in closed], _MAX_NAMES)
        found.append(
            {
                "database_name": database_name,
                "order": WARNING_INCOMPLETE_DATABASES,
                "text": f"Incomplete: cannot read databases {names}",
                "cures": _cures(server, closed),
            }
        )
    return found


def _sees_definitions(server: Server) -> bool:
    return 1 in (server.rights["view_any_definition"], server.rights["view_any_security_definition"])


def _lacking_rights(server: Server, *, sees_definitions: bool) -> list[str]:
    lacking = [] if sees_definitions and not _unseen(server) else [reader_rights.definition_right(server.major)]
    return lacking if server.rights["view_any_database"] == 1 else [*lacking, "VIEW ANY DATABASE"]


def _unseen(server: Server) -> bool:
    """Whether a membership or permission names a principal that the reader was not shown, and no DENY tells why."""
    named = {number for edge in server.members for number in edge}
    named |= {permission.grantee_id for permission in server.permissions}
    return bool(named - server.principals.keys() - set(hidden_from_reader(server)))


def _closed_databases(server: Server, *, sees_definitions: bool) -> list[Database]:
    """Databases that could not be read; one that hides its definitions counts where the server right does not miss."""
    own = RDS_OWN_DATABASES if is_rds(server) else set()
    reader = reader_of(server)
    sid = reader.sid if reader else None
    if reader and ServerRights(server).is_sysadmin(reader.id):
        sid = SA_SID  # a sysadmin is dbo everywhere
    closed = [
        d for d in server.databases if d.name not in own and not _is_open(d, sid, sees_definitions=sees_definitions)
    ]
    return sorted(closed, key=lambda database: database.name)


def _is_open(database: Database, reader_sid: str | None, *, sees_definitions: bool) -> bool:
    if not database.is_readable:
        return False
    named = {number for edge in database.members for number in edge}
    named |= {permission.grantee_id for permission in database.permissions}
    hidden = DatabaseRights(database).hidden_from(reader_sid) if reader_sid != SA_SID else []
    unseen = named - database.principals.keys() or hidden
    return not sees_definitions or (database.has_definition_right and not unseen)


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
