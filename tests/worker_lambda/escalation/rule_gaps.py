"""Where rules and engines differ: rights of tier 0 that are refused, and rights below it that take control.

The definition of tier 0 is agreed with those who read the reports; docs/admin-definition.md tells them of the latter.
"""

from __future__ import annotations

from sandbox.engines import Kind
from tests.worker_lambda.escalation import attacks, definers
from tests.worker_lambda.escalation.arena import Account, Arena
from tests.worker_lambda.escalation.attacks import Attack
from tests.worker_lambda.escalation.cases import MARIADB, MYSQL, Case

# Without a column right in tables_priv the server never looks here.
_column = {
    table: attacks.write_rights_into(
        "columns_priv", "Host, Db, User, Table_name, Column_name, Column_priv",
        f"'%', 'mysql', '{{me}}', '{table}', '{column}', 'Update'", attacks.update_every_account,
    )
    for table, column in {"user": "authentication_string", "global_priv": "Priv"}.items()
}  # fmt: skip
# A default role counts only where it was granted.
_default_role = attacks.write_rights_into(
    "default_roles", "HOST, USER, DEFAULT_ROLE_HOST, DEFAULT_ROLE_USER", "'%', '{me}', '%', 'boss'"
)


def _write_the_view(arena: Arena, attacker: Account) -> Account:
    arena.run_as(attacker, "INSERT INTO mysql.user (Host, User) VALUES ('%', 'new')")
    return Account("new", "")


def _caution(engines: tuple[Kind, ...], attack: Attack, grant: str, refusal: int, *writes: str) -> Case:
    return Case(grant, engines, (grant,), attack, "mysql.grant-tables", refusal=refusal, writes=writes)


# Nobody's daily work is to write where privileges are stored, and another version may read what this one does not.
REFUSED_AT_TIER_0: list[Case] = [
    Case("new SUPER", ("mariadb",), ("SUPER ON *.*",), attacks.set_init_connect, "mysql.super", refusal=1227),
    # A view of mariadb.sys, who may not write the table beneath.
    _caution(MARIADB, _write_the_view, "INSERT ON mysql.user", 1356),
    _caution(MYSQL, _column["user"], "INSERT ON mysql.columns_priv", 1142, "columns_priv"),
    _caution(MARIADB, _column["global_priv"], "INSERT ON mysql.columns_priv", 1142, "columns_priv"),
    _caution(MYSQL, _default_role, "INSERT ON mysql.default_roles", 1142, "default_roles"),
]
# On MySQL CONNECTION_ADMIN does not set init_connect, and a trigger is no file.
TAKE_CONTROL_BELOW_TIER_0: list[Case] = [
    Case("CONNECTION ADMIN", MARIADB, ("CONNECTION ADMIN ON *.*",), attacks.set_init_connect),
    Case("FILE", MARIADB, ("FILE ON *.*",), definers.write_a_trigger_file),
]
