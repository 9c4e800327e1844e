"""The two statements sent to a MySQL or MariaDB server. Their text depends on the visible columns only, never on data.

1. `PROBE`: which of the columns we need does information_schema show? It lists what the login may read, so it is the
   permission check, too. 2. `facts()`: one UNION ALL over what is visible, `WIDTH` text columns, a kind in the first.
A password hash is in no select list: of mysql.global_priv.Priv and mysql.user.User_attributes named keys only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker_lambda.collectors.mysql_visibility import (
    RESTRICTIONS,
    STATE_KEYS,
    VIEW,
    Visible,
    gaps,
    privileges_visible,
    required_columns,
    restrictions_source,
    state_source,
)
from worker_lambda.privileges.mysql_catalogue import PRIVILEGE_OF_COLUMN, Gap

WIDTH = 10
QUERY_SECONDS = 60

# What a session inherits from the server and init_connect could change the answer without an error: names padded to
# their full length or empty ones taken for NULL (sql_mode), rows left out (sql_select_limit), a refusal (big selects).
# The server ends what outlives us; each of the two comments is one product's, and the other skips it.
SESSION = (
    "SET SESSION sql_mode = '', sql_select_limit = 18446744073709551615, sql_big_selects = 1 "
    f"/*M!100101 , max_statement_time = {QUERY_SECONDS} */ /*!50708 , max_execution_time = {QUERY_SECONDS * 1000} */"
)

PROBE = """\
SELECT CONVERT('column' USING utf8mb4), CONVERT(LOWER(CONCAT(TABLE_SCHEMA, '.', TABLE_NAME)) USING utf8mb4),
  CONVERT(COLUMN_NAME USING utf8mb4)
FROM information_schema.COLUMNS
WHERE LOWER(`PRIVILEGES`) LIKE '%select%' AND (
  (TABLE_SCHEMA = 'mysql' AND TABLE_NAME IN ('user', 'global_priv', 'global_grants', 'role_edges', 'roles_mapping',
    'db', 'tables_priv', 'procs_priv', 'proxies_priv'))
  OR (TABLE_SCHEMA = 'db_admin_report' AND TABLE_NAME = 'account_facts'))
UNION ALL
SELECT CONVERT('version' USING utf8mb4), CONVERT(@@version USING utf8mb4), NULL
UNION ALL
SELECT CONVERT('reader' USING utf8mb4), CONVERT(CURRENT_USER() USING utf8mb4), NULL"""

_VARIABLES = (
    "aurora_version",
    "basedir",
    "default_password_lifetime",
    "hostname",
    "lower_case_table_names",
    "mandatory_roles",
    "partial_revokes",
    "port",
    "server_uid",
    "server_uuid",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The second statement, and how to read what it answers.

    Attributes:
        user_columns, schema_columns: the privilege columns whose Y/N letters make up the letter text, in order.
        all_in_user, all_in_schema: whether ALL can be told from these columns.
        gaps: what the login lacks.
    """

    sql: str
    user_columns: tuple[str, ...]
    schema_columns: tuple[str, ...]
    all_in_user: bool
    all_in_schema: bool
    gaps: tuple[Gap, ...]


def facts(visible: Visible) -> Facts:
    """Build the second statement from what the first one showed."""
    user_columns = privilege_columns(visible, "mysql.user")
    schema_columns = privilege_columns(visible, "mysql.db")
    parts = [_part(["'clock'", "UNIX_TIMESTAMP(NOW(6))"], "")]
    parts += _account_parts(visible, user_columns)
    parts += _grant_parts(visible, schema_columns)
    # Both are for everybody to read, though MySQL's COLUMNS does not list the first for a plain login.
    mariadb = visible.flavour == "mariadb"
    source = "information_schema.GLOBAL_VARIABLES" if mariadb else "performance_schema.global_variables"
    if mariadb or visible.version >= (5, 7):
        names = ", ".join(f"'{name}'" for name in _VARIABLES)
        parts.append(
            _part(["'variable'", "VARIABLE_NAME", "VARIABLE_VALUE"], f"{source} WHERE VARIABLE_NAME IN ({names})")
        )
    # Last: an answer without it was cut short.
    parts.append(_part(["'end'"], ""))
    return Facts(
        " UNION ALL ".join(parts),
        user_columns,
        schema_columns,
        privileges_visible(visible, "mysql.user"),
        privileges_visible(visible, "mysql.db"),
        gaps(visible),
    )


def privilege_columns(visible: Visible, table: str) -> tuple[str, ...]:
    """The readable `*_priv` columns that we know the meaning of, sorted, so that the text is constant."""
    columns = visible.columns.get(table, {})
    return tuple(columns[c] for c in sorted(columns) if c.removesuffix("_priv") in PRIVILEGE_OF_COLUMN)


def _account_parts(visible: Visible, privileges: Sequence[str]) -> list[str]:
    if not visible.has("mysql.user", "host", "user"):
        return []
    letters = "CONCAT(" + ", ".join(f"`{c}`" for c in privileges) + ")" if privileges else "''"
    columns = ["'account'", "User", "Host", letters]
    columns += [c if visible.has("mysql.user", c) else "NULL" for c in ("plugin", "account_locked", "password_expired")]
    changed = visible.has("mysql.user", "password_last_changed")
    columns.append("UNIX_TIMESTAMP(password_last_changed)" if changed else "NULL")
    columns += [c if visible.has("mysql.user", c) else "NULL" for c in ("password_lifetime", "is_role")]
    parts = [_part(columns, "mysql.user")]
    if visible.flavour == "mysql":
        source = restrictions_source(visible)
        column = "Restrictions" if source == VIEW else RESTRICTIONS
        if source is not None:
            parts.append(_part(["'restrictions'", "User", "Host", column], f"{source} WHERE {column} IS NOT NULL"))
        return parts
    source = state_source(visible)
    if source is not None:
        values = STATE_KEYS if source == VIEW else tuple(f"JSON_VALUE(Priv, '$.{key}')" for key in STATE_KEYS)
        parts.append(_part(["'state'", "User", "Host", *values], source))
    return parts


def _grant_parts(visible: Visible, schema_columns: Sequence[str]) -> list[str]:
    parts: list[str] = []
    required = required_columns(visible.flavour, visible.version)

    def add(table: str, columns: list[str], where: str = "") -> None:
        if visible.has(table, *required.get(table, ())):
            parts.append(_part(columns, f"{table} {where}".strip()))

    if "mysql.global_grants" in required:
        add("mysql.global_grants", ["'dynamic'", "USER", "HOST", "PRIV", "WITH_GRANT_OPTION"])
        edges = ["'edge'", "FROM_USER", "FROM_HOST", "TO_USER", "TO_HOST", "WITH_ADMIN_OPTION"]
        add("mysql.role_edges", edges)
    if "mysql.roles_mapping" in required:
        add("mysql.roles_mapping", ["'edge'", "Role", "''", "User", "Host", "Admin_option"])
    if schema_columns and visible.has("mysql.db", "host", "db", "user"):
        letters = "CONCAT(" + ", ".join(f"`{c}`" for c in schema_columns) + ")"
        parts.append(_part(["'schema'", "User", "Host", "Db", letters], "mysql.db"))
    table = ["'table'", "User", "Host", "Table_name", "Table_priv", "Column_priv"]
    add("mysql.tables_priv", table, "WHERE Db = 'mysql'")
    add("mysql.tables_priv", ["'other'", "User", "Host"], "WHERE Db <> 'mysql'")
    if visible.has("mysql.procs_priv", "host", "user"):
        parts.append(_part(["'other'", "User", "Host"], "mysql.procs_priv"))
    add("mysql.proxies_priv", ["'proxy'", "User", "Host", "Proxied_user", "Proxied_host"])
    return parts


def _part(expressions: Sequence[str], source: str) -> str:
    """One SELECT of WIDTH text columns; `source` is a FROM clause without the word, or empty."""
    padded = [*expressions, *["NULL"] * (WIDTH - len(expressions))]
    columns = ", ".join(f"CONVERT({e} USING utf8mb4)" for e in padded)
    # Every word comes from this module; names that a server sent only choose among them.
    return f"SELECT {columns}" + (f" FROM {source}" if source else "")  # noqa: S608 - see above
