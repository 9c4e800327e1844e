"""One function per way to take control. Each returns the account that then has it; a refusal is the driver's error.

What needs somebody else's innocent act is done as root or as the DBA, and says so.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from contextlib import closing

import pymysql
import pytest
from pymysql.constants import ER

from tests.worker_lambda.escalation.arena import POWERS, Account, Arena

Attack = Callable[[Arena, Account], Account]

GRANT_TABLE = {"mysql": "mysql.user", "mariadb": "mysql.global_priv"}
_PRIVILEGES = [f"{name}_priv" for name in ("Select", "Insert", "Update", "Delete", "Create_user", "Grant")]
# The last three of MySQL have no default.
NEW_ROW = {
    "mysql": ["Host", "User", *_PRIVILEGES, "ssl_cipher", "x509_issuer", "x509_subject"],
    "mariadb": ["Host", "User", "Priv"],
}
# Every right that there is or will be, and no password.
_EVERYTHING = json.dumps({"access": 2**64 - 1, "plugin": "mysql_native_password", "authentication_string": ""})


def insert_row(flavour: str, name: str) -> str:
    """The statement that writes an administrator without a password into the grant table."""
    values = {"mysql": ["%", name, *"Y" * len(_PRIVILEGES), "", "", ""], "mariadb": ["%", name, _EVERYTHING]}[flavour]
    listed = ", ".join(f"'{value}'" for value in values)
    return f"INSERT INTO {GRANT_TABLE[flavour]} ({', '.join(NEW_ROW[flavour])}) VALUES ({listed})"


def reset_the_dba(arena: Arena, attacker: Account) -> Account:
    """Give an administrator's account a password that the attacker knows."""
    password = secrets.token_urlsafe(24)
    arena.run_as(attacker, f"ALTER USER {arena.dba} IDENTIFIED BY '{password}'")
    return Account(arena.dba.name, password)


def reset_root(arena: Arena, attacker: Account) -> Account:
    """The same with root's own account."""
    password = secrets.token_urlsafe(24)
    arena.run_as(attacker, f"ALTER USER {arena.root} IDENTIFIED BY '{password}'")
    return Account("root", password)


def grant_itself_rights(arena: Arena, attacker: Account) -> Account:
    """Give itself what it does not have."""
    arena.run_as(attacker, f"GRANT {POWERS} ON *.* TO {attacker} WITH GRANT OPTION")
    return attacker


def grant_itself_a_role(arena: Arena, attacker: Account) -> Account:
    """Give itself a role that administers."""
    arena.run_as(attacker, f"GRANT boss TO {attacker}")
    return Account(attacker.name, attacker.password, "boss")


def grant_an_accomplice_a_role(arena: Arena, attacker: Account) -> Account:
    """Give the role to another account, which keeps it when the attacker's is taken away."""
    arena.run_as(attacker, f"GRANT boss TO {arena.clerk}")
    return Account(arena.clerk.name, arena.clerk.password, "boss")


def run_a_routine_as(definer: Callable[[Arena], str]) -> Attack:
    """Write a routine that runs with the definer's rights, and call it."""

    def run_a_routine(arena: Arena, attacker: Account) -> Account:
        body = f"GRANT {POWERS} ON *.* TO {attacker} WITH GRANT OPTION"
        routine = f"CREATE DEFINER={definer(arena)} PROCEDURE app.gift() SQL SECURITY DEFINER {body}"
        arena.run_as(attacker, routine, "CALL app.gift()")
        return attacker

    return run_a_routine


def set_init_connect(arena: Arena, attacker: Account) -> Account:
    """Set the statement that the server runs at a login, and wait until a DBA logs in."""
    gift = f"GRANT {POWERS} ON *.* TO {attacker} WITH GRANT OPTION"
    arena.run_as(attacker, f'SET GLOBAL init_connect = "{gift}"')
    with closing(arena.log_in(arena.dba)) as innocent, innocent.cursor() as cursor:  # the DBA's daily work
        cursor.execute("SELECT 1")
    return attacker


def insert_an_account(arena: Arena, attacker: Account) -> Account:
    """Write a new administrator into the grant table."""
    name = f"{attacker.name}_new"
    arena.run_as(attacker, insert_row(arena.flavour, name))
    arena.flush()
    return Account(name, "")


def update_every_account(arena: Arena, attacker: Account) -> Account:
    """Take everybody's password away, root's too: one column, and no right to read which row is whose."""
    column, value = {"mysql": ("authentication_string", ""), "mariadb": ("Priv", _EVERYTHING)}[arena.flavour]
    arena.run_as(attacker, f"UPDATE {GRANT_TABLE[arena.flavour]} SET {column} = '{value}'")
    arena.flush()
    return Account("root", "")


def alter_the_grant_table(arena: Arena, attacker: Account) -> Account:
    """Drop the column with the passwords and add it again: no row is written, yet every row has the default."""
    column, definition = {
        "mysql": ("authentication_string", "TEXT CHARACTER SET utf8mb3 COLLATE utf8mb3_bin AFTER plugin"),
        "mariadb": ("Priv", f"LONGTEXT NOT NULL DEFAULT '{_EVERYTHING}'"),
    }[arena.flavour]
    table = GRANT_TABLE[arena.flavour]
    arena.run_as(attacker, f"ALTER TABLE {table} DROP COLUMN {column}, ADD COLUMN {column} {definition}")
    arena.flush()
    return Account("root", "")


def write_rights_into(table: str, columns: str, values: str, then: Attack | None = None, role: str = "") -> Attack:
    """Insert one row of rights for itself into another grant table, and use them.

    Args:
        values: with `{me}` for the attacker's user name.
        then: how the new rights take control, where they are not control already.
    """

    def write_rights(arena: Arena, attacker: Account) -> Account:
        row = f"INSERT INTO mysql.{table} ({columns}) VALUES ({values.format(me=attacker.name)})"
        arena.run_as(attacker, "SET sql_mode = ''", row)  # columns without a default take an empty value
        arena.flush()
        return then(arena, attacker) if then else Account(attacker.name, attacker.password, role)

    return write_rights


def act_as_the_proxied(arena: Arena, attacker: Account) -> Account:
    """Log in as itself and be somebody else, where a DBA has turned the mapping on for whoever needs it."""
    try:
        arena.as_root("SET GLOBAL caching_sha2_password_proxy_users = ON", "SET GLOBAL check_proxy_users = ON")
    except pymysql.OperationalError as error:
        if error.args[0] != ER.UNKNOWN_SYSTEM_VARIABLE:  # an older MySQL, where this plugin maps nobody
            raise
        pytest.skip(f"no proxy users here: {error}")
    return attacker
