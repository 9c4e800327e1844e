"""The rule table of the MySQL family: which right makes an administrator, at which tier, and where that is known from.

Order is the report's order of reasons. First match wins. Source `tried`: done on MySQL 9.7, MariaDB 10.11 and 11.8, as
an account with nothing else granted; otherwise the vendor's manual. The rows are those of docs/formats.md.
"""

from __future__ import annotations

from dataclasses import dataclass

RULES_VERSION = "mysql-1"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table.

    Attributes:
        tier: 0 controls the server, 1 administers it, 2 administers a schema.
        order: place in the table; reasons are listed in it.
    """

    rule_id: str
    tier: int
    order: int
    source: str


_TABLE: tuple[tuple[str, int, str], ...] = (
    ("mysql.all", 0, "manual: ALL on *.* holds every other privilege"),
    ("mysql.rds-superuser", 0, "AWS: Aurora v3 master's rights arrive through rds_superuser_role"),
    ("mysql.super", 0, "tried"),
    ("mysql.create-user", 0, "tried: resets ordinary accounts (MySQL), root's password (MariaDB)"),
    ("mysql.role-admin", 0, "tried: grants any role to itself"),
    ("mysql.set-definer", 0, "tried: a routine with an administrator as DEFINER"),
    ("mysql.replication-source", 0, "tried: points the server at a source that creates an administrator"),
    ("mysql.binlog-replay", 0, "tried: a BINLOG statement rewrites a grant table"),
    ("mysql.system-variables", 0, "tried: init_connect runs GRANT at an administrator's next login"),
    ("mysql.grant-tables", 0, "tried: INSERT, UPDATE or ALTER reaches a grant table"),
    ("mysql.proxy", 0, "manual: proxies act with the proxied account's rights"),
    ("mysql.admin-option", 0, "manual: grants the role to itself"),
    ("mysql.grant-option", 1, "tried: passes on what one has, no more; DELETE removes accounts"),
    ("mysql.system-user", 1, "tried: alone does not take control"),
    ("mysql.server", 1, "manual"),
    ("mysql.dynamic", 1, "manual"),
    ("mysql.schema", 2, "manual"),
)
RULES: dict[str, Rule] = {
    rule_id: Rule(rule_id, tier, order, source) for order, (rule_id, tier, source) in enumerate(_TABLE)
}
LIMITED = "mysql.limited"
USAGE = "mysql.usage"

# Global privileges by name, static, dynamic and split alike; MariaDB writes spaces where MySQL writes underscores.
RULE_OF_PRIVILEGE: dict[str, str] = {
    "SUPER": "mysql.super",
    "CREATE USER": "mysql.create-user",
    "ROLE_ADMIN": "mysql.role-admin",
    "SET_USER_ID": "mysql.set-definer",
    "SET_ANY_DEFINER": "mysql.set-definer",
    "SET USER": "mysql.set-definer",
    "REPLICATION_SLAVE_ADMIN": "mysql.replication-source",
    "REPLICATION SLAVE ADMIN": "mysql.replication-source",
    "BINLOG_ADMIN": "mysql.binlog-replay",
    "BINLOG REPLAY": "mysql.binlog-replay",
    "SYSTEM_VARIABLES_ADMIN": "mysql.system-variables",
    "GRANT OPTION": "mysql.grant-option",
    "DELETE": "mysql.grant-option",
    "SYSTEM_USER": "mysql.system-user",
    "FILE": "mysql.server",
    "PROCESS": "mysql.server",
    "RELOAD": "mysql.server",
    "SHUTDOWN": "mysql.server",
    "CREATE ROLE": "mysql.server",
    "DROP ROLE": "mysql.server",
    "REPLICATION SLAVE": "mysql.server",
    "REPLICATION CLIENT": "mysql.server",
    "BINLOG MONITOR": "mysql.server",
    "REPLICATION MASTER ADMIN": "mysql.server",
    "SLAVE MONITOR": "mysql.server",
    "BINLOG ADMIN": "mysql.server",
    "FEDERATED ADMIN": "mysql.dynamic",
    "CONNECTION ADMIN": "mysql.dynamic",
    "READ_ONLY ADMIN": "mysql.dynamic",
}

# Written with their scope, because the bare word says nothing about how far they reach.
SCOPED_GLOBAL = frozenset({"GRANT OPTION", "DELETE", "INSERT", "UPDATE", "ALTER"})
TABLE_WRITES = frozenset({"INSERT", "UPDATE", "ALTER"})
GRANT_TABLES = frozenset(
    {
        "user",
        "global_priv",
        "global_grants",
        "role_edges",
        "default_roles",
        "roles_mapping",
        "db",
        "tables_priv",
        "columns_priv",
        "procs_priv",
        "proxies_priv",
    }
)
RDS_SUPERUSER_ROLE = "rds_superuser_role"
