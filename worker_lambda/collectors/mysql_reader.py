"""The SQL with which an administrator of a MySQL or MariaDB server gives the reader what it needs, and no more.

A password hash stays out of its reach: mysql.user is granted by column, and of the two columns that hold a hash beside
facts (User_attributes, global_priv.Priv) a view shows the facts only.
"""

from __future__ import annotations

from collections.abc import Iterable

from worker_lambda.collectors.mysql_visibility import (
    HOLDS_HASHES,
    RESTRICTIONS,
    STATE_KEYS,
    VIEW,
    is_at_least,
    required_columns,
)
from worker_lambda.privileges.mysql_catalogue import Flavour, Gap, Principal

# Whose rows only tell `Limited User` from `User`: granted to a new reader, no gap where an older one lacks it.
_ALSO_READ = "mysql.procs_priv"


def cures(gaps: Iterable[Gap], flavour: Flavour, reader: Principal) -> list[str]:
    """The statements that close these gaps, in their order; each ends with a semicolon."""
    found: list[str] = []
    for gap in gaps:
        found += view(flavour) if gap.table == VIEW else []
        found.append(f"GRANT {gap.right.replace(' on ', ' ON ', 1)} TO {account(reader)};")
    return found


def grants(flavour: Flavour, version: tuple[int, ...], reader: Principal) -> list[str]:
    """All that a new reader needs on a server of this version."""
    needed = [
        Gap(table, columns if table == HOLDS_HASHES else ())
        for table, columns in required_columns(flavour, version).items()
    ]
    needed.append(Gap(_ALSO_READ))
    if needs_view(flavour, version):
        needed.append(Gap(VIEW))
    return cures(needed, flavour, reader)


def needs_view(flavour: Flavour, version: tuple[int, ...]) -> bool:
    """Whether facts lie beside a hash: MariaDB's lock state and split privileges, MySQL's partial revokes (8.0.16)."""
    return flavour == "mariadb" or is_at_least(version, (8, 0, 16))


def view(flavour: Flavour) -> list[str]:
    """The view that shows facts without the hash beside them; it reads with the rights of who creates it."""
    if flavour == "mysql":
        columns = f"Host, User, {RESTRICTIONS} AS Restrictions FROM mysql.user"
    else:
        values = ", ".join(f"JSON_VALUE(Priv, '$.{key}') AS {key}" for key in STATE_KEYS)
        columns = f"Host, User, {values} FROM mysql.global_priv"
    return [
        "CREATE DATABASE IF NOT EXISTS db_admin_report;",
        f"CREATE OR REPLACE SQL SECURITY DEFINER VIEW {VIEW} AS SELECT {columns};",
    ]


def account(principal: Principal) -> str:
    """`user`@`host`, quoted so that every sql_mode reads it alike."""
    return "@".join("`" + part.replace("`", "``") + "`" for part in principal)
