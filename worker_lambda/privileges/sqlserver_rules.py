"""The SQL Server rule table: which right makes which tier, under which id, and where that is written. Nothing decides
here; report-format's table in data, in its order. Bump RULES_VERSION with every change of meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RULES_VERSION = "mssql-1"

Tier = Literal["0", "1", "2", "none"]

_PERMISSIONS = "Microsoft: Permissions (Database Engine)"
_ROLES = "Microsoft: Server-level roles"
_DB_ROLES = "Microsoft: Database-level roles"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table.

    Attributes:
        id: stands in the report's details as rule_id.
        order: place in the table; the first match names the row.
        label: beginning of Role Name.
        source: whose statement makes this a rule.
    """

    id: str
    tier: Tier
    label: str
    source: str
    order: int = 0


def _table(*rules: Rule) -> dict[str, Rule]:
    return {rule.id: Rule(rule.id, rule.tier, rule.label, rule.source, order) for order, rule in enumerate(rules)}


RULES = _table(
    Rule("mssql.sysadmin", "0", "System Admin", _ROLES),
    Rule("mssql.sid-0x01", "0", "System Admin", "Microsoft: sa, by its sid whatever its name"),
    Rule("mssql.control-server", "0", "System Admin", f"{_PERMISSIONS}: CONTROL SERVER grants what sysadmin has"),
    Rule("mssql.rds-master", "0", "System Admin", "AWS: master user account privileges"),
    Rule("mssql.alter-any-login", "0", "System Admin", "Microsoft: ALTER LOGIN, who may set whose password"),
    Rule("mssql.impersonate-any-login", "0", "System Admin", f"{_PERMISSIONS}: IMPERSONATE ANY LOGIN"),
    Rule("mssql.impersonate-login", "0", "System Admin", "Microsoft: EXECUTE AS LOGIN; CONTROL implies IMPERSONATE"),
    Rule("mssql.server-role-control", "0", "System Admin", "Microsoft: ALTER SERVER ROLE, who may add members"),
    Rule("mssql.trustworthy-database", "0", "System Admin", "Microsoft: TRUSTWORTHY database property"),
    Rule("mssql.securityadmin", "0", "Security Admin", f"{_ROLES}: treat securityadmin as sysadmin"),
    Rule("mssql.fixed-server-role", "1", "Server Admin", _ROLES),
    Rule("mssql.alter-any", "1", "Server Admin", _PERMISSIONS),
    Rule("mssql.unsafe-assembly", "1", "Server Admin", f"{_PERMISSIONS}: UNSAFE ASSEMBLY"),
    Rule("mssql.with-grant", "1", "Server Admin", "Microsoft: GRANT … WITH GRANT OPTION"),
    Rule("mssql.database-owner", "2", "Database Admin", "Microsoft: ALTER AUTHORIZATION, the owner is dbo"),
    Rule("mssql.db-owner", "2", "Database Admin", _DB_ROLES),
    Rule("mssql.db-securityadmin", "2", "Database Admin", f"{_DB_ROLES}: may elevate privileges"),
    Rule("mssql.db-accessadmin", "2", "Database Admin", _DB_ROLES),
    Rule("mssql.db-ddladmin", "2", "Database Admin", f"{_DB_ROLES}: may elevate privileges"),
    Rule("mssql.database-control", "2", "Database Admin", f"{_PERMISSIONS}: CONTROL on a database"),
    Rule("mssql.group", "none", "Other", "members are Active Directory's or Entra's knowledge"),
    Rule("mssql.certificate-or-key", "none", "Other", "no client can log in with it"),
    Rule("mssql.user", "none", "User", "no rule above matches"),
)

_OTHER_FIXED_ROLES = ("serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator", "bulkadmin")
FIXED_SERVER_ROLES = {
    "sysadmin": RULES["mssql.sysadmin"],
    "securityadmin": RULES["mssql.securityadmin"],
    **dict.fromkeys(_OTHER_FIXED_ROLES, RULES["mssql.fixed-server-role"]),
}
FIXED_DATABASE_ROLES = {
    "db_owner": RULES["mssql.db-owner"],
    "db_securityadmin": RULES["mssql.db-securityadmin"],
    "db_accessadmin": RULES["mssql.db-accessadmin"],
    "db_ddladmin": RULES["mssql.db-ddladmin"],
}

# Fixed roles hold rights that sys.server_permissions does not show; this one decides about a tier.
RIGHTS_OF_FIXED_ROLES = {"##MS_LoginManager##": "ALTER ANY LOGIN"}


def server_role_rule(name: str) -> Rule | None:
    """The rule for membership in a server role that SQL Server makes; None for the readers, public and custom roles."""
    if name.startswith("##MS_") and name.endswith("Manager##"):
        return RULES["mssql.fixed-server-role"]
    return FIXED_SERVER_ROLES.get(name)


def server_right_rule(name: str, *, with_grant: bool) -> Rule | None:
    """The rule for a right on the server itself (class 100); ALTER ANY LOGIN's tier 0 is decided elsewhere."""
    if name == "CONTROL SERVER":
        return RULES["mssql.control-server"]
    if name == "IMPERSONATE ANY LOGIN":
        return RULES["mssql.impersonate-any-login"]
    if name.startswith("ALTER ANY "):
        return RULES["mssql.alter-any"]
    if name == "UNSAFE ASSEMBLY":
        return RULES["mssql.unsafe-assembly"]
    return RULES["mssql.with-grant"] if with_grant else None
