"""The rule table of the MySQL family: which right makes an administrator, at which tier, and where that is known from.

Order is the report's order of reasons; the first match names the row. docs/admin-definition.md is made from this file.
Change RULES_VERSION with every change of meaning.
"""

from __future__ import annotations

from worker_lambda.privileges.rule import Rule, table

RULES_VERSION = "mysql-4"

# Done as an account with nothing else granted; tests/worker_lambda/escalation does it again.
_TRIED = "tried on MySQL 9.7, MariaDB 11.8 and 10.11"
_TRIED_MYSQL = "tried on MySQL 9.7"
_MANUAL = "MySQL manual, Privileges Provided by MySQL"
_MARIADB = "MariaDB documentation, GRANT"
_CIS = "CIS MySQL 8.0"
_FULL, _SERVER, _DATABASE = "Full Admin", "Server Admin", "Database Admin"

RULES: dict[str, Rule] = table(
    Rule(
        "mysql.all", "0", _FULL, "every static privilege on *.* (ALL)",
        "Holds every privilege on every database, and with it each of the rights below.",
        f"{_TRIED}; {_MANUAL}; {_CIS} 5.1",
    ),
    Rule(
        "mysql.rds-superuser", "0", _FULL, "the role rds_superuser_role, at any depth",
        "AWS gives the master user its rights through this role; whoever holds it has them too.",
        "AWS, Aurora MySQL and RDS for MySQL: role-based privilege model",
        untested="only AWS makes this role; checked on catalogues written after AWS's documents",
    ),
    Rule(
        "mysql.super", "0", _FULL, "SUPER",
        "May change what only the owner of the server should: definers, global settings, other accounts' sessions.",
        "tried on MySQL 9.7 and MariaDB 10.11; on MariaDB 11 a SUPER kept from before the upgrade takes control, one "
        f"granted since is refused, and the catalogue does not tell them apart; {_MANUAL}; {_CIS} 5.4",
    ),
    Rule(
        "mysql.create-user", "0", _FULL, "CREATE USER",
        "May set another account's password and then log in as that account; on MariaDB root's, too.",
        f"{_TRIED}; {_MANUAL}; {_CIS} 5.6",
    ),
    Rule(
        "mysql.role-admin", "0", _FULL, "ROLE_ADMIN",
        "May grant any role to itself, the most powerful one included.",
        f"{_TRIED_MYSQL}; {_MANUAL}",
    ),
    Rule(
        "mysql.set-definer", "0", _FULL, "SET_USER_ID, SET_ANY_DEFINER (MySQL); SET USER (MariaDB)",
        "May write a routine that runs with an administrator's rights.",
        f"{_TRIED}; {_MANUAL}; {_MARIADB}",
    ),
    Rule(
        "mysql.replication-source", "0", _FULL, "REPLICATION_SLAVE_ADMIN; REPLICATION SLAVE ADMIN (MariaDB)",
        "May make the server copy from a server of the attacker's, which then sends it a new administrator.",
        f"{_TRIED}; {_MANUAL}; {_MARIADB}",
    ),
    Rule(
        "mysql.binlog-replay", "0", _FULL, "BINLOG_ADMIN (MySQL); BINLOG REPLAY (MariaDB)",
        "May replay a change that rewrites the tables in which the privileges are stored.",
        f"{_TRIED}; {_MANUAL}; {_MARIADB}",
    ),
    Rule(
        "mysql.system-variables", "0", _FULL, "SYSTEM_VARIABLES_ADMIN",
        "May set a statement that the server runs in the name of the next administrator who logs in.",
        f"{_TRIED_MYSQL}; {_MANUAL}",
    ),
    Rule(
        "mysql.grant-tables", "0", _FULL,
        "INSERT, UPDATE or ALTER on *.*, on the schema mysql or on a grant table (mysql.proc and mysql.event among "
        "them, which hold who a routine or event runs as), also on one column; "
        "not where AWS blocks it (Aurora MySQL 3, RDS for MySQL from 8.0.36)",
        "May write the tables in which the privileges are stored, and so give itself all of them.",
        f"{_TRIED}; MySQL manual, Grant Tables; {_CIS} 5.9; AWS: role-based privilege model",
    ),
    Rule(
        "mysql.proxy", "0", _FULL, "PROXY on a tier-0 account or on ''@''",
        "May act as an administrator's account without knowing its password.",
        f"{_TRIED_MYSQL} (PROXY on ''@'' and MariaDB: not, for want of a plugin); MySQL manual, Proxy Users",
    ),
    Rule(
        "mysql.admin-option", "0", _FULL, "ADMIN OPTION on a tier-0 role",
        "May grant that role to anybody, to a new account of its own as well.",
        f"{_TRIED}; MySQL manual, GRANT",
    ),
    Rule(
        "mysql.grant-option", "1", _SERVER, "GRANT OPTION or DELETE on *.*",
        "GRANT OPTION passes on the rights one has, and no more; DELETE removes accounts but cannot make one.",
        f"{_TRIED}; {_CIS} 5.7",
    ),
    Rule(
        "mysql.system-user", "1", _SERVER, "SYSTEM_USER",
        "Is protected from accounts without it; alone it does not take control.",
        f"{_TRIED_MYSQL}; {_MANUAL}",
    ),
    Rule(
        "mysql.server", "1", _SERVER,
        "FILE, PROCESS, RELOAD, SHUTDOWN, CREATE ROLE, DROP ROLE, replication rights, BINLOG ADMIN (MariaDB)",
        "Administers a part of the server: its files, its sessions, its replication, its end.",
        f"{_MANUAL}; {_MARIADB}; {_CIS} 5.2, 5.3, 5.5, 5.8",
    ),
    Rule(
        "mysql.dynamic", "1", _SERVER, "any other dynamic privilege (MySQL); CONNECTION, READ_ONLY, FEDERATED ADMIN",
        "Administers a part of the server that neither the rules above nor an ordinary application needs.",
        f"{_MANUAL}; {_MARIADB}",
    ),
    Rule(
        "mysql.schema", "2", _DATABASE, "ALL or GRANT OPTION on a schema",
        "Controls one database, but not the server.",
        f"{_MANUAL}; {_CIS} 5.9",
    ),
    Rule(
        "mysql.limited", "none", "Limited User", "any other grant or role",
        "Works with data; administers nothing.",
        _MANUAL,
    ),
    Rule(
        "mysql.usage", "none", "User", "USAGE only",
        "May connect, and nothing else.",
        _MANUAL,
    ),
)  # fmt: skip
LIMITED = RULES["mysql.limited"]
USAGE = RULES["mysql.usage"]
ROOT_LABEL = "Root Admin"  # instead of Full Admin, where the user part is root

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
        "proc",  # MariaDB, MySQL 5.7: a routine's definer, and
        "event",  # an event's, is a column that can be written
    }
)
RDS_SUPERUSER_ROLE = "rds_superuser_role"
