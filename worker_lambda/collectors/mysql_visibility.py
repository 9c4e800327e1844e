"""What a login may see of a MySQL or MariaDB catalogue, and what it lacks for a complete answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from worker_lambda.privileges.mysql_catalogue import PRIVILEGE_OF_COLUMN, Flavour

# A view that a DBA may offer (SQL SECURITY DEFINER) instead of rights on columns that hold a hash as well.
VIEW = "db_admin_report.account_facts"


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
        return set(columns) <= set(self.columns.get(table, ()))


def required_columns(visible: Visible) -> dict[str, tuple[str, ...]]:
    """What a complete answer needs from this flavour and version; the least-privilege grant of docs/."""
    static = [
        c for c in PRIVILEGE_OF_COLUMN if c not in ("create_role", "drop_role", "delete_history", "show_create_routine")
    ]
    in_schema = [c for c in static if c not in _NOT_IN_SCHEMA]
    required: dict[str, tuple[str, ...]] = {}
    account = ["host", "user", "plugin", "password_expired"]
    if visible.flavour == "mariadb":
        static += ["delete_history"] if visible.version >= (10, 3) else []
        account += ["is_role", "default_role"] if visible.version >= (10, 0, 5) else []
        required["mysql.roles_mapping"] = ("host", "user", "role", "admin_option")
    else:
        account += ["account_locked", "password_last_changed", "password_lifetime"]
        if visible.version >= (8,):
            static += ["create_role", "drop_role"]
            required["mysql.global_grants"] = ("user", "host", "priv", "with_grant_option")
            required["mysql.role_edges"] = ("from_host", "from_user", "to_host", "to_user", "with_admin_option")
    required["mysql.user"] = (*account, *(f"{c}_priv" for c in static))
    required["mysql.db"] = ("host", "db", "user", *(f"{c}_priv" for c in in_schema))
    required["mysql.tables_priv"] = ("host", "db", "user", "table_name", "table_priv", "column_priv")
    required["mysql.proxies_priv"] = ("host", "user", "proxied_host", "proxied_user")
    return required


def gaps(visible: Visible) -> tuple[str, ...]:
    """What the login lacks, sorted: `SELECT on mysql.role_edges`, `SELECT (file_priv) on mysql.user`."""
    found: list[str] = []
    for table, needed in required_columns(visible).items():
        seen = set(visible.columns.get(table, ()))
        missing = [c for c in needed if c not in seen]
        if missing and not seen & set(needed):
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
