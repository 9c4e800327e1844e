"""What a login may see of a MySQL or MariaDB catalogue, and what it lacks for a complete answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from worker_lambda.privileges.mysql_catalogue import PRIVILEGE_OF_COLUMN, Flavour, Gap, Principal

# A view that a DBA may offer (SQL SECURITY DEFINER) instead of rights on columns that hold a hash as well.
VIEW = "db_admin_report.account_facts"
# What of MariaDB's global_priv.Priv is a fact and no hash, and what of MySQL's User_attributes.
STATE_KEYS = ("access", "account_locked", "password_last_changed", "password_lifetime")
RESTRICTIONS = "JSON_EXTRACT(User_attributes, '$.Restrictions')"
# Granted by column only: the others of its columns are password hashes.
HOLDS_HASHES = "mysql.user"


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
        reader: the account that the server takes us for (CURRENT_USER).
    """

    columns: Mapping[str, Mapping[str, str]]
    version_text: str
    reader: Principal = Principal("", "")

    @property
    def flavour(self) -> Flavour:
        """MariaDB says so in @@version; everything else is judged as MySQL."""
        return "mariadb" if "mariadb" in self.version_text.lower() else "mysql"

    @property
    def version(self) -> tuple[int, ...]:
        """Leading numbers of @@version; () when there are none."""
        return version_numbers(self.version_text)

    def has(self, table: str, *columns: str) -> bool:
        """Whether every one of these columns can be read."""
        return {column.lower() for column in columns} <= set(self.columns.get(table, ()))


def version_numbers(text: str) -> tuple[int, ...]:
    """`8.0.36-log` -> (8, 0, 36); () where it begins with no number."""
    numbers: list[int] = []
    for part in text.split("-")[0].split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


def is_at_least(version: tuple[int, ...], needed: tuple[int, ...]) -> bool:
    """Whether a version is that one or newer; `8.0` alone is taken for its latest patch."""
    return version >= needed[: len(version)]


def required_columns(flavour: Flavour, version: tuple[int, ...]) -> dict[str, tuple[str, ...]]:
    """What a complete answer needs from this flavour and version, spelled as a GRANT must spell it."""
    static = [c for c in PRIVILEGE_OF_COLUMN if c not in _NOT_EVERYWHERE]
    in_schema = [c for c in static if c not in _NOT_IN_SCHEMA]
    required: dict[str, tuple[str, ...]] = {}
    account = ["Host", "User", "plugin", "password_expired"]
    if flavour == "mariadb":
        static += ["delete_history"] if version >= (10, 3) else []
        in_schema += ["delete_history"] if version >= (10, 3) else []
        in_schema += ["show_create_routine"] if version >= (11, 3) else []
        account += ["is_role", "default_role"]
        required["mysql.roles_mapping"] = ("Host", "User", "Role", "Admin_option")
    else:
        account += ["account_locked", "password_last_changed", "password_lifetime"]
        if version >= (8,):
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
    needed = required_columns(visible.flavour, visible.version)[table]
    return visible.has(table, *(c for c in needed if c.endswith("_priv")))


def gaps(visible: Visible) -> tuple[Gap, ...]:
    """What the login lacks, sorted: one gap a table, with columns where the table holds secrets or some can be read."""
    found: list[Gap] = []
    for table, needed in required_columns(visible.flavour, visible.version).items():
        missing = [c for c in needed if not visible.has(table, c)]
        whole = len(missing) == len(needed) and table != HOLDS_HASHES
        if missing:
            found.append(Gap(table, () if whole else tuple(sorted(missing))))
    if visible.flavour == "mariadb" and visible.version >= (10, 4) and state_source(visible) is None:
        found.append(Gap(VIEW))
    return tuple(sorted(found))


def state_source(visible: Visible) -> str | None:
    """Where MariaDB's lock state and split privileges can be read: the table itself before what says so of it."""
    if visible.has("mysql.global_priv", "host", "user", "priv"):
        return "mysql.global_priv"
    return VIEW if visible.has(VIEW, "host", "user", *STATE_KEYS) else None


def restrictions_source(visible: Visible) -> str | None:
    """Where MySQL's partial revokes can be read, or None."""
    if visible.has("mysql.user", "host", "user", "user_attributes"):
        return "mysql.user"
    return VIEW if visible.has(VIEW, "host", "user", "restrictions") else None
