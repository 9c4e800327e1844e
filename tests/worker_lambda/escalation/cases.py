"""Which right is tried on which engine, with which attack: the tier-0 rights first, then their nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.engines import Kind
from tests.worker_lambda.escalation import attacks, definers, replication
from tests.worker_lambda.escalation.attacks import GRANT_TABLE, NEW_ROW, Attack

MYSQL: tuple[Kind, ...] = ("mysql",)
MARIADB: tuple[Kind, ...] = ("mariadb", "mariadb-10.11")
ALL: tuple[Kind, ...] = (*MYSQL, *MARIADB)


@dataclass(frozen=True, slots=True)
class Case:
    """An account with these rights and no others, and what it does with them.

    Attributes:
        rule: of the verdict, for a right of tier 0.
        reason: stands in the verdict's Role Name where another rule, which comes first, names it.
        refusal: the server's error number, for a right that must not be enough.
        writes: the grant tables that it changes all the same.
        kept_from: MariaDB's number of the version whose row this is; an upgrade keeps rows as they are.
    """

    name: str
    engines: tuple[Kind, ...]
    grants: tuple[str, ...]
    attack: Attack
    rule: str = ""
    reason: str = ""
    refusal: int = 0
    writes: tuple[str, ...] = ()
    kept_from: int | None = None


def takes(rule: str, engines: tuple[Kind, ...], attack: Attack, *grants: str, reason: str = "") -> Case:
    """A right that takes control."""
    return Case(f"{rule}-{'+'.join(grants)}", engines, grants, attack, rule, reason)


def lacks(refusal: int, engines: tuple[Kind, ...], attack: Attack, *grants: str) -> Case:
    """A right that comes near and is refused."""
    name = getattr(attack, "__name__", "attack")
    return Case(f"{'+'.join(grants)}-{name}", engines, grants, attack, refusal=refusal)


def _writes(flavour: str, engines: tuple[Kind, ...]) -> list[Case]:
    """Each kind of write to the grant table, by each width of grant."""
    table, new_row = GRANT_TABLE[flavour], ", ".join(NEW_ROW[flavour])
    one_column = {"mysql": "authentication_string", "mariadb": "Priv"}[flavour]
    by_privilege: dict[str, tuple[Attack, str]] = {
        "INSERT": (attacks.insert_an_account, f"INSERT ({new_row}) ON {table}"),
        "UPDATE": (attacks.update_every_account, f"UPDATE ({one_column}) ON {table}"),
        "ALTER": (attacks.alter_the_grant_table, ""),
    }
    return [
        takes("mysql.grant-tables", engines, attack, grant)
        for privilege, (attack, columns) in by_privilege.items()
        for grant in (
            *(f"{privilege} ON {scope}" for scope in ("*.*", "mysql.*", table)),
            *([columns] if columns else []),
        )
    ]


_WRITE_MYSQL = ("Host, Db, User, Select_priv, Insert_priv", "'%', 'mysql', '{me}', 'Y', 'Y'")
_TABLE_COLUMNS = "Host, Db, User, Table_name, Table_priv"
_insert_by_schema = attacks.write_rights_into("db", *_WRITE_MYSQL, attacks.insert_an_account)
_insert_by_table = {
    flavour: attacks.write_rights_into(
        "tables_priv", _TABLE_COLUMNS, f"'%', 'mysql', '{{me}}', '{table.partition('.')[2]}', 'Insert'",
        attacks.insert_an_account,
    )
    for flavour, table in GRANT_TABLE.items()
}  # fmt: skip
_role_edge = attacks.write_rights_into(
    "role_edges", "FROM_HOST, FROM_USER, TO_HOST, TO_USER", "'%', 'boss', '%', '{me}'", role="boss"
)
_role_mapping = attacks.write_rights_into("roles_mapping", "Host, User, Role", "'%', '{me}', 'boss'", role="boss")
_dynamic_grant = attacks.write_rights_into(
    "global_grants", "USER, HOST, PRIV", "'{me}', '%', 'ROLE_ADMIN'", attacks.grant_itself_a_role
)
_proxied = attacks.write_rights_into(
    "proxies_priv", "Host, User, Proxied_host, Proxied_user", "'%', '{me}', '%', 'dba'", attacks.act_as_the_proxied
)
_as_dba, _as_root = attacks.run_a_routine_as(lambda arena: str(arena.dba)), attacks.run_a_routine_as(lambda a: a.root)

TAKE_CONTROL: list[Case] = [
    takes("mysql.all", ALL, attacks.reset_root, "ALL ON *.*"),
    takes("mysql.super", MYSQL, attacks.grant_itself_a_role, "SUPER ON *.*"),
    takes("mysql.super", ("mariadb-10.11",), attacks.set_init_connect, "SUPER ON *.*"),
    # From MariaDB 11 a new SUPER has lost these rights, one that an upgrade kept has not.
    Case(
        "mysql.super-SUPER from before an upgrade", ("mariadb",), ("SUPER ON *.*",), attacks.set_init_connect,
        "mysql.super", kept_from=101100,
    ),
    takes("mysql.create-user", MYSQL, attacks.reset_the_dba, "CREATE USER ON *.*"),
    takes("mysql.create-user", MARIADB, attacks.reset_root, "CREATE USER ON *.*"),
    takes("mysql.role-admin", MYSQL, attacks.grant_itself_a_role, "ROLE_ADMIN ON *.*"),
    # The right needs some schema to put the routine in.
    takes("mysql.set-definer", MYSQL, _as_dba, "SET_ANY_DEFINER ON *.*", "ALL ON app.*"),
    takes("mysql.set-definer", MARIADB, _as_root, "SET USER ON *.*", "ALL ON app.*"),
    takes("mysql.replication-source", MYSQL, replication.follow_a_source, "REPLICATION_SLAVE_ADMIN ON *.*"),
    takes("mysql.replication-source", MARIADB, replication.follow_a_source, "REPLICATION SLAVE ADMIN ON *.*"),
    takes("mysql.binlog-replay", MYSQL, replication.replay_a_binary_log, "BINLOG_ADMIN ON *.*"),
    takes("mysql.binlog-replay", MARIADB, replication.replay_a_binary_log, "BINLOG REPLAY ON *.*"),
    takes("mysql.system-variables", MYSQL, attacks.set_init_connect, "SYSTEM_VARIABLES_ADMIN ON *.*"),
    *_writes("mysql", MYSQL),
    *_writes("mariadb", MARIADB),
    takes("mysql.grant-tables", ALL, _insert_by_schema, "INSERT ON mysql.db"),
    takes("mysql.grant-tables", MYSQL, _insert_by_table["mysql"], "INSERT ON mysql.tables_priv"),
    takes("mysql.grant-tables", MARIADB, _insert_by_table["mariadb"], "INSERT ON mysql.tables_priv"),
    takes("mysql.grant-tables", MYSQL, _role_edge, "INSERT ON mysql.role_edges"),
    takes("mysql.grant-tables", MYSQL, _dynamic_grant, "INSERT ON mysql.global_grants"),
    takes("mysql.grant-tables", MARIADB, _role_mapping, "INSERT ON mysql.roles_mapping"),
    takes("mysql.grant-tables", MYSQL, _proxied, "INSERT ON mysql.proxies_priv"),
    # On MySQL routines and events are rows of the data dictionary, which nobody can write.
    takes("mysql.grant-tables", MARIADB, definers.write_a_routine_of_roots, "INSERT ON mysql.proc", "EXECUTE ON app.*"),
    takes("mysql.grant-tables", MARIADB, definers.make_an_event_roots, "UPDATE ON mysql.event", "EVENT ON app.*"),
    takes("mysql.proxy", MYSQL, attacks.act_as_the_proxied, "PROXY ON dba@'%'"),
    # Whoever holds ADMIN OPTION holds the role, so the role's own rule comes first.
    takes("mysql.admin-option", ALL, attacks.grant_an_accomplice_a_role, "boss WITH ADMIN OPTION",
          reason="ADMIN OPTION on boss"),
]  # fmt: skip

_WRITES = (attacks.insert_an_account, attacks.update_every_account, attacks.alter_the_grant_table)
ARE_REFUSED: list[Case] = [
    lacks(1227, ALL, attacks.reset_root, "ALL ON app.*"),
    lacks(1227, MYSQL, attacks.grant_itself_a_role, "CONNECTION_ADMIN ON *.*"),
    lacks(1227, MARIADB, attacks.set_init_connect, "READ_ONLY ADMIN ON *.*"),
    lacks(1227, MYSQL, attacks.reset_the_dba, "CREATE ROLE ON *.*"),
    lacks(1227, MYSQL, attacks.reset_the_dba, "SYSTEM_USER ON *.*"),
    lacks(1227, ALL, attacks.reset_the_dba, "USAGE ON *.* WITH GRANT OPTION"),
    lacks(1045, ALL, attacks.grant_itself_rights, "USAGE ON *.* WITH GRANT OPTION"),
    lacks(1045, MYSQL, attacks.grant_itself_rights, "SYSTEM_USER ON *.*"),
    lacks(1227, MYSQL, attacks.grant_itself_a_role, "CREATE ROLE ON *.*"),
    lacks(1227, MYSQL, _as_dba, "ALLOW_NONEXISTENT_DEFINER ON *.*", "ALL ON app.*"),
    lacks(1227, MARIADB, _as_root, "ALL ON app.*"),
    *(
        lacks(1227, MYSQL, replication.follow_a_source, f"{right} ON *.*")
        for right in ("REPLICATION SLAVE", "REPLICATION_APPLIER", "GROUP_REPLICATION_ADMIN")
    ),
    *(
        lacks(1227, MARIADB, replication.follow_a_source, f"{right} ON *.*")
        for right in ("REPLICATION SLAVE", "REPLICATION MASTER ADMIN", "SLAVE MONITOR")
    ),
    lacks(1227, MYSQL, replication.replay_a_binary_log, "BINLOG_ENCRYPTION_ADMIN ON *.*"),
    # It may begin, but each event is checked against its own rights, and the reason is in the server's log only.
    lacks(1105, MYSQL, replication.replay_a_binary_log, "REPLICATION_APPLIER ON *.*"),
    lacks(1227, MARIADB, replication.replay_a_binary_log, "BINLOG ADMIN ON *.*"),
    lacks(1227, MYSQL, attacks.set_init_connect, "SESSION_VARIABLES_ADMIN ON *.*"),
    lacks(1227, MYSQL, attacks.set_init_connect, "PERSIST_RO_VARIABLES_ADMIN ON *.*"),
    *(lacks(1142, ALL, attack, "DELETE ON *.*") for attack in _WRITES),
    *(lacks(1142, ALL, attack, "INSERT, UPDATE, ALTER ON app.*") for attack in _WRITES),
    *(lacks(1142, ALL, attack, "INSERT, UPDATE, ALTER ON mysql.help_topic") for attack in _WRITES),
    lacks(1142, MYSQL, attacks.act_as_the_proxied, "PROXY ON clerk@'%'"),
    lacks(1227, MYSQL, attacks.grant_an_accomplice_a_role, "harmless WITH ADMIN OPTION"),
    lacks(1698, MARIADB, attacks.grant_an_accomplice_a_role, "harmless WITH ADMIN OPTION"),
]
