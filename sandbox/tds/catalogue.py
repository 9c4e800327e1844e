"""A SQL Server's catalogue as prepared rows, and a builder that writes them from sentences about logins and databases.

`SHAPES` are the columns in which the product's queries ask for them; a test holds the two together. The rows are what
SQL Server's own catalogue views would return, ids included; they stand here because no SQL Server can be had.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from sandbox.tds.wire import Column, ResultSet, SqlError, Value

SHAPES: dict[str, tuple[str, ...]] = {
    "server": ("server_name", "product_version", "edition", "version_text", "reader", "server_time"),
    "visibility": (
        "view_any_definition:int", "view_any_security_definition:int", "view_any_database:int", "view_server_state:int",
    ),
    "server_principals": (
        "principal_id:int", "name", "name_utf16:varbinary", "type", "type_desc", "sid:varbinary",
        "is_disabled:int", "is_fixed_role:int",
        "owning_principal_id:int", "created_at", "modified_at",
    ),
    "server_role_members": ("role_principal_id:int", "member_principal_id:int"),
    "server_permissions": ("class:int", "major_id:int", "grantee_principal_id:int", "permission_name", "state"),
    "sql_logins": (
        "principal_id:int", "is_policy_checked:int", "is_expiration_checked:int", "is_locked:int", "is_expired:int",
        "is_must_change:int", "password_changed_at",
    ),
    "open_sessions": ("login_name", "sid:varbinary", "authenticating_database_id:int", "last_login_at"),
    "databases": (
        "database_id:int", "name", "name_utf16:varbinary", "owner_sid:varbinary", "state:int", "state_desc",
        "is_trustworthy_on:int", "containment:int", "service_broker_guid", "has_access:int",
    ),
    "database_visibility": ("database_id:int", "view_definition:int", "view_security_definition:int"),
    "database_principals": (
        "principal_id:int", "name", "name_utf16:varbinary", "type", "type_desc", "sid:varbinary",
        "authentication_type:int", "is_fixed_role:int", "created_at",
    ),
    "database_role_members": ("role_principal_id:int", "member_principal_id:int"),
    "database_permissions": ("class:int", "major_id:int", "grantee_principal_id:int", "permission_name", "state"),
}  # fmt: skip
_DATABASE_NAMES = {name for name in SHAPES if name.startswith("database_")}

Row = dict[str, Value]


def columns_of(name: str) -> list[Column]:
    """Column names and wire types of one query's answer."""
    return [(c.partition(":")[0], c.partition(":")[2] or "nvarchar") for c in SHAPES[name]]


@dataclass(slots=True)
class Catalogue:
    """What one server answers, per query name; per database for the queries that run inside one."""

    server: dict[str, list[Row]]
    databases: dict[str, dict[str, list[Row]]] = field(default_factory=dict)

    @property
    def server_name(self) -> str:
        """As SERVERPROPERTY('ServerName') gives it."""
        return str(self.server["server"][0]["server_name"])

    def exists(self, database: str) -> bool:
        """Whether sys.databases lists it."""
        return any(row["name"] == database for row in self.server["databases"])

    def accessible(self, database: str) -> bool:
        """Whether the reader may USE it."""
        return any(row["name"] == database and row["has_access"] == 1 for row in self.server["databases"])

    def answer(self, name: str, database: str) -> ResultSet:
        """The rows for a query. Raises SqlError 208 for one that is not known: never an empty answer instead."""
        source = self.databases.get(database, {}) if name in _DATABASE_NAMES else self.server
        if name not in source or name not in SHAPES:
            raise SqlError(208, f"Invalid object name '{name}'.")
        columns = columns_of(name)
        return ResultSet(columns, [[_cell(row, column) for column, _ in columns] for row in source[name]])

    def as_child_output(self) -> dict[str, Any]:
        """The same facts in the form the collector's child process prints, for tests of the rules without a wire."""

        def table(name: str, rows: list[Row]) -> dict[str, Any]:
            names = [column for column, _ in columns_of(name)]
            return {"columns": names, "rows": [[_plain(_cell(row, n)) for n in names] for row in rows]}

        inside = []
        for row in self.server["databases"]:
            readable = row["has_access"] == 1
            content = self.databases[str(row["name"])] if readable else {}
            tables = {n: table(n, rows) for n, rows in content.items()} if readable else None
            inside.append({"name": row["name"], "tables": tables, "failure": None})
        return {"tables": {n: table(n, rows) for n, rows in self.server.items()}, "databases": inside}

    def seen_with_few_rights(self, reader: str) -> Catalogue:
        """What a reader without VIEW ANY DEFINITION gets: fewer rows and no error.

        Visible stay sid 0x01, the reader and the fixed roles; members of those roles keep naming ids that are gone.
        """
        less = copy.deepcopy(self)
        kept = [
            p
            for p in less.server["server_principals"]
            if p["is_fixed_role"] == 1 or p["principal_id"] in (1, 2) or p["name"] == reader
        ]
        ids = {p["principal_id"] for p in kept}
        less.server["server_principals"] = kept
        less.server["sql_logins"] = [r for r in less.server["sql_logins"] if r["principal_id"] in ids]
        less.server["server_permissions"] = [
            r for r in less.server["server_permissions"] if r["grantee_principal_id"] in ids
        ]
        less.server["visibility"][0].update(view_any_definition=0, view_any_security_definition=0, view_server_state=0)
        return less


def _cell(row: Row, column: str) -> Value:
    """A cell; a name's UTF-16 is made of the name, which may hold half a surrogate pair."""
    return str(row["name"]).encode("utf-16-le", "surrogatepass") if column == "name_utf16" else row[column]


def _plain(value: Value) -> str | int | None:
    return "0x" + value.hex() if isinstance(value, bytes) else value
