"""What a login may see of a MySQL or MariaDB catalogue, and what it lacks for a complete answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from worker_lambda.privileges.mysql_catalogue import PRIVILEGE_OF_COLUMN, Flavour

# A view that a DBA may offer (SQL SECURITY DEFINER) instead of rights on columns that hold a hash as well.
VIEW = "db_admin_report.account_facts"


_NOT_EVERYWHERE = frozenset({"create_role", "drop_role", "delete_history", "show_create_routine"})
_NOT_IN_SCHEMA = frozenset(
    {
        "reload",
        "shutdown",
        "process",
        "file",
        "show_db",
        "super",
        "repl_slave",
        "repl_client",
        "create_user",
        "create_tablespace",
    }
)


class Visible(NamedTuple):
    """What the probe found.

    Attributes:
        columns: table (`schema.name`, lower case) -> column in lower case -> column as spelled there. MySQL 9.7
            compares column *grants* by case: SELECT alter_priv is denied to a login that may read Alter_priv.
    """

    columns: Mapping[str, Mapping[str, str]]
    version_text: str
    version_comment: str

    @property
    def flavour(self) -> Flavour:
        """MariaDB says so in @@version; everything else is judged as MySQL."""
        return "mariadb" if "mariadb" in self.version_text.lower() else "mysql"

    @property
    def version(self) -> tuple[int, ...]:
        """Leading numbers of @@version; () when there are none."""
        numbers: list[int] = []
        for part in self.version_text.split("-")[0].split("."):
            if not part.isdigit():
                break
            numbers.append(int(part))
        return tuple(numbers)

    def has(self, table: str, *columns: str) -> bool:
        """Whether every one of these columns can be read."""
        return {column.lower() for column in columns} <= set(self.columns.get(table, ()))


def required_columns(visible: Visible) -> dict[str, tuple[str, ...]]:
    """What a complete answer needs from this flavour and version, spelled as a GRANT must spell it."""
    static = [c for c in PRIVILEGE_OF_COLUMN if c not in _NOT_EVERYWHERE]
    in_schema = [c for c in static if c not in _NOT_IN_SCHEMA]
    required: dict[str, tuple[str, ...]] = {}
    account = ["Host", "User", "plugin", "password_expired"]
    if visible.flavour == "mariadb":
        static += ["delete_history"] if visible.version >= (10, 3) else []
        account += ["is_role", "default_role"]
        required["mysql.roles_mapping"] = ("Host", "User", "Role", "Admin_option")
    else:
        account += ["account_locked", "password_last_changed", "password_lifetime"]
        if visible.version >= (8,):
            static += ["create_role", "drop_role"]
            required["mysql.global_grants"] = ("USER", "HOST", "PRIV", "WITH_GRANT_OPTION")
            required["mysql.role_edges"] = ("FROM_HOST", "FROM_USER", "TO_HOST", "TO_USER", "WITH_ADMIN_OPTION")
    required["mysql.user"] = (*account, *(_privilege_column(c) for c in static))
    required["mysql.db"] = ("Host", "Db", "User", *(_privilege_column(c) for c in in_schema))
    required["mysql.tables_priv"] = ("Host", "Db", "User", "Table_name", "Table_priv", "Column_priv")
    required["mysql.proxies_priv"] = ("Host", "User", "Proxied_host", "Proxied_user")
    return required


def _privilege_column(name: str) -> str:
    return f"{name}_priv".capitalize()


def privileges_visible(visible: Visible, table: str) -> bool:
    """Whether every privilege column that this version has can be read, so that ALL can be told from nearly all."""
    needed = required_columns(visible)[table]
    return visible.has(table, *(c for c in needed if c.endswith("_priv")))


def gaps(visible: Visible) -> tuple[str, ...]:
    """What the login lacks, sorted: `SELECT on mysql.role_edges`, `SELECT (File_priv) on mysql.user`."""
    found: list[str] = []
    for table, needed in required_columns(visible).items():
        missing = [c for c in needed if not visible.has(table, c)]
        if len(missing) == len(needed):
            found.append(f"SELECT on {table}")
        elif missing:
            found.append(f"SELECT ({', '.join(sorted(missing))}) on {table}")
    if visible.flavour == "mariadb" and visible.version >= (10, 4) and state_source(visible) is None:
        found.append("SELECT on mysql.global_priv")
    return tuple(sorted(found))


def state_source(visible: Visible) -> str | None:
    """Where MariaDB's lock state and split privileges can be read: the view before the table that holds hashes."""
    if visible.has(VIEW, "host", "user", "access", "account_locked", "password_last_changed", "password_lifetime"):
        return VIEW
    return "mysql.global_priv" if visible.has("mysql.global_priv", "host", "user", "priv") else None


def restrictions_source(visible: Visible) -> str | None:
    """Where MySQL's partial revokes can be read, or None."""
    if visible.has(VIEW, "host", "user", "restrictions"):
        return VIEW
    return "mysql.user" if visible.has("mysql.user", "host", "user", "user_attributes") else None
