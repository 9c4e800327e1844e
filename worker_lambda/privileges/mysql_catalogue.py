"""The facts of one MySQL or MariaDB server that its privileges are judged by: plain values, no driver, no SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from worker_lambda.privileges.wording import quoted

Flavour = Literal["mysql", "mariadb"]
Platform = Literal["self-managed", "rds", "aurora"]

# The static global privileges, by their column in mysql.user (lower case, without `_priv`).
PRIVILEGE_OF_COLUMN: dict[str, str] = {
    "select": "SELECT",
    "insert": "INSERT",
    "update": "UPDATE",
    "delete": "DELETE",
    "create": "CREATE",
    "drop": "DROP",
    "reload": "RELOAD",
    "shutdown": "SHUTDOWN",
    "process": "PROCESS",
    "file": "FILE",
    "grant": "GRANT OPTION",
    "references": "REFERENCES",
    "index": "INDEX",
    "alter": "ALTER",
    "show_db": "SHOW DATABASES",
    "super": "SUPER",
    "create_tmp_table": "CREATE TEMPORARY TABLES",
    "lock_tables": "LOCK TABLES",
    "execute": "EXECUTE",
    "repl_slave": "REPLICATION SLAVE",
    "repl_client": "REPLICATION CLIENT",
    "create_view": "CREATE VIEW",
    "show_view": "SHOW VIEW",
    "create_routine": "CREATE ROUTINE",
    "alter_routine": "ALTER ROUTINE",
    "create_user": "CREATE USER",
    "event": "EVENT",
    "trigger": "TRIGGER",
    "create_tablespace": "CREATE TABLESPACE",
    "create_role": "CREATE ROLE",
    "drop_role": "DROP ROLE",
    "delete_history": "DELETE HISTORY",
    "show_create_routine": "SHOW CREATE ROUTINE",
}

# MariaDB's `$.access` bits that no column of mysql.user shows (tried on 10.11 and 11.8, one GRANT at a time).
MARIADB_SPLIT_BITS: dict[int, str] = {
    30: "SET USER",
    31: "FEDERATED ADMIN",
    32: "CONNECTION ADMIN",
    33: "READ_ONLY ADMIN",
    34: "REPLICATION SLAVE ADMIN",
    35: "REPLICATION MASTER ADMIN",
    36: "BINLOG ADMIN",
    37: "BINLOG REPLAY",
    38: "SLAVE MONITOR",
    39: "SHOW CREATE ROUTINE",
}


_PLAIN_HOST = re.compile(r"[A-Za-z0-9_.%:/\-]*")  # names, addresses, patterns, netmasks


class Principal(NamedTuple):
    """An account or a role; orders by user, then host, by code point."""

    user: str
    host: str

    @property
    def username(self) -> str:
        """`user@host`, as the report prints an account."""
        return f"{self.user}@{self.host}"

    @property
    def role_label(self) -> str:
        """A role's name as a grantor writes it: the host only where it says something."""
        return self.user if self.host in ("", "%") else self.username

    @property
    def step(self) -> str:
        """As a step of an access path: quoted where the name could pass for a part of the path."""
        host = self.host if _PLAIN_HOST.fullmatch(self.host) else quoted(self.host)
        return f"{quoted(self.user)}@{host}"

    @property
    def role_step(self) -> str:
        """The same for a role."""
        return quoted(self.user) if self.host in ("", "%") else self.step


@dataclass(frozen=True, slots=True)
class Account:
    """One row of mysql.user. None in a field means that the reader could not see it.

    Attributes:
        privileges: static (and on MariaDB split) global privileges, GRANT OPTION among them.
        has_all: every static global privilege that this engine knows.
        password_changed_at: seconds since the epoch.
        lifetime_known: whether `password_lifetime_days` could be read; then None means the server's default.
        restrictions: partial revokes, schema -> privileges taken away.
    """

    principal: Principal
    privileges: frozenset[str]
    has_all: bool
    plugin: str | None
    locked: bool | None
    password_expired: bool | None
    password_changed_at: float | None = None
    lifetime_known: bool = False
    password_lifetime_days: int | None = None
    is_role: bool | None = None
    restrictions: Mapping[str, frozenset[str]] = field(default_factory=dict)


class DynamicGrant(NamedTuple):
    """A dynamic privilege (mysql.global_grants)."""

    principal: Principal
    privilege: str
    grant_option: bool


class RoleEdge(NamedTuple):
    """`role` was granted to `grantee` (mysql.role_edges, mysql.roles_mapping)."""

    role: Principal
    grantee: Principal
    admin_option: bool


class SchemaGrant(NamedTuple):
    """One row of mysql.db; `pattern` as stored, wildcards and escapes included."""

    principal: Principal
    pattern: str
    privileges: frozenset[str]
    has_all: bool


class TableGrant(NamedTuple):
    """Rights on one table of the schema `mysql`, table and column level together."""

    principal: Principal
    table: str
    privileges: frozenset[str]


class ProxyGrant(NamedTuple):
    """`principal` may act as `proxied` (mysql.proxies_priv)."""

    principal: Principal
    proxied: Principal


class Gap(NamedTuple):
    """A right to read that the login lacks; `columns` is empty where the whole table is free of secrets."""

    table: str
    columns: tuple[str, ...] = ()

    @property
    def right(self) -> str:
        """As it stands in a GRANT, between the word and TO."""
        columns = f" ({', '.join(self.columns)})" if self.columns else ""
        return f"SELECT{columns} on {self.table}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything read from one server.

    Attributes:
        version: numbers, e.g. (8, 0, 36).
        variables: lower-case name -> text.
        server_time: seconds since the epoch on the server's clock; None if it was not read.
        other_grants: principals with rights below schema level that no rule looks at.
        gaps: what the login lacks.
    """

    flavour: Flavour
    version: tuple[int, ...]
    accounts: tuple[Account, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    dynamic: tuple[DynamicGrant, ...] = ()
    edges: tuple[RoleEdge, ...] = ()
    schemas: tuple[SchemaGrant, ...] = ()
    tables: tuple[TableGrant, ...] = ()
    other_grants: frozenset[Principal] = frozenset()
    proxies: tuple[ProxyGrant, ...] = ()
    server_time: float | None = None
    gaps: tuple[Gap, ...] = ()

    @property
    def named_mandatory_roles(self) -> tuple[Principal, ...]:
        """Roles that every account holds, if they exist: `mandatory_roles` on MySQL, PUBLIC on MariaDB."""
        return (PUBLIC,) if self.flavour == "mariadb" else parse_role_list(self.variables.get("mandatory_roles", ""))

    @property
    def mandatory_roles(self) -> tuple[Principal, ...]:
        """Those of them that exist; looks at every account."""
        existing = {a.principal for a in self.accounts}
        return tuple(role for role in self.named_mandatory_roles if role in existing)

    @property
    def schema_wildcards(self) -> bool:
        """Whether % and _ in a schema grant match: not where partial revokes are on."""
        return self.variables.get("partial_revokes", "OFF").upper() not in ("ON", "1")

    @property
    def grant_tables_writable(self) -> bool:
        """False where the service blocks writes to the schema `mysql`: Aurora MySQL 3, RDS for MySQL from 8.0.36.

        Source: AWS, "Role-based privilege model" of both.
        """
        if self.flavour != "mysql":
            return True
        blocked_from = {"aurora": (8, 0), "rds": (8, 0, 36)}.get(self.platform)
        return blocked_from is None or self.version < blocked_from

    @property
    def platform(self) -> Platform:
        """Who runs the server, by what only AWS's builds have: their directory, and Aurora its version."""
        if "aurora_version" in self.variables:
            return "aurora"
        return "rds" if self.variables.get("basedir", "").startswith("/rdsdbbin") else "self-managed"


PUBLIC = Principal("PUBLIC", "")


def parse_role_list(text: str) -> tuple[Principal, ...]:
    """Parse `mandatory_roles`: comma-separated names, each part bare or in ', " or ` quotes, host % if absent."""
    roles: list[Principal] = []
    parts: list[str] = [""]
    quote = ""
    for character in text + ",":
        if quote:
            if character == quote:
                quote = ""
            else:
                parts[-1] += character
        elif character in "'\"`":
            quote = character
        elif character == "@":
            parts.append("")
        elif character == ",":
            if parts[0]:
                roles.append(Principal(parts[0], (parts[1] if len(parts) > 1 else "") or "%"))
            parts = [""]
        elif character != " ":
            parts[-1] += character
    return tuple(roles)
