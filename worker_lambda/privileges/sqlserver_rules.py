"""The SQL Server rule table: which right makes which tier, under which id, and where that is written. Nothing decides
here. Order is the report's order of reasons; the first match names the row. docs/admin-definition.md is made from this
file. Change RULES_VERSION with every change of meaning."""

from __future__ import annotations

from worker_lambda.privileges.rule import Rule, Tier, table

RULES_VERSION = "mssql-3"

_PERMISSIONS = "Microsoft: Permissions (Database Engine)"
_ROLES = "Microsoft: Server-level roles"
_DB_ROLES = "Microsoft: Database-level roles"
_SYSTEM, _SERVER, _DATABASE = "System Admin", "Server Admin", "Database Admin"
# No SQL Server can be had where this is built, so no rule was tried on one; the evaluation is tested on catalogues.
_CATALOGUE_ONLY = "no SQL Server can be had here; checked on catalogues written after Microsoft's documents"


def _rule(identity: str, tier: Tier, label: str, matches: str, sentence: str, source: str) -> Rule:
    return Rule(identity, tier, label, matches, sentence, source, untested=_CATALOGUE_ONLY)


RULES = table(
    _rule(
        "mssql.sysadmin", "0", _SYSTEM, "member of sysadmin, at any depth",
        "May do anything on the server; no DENY binds a member.",
        _ROLES,
    ),
    _rule(
        "mssql.sid-0x01", "0", _SYSTEM, "the login with sid 0x01 (sa, whatever its name)",
        "Is the server's built-in owner.",
        "Microsoft: Choose an authentication mode; CIS SQL Server 2.13, 2.14",
    ),
    _rule(
        "mssql.control-server", "0", _SYSTEM, "CONTROL SERVER, not denied",
        "Holds every right on the server, but for membership in sysadmin, which it can reach by impersonation.",
        _PERMISSIONS,
    ),
    _rule(
        "mssql.rds-master", "0", _SYSTEM, "the master user of an RDS instance, as the inventory declares it",
        "Is the most powerful login that AWS gives a customer.",
        "AWS, RDS: master user account privileges",
    ),
    _rule(
        "mssql.alter-any-login", "0", _SYSTEM,
        "ALTER ANY LOGIN on RDS, or where the password of a tier-0 SQL login can be set with it",
        "May set an administrator's password and log in as that administrator; members of sysadmin and holders of "
        "CONTROL SERVER are protected from that.",
        "Microsoft: ALTER LOGIN",
    ),
    _rule(
        "mssql.impersonate-any-login", "0", _SYSTEM, "IMPERSONATE ANY LOGIN, not denied",
        "May act as any login, an administrator's included.",
        _PERMISSIONS,
    ),
    _rule(
        "mssql.impersonate-login", "0", _SYSTEM, "IMPERSONATE or CONTROL on a tier-0 login, also over several",
        "May act as that administrator.",
        "Microsoft: EXECUTE AS; CONTROL implies IMPERSONATE",
    ),
    _rule(
        "mssql.server-role-control", "0", _SYSTEM,
        "owner, ALTER or CONTROL of a tier-0 user-defined server role; ALTER ANY SERVER ROLE where there is one",
        "May make itself a member of a role that holds an administrator's rights.",
        "Microsoft: ALTER SERVER ROLE",
    ),
    _rule(
        "mssql.trustworthy-database", "0", _SYSTEM,
        "dbo, db_owner or CONTROL of a database that is trustworthy and owned by a tier-0 login",
        "May act as the database's owner, whom the whole server believes; msdb is such a database by default.",
        "Microsoft: TRUSTWORTHY database property; CIS SQL Server 2.9",
    ),
    _rule(
        "mssql.securityadmin", "0", "Security Admin", "member of securityadmin, at any depth",
        "May grant server rights to others; Microsoft says to treat it as equal to sysadmin.",
        _ROLES,
    ),
    _rule(
        "mssql.fixed-server-role", "1", _SERVER,
        "member of serveradmin, setupadmin, processadmin, diskadmin, dbcreator, bulkadmin or a ##MS_…Manager##",
        "Administers a part of the server.",
        _ROLES,
    ),
    _rule(
        "mssql.alter-any", "1", _SERVER, "any ALTER ANY … right on the server that is not tier 0",
        "May change all objects of one kind on the server.",
        _PERMISSIONS,
    ),
    _rule(
        "mssql.unsafe-assembly", "1", _SERVER, "UNSAFE ASSEMBLY",
        "May load code into the server that no sandbox holds.",
        f"{_PERMISSIONS}; CIS SQL Server 6.2",
    ),
    _rule(
        "mssql.with-grant", "1", _SERVER, "any other server right WITH GRANT OPTION",
        "May pass a server right on to others.",
        "Microsoft: GRANT Server Permissions",
    ),
    _rule(
        "mssql.database-owner", "2", _DATABASE, "owner of a database",
        "Is dbo there: controls that database, but not the server.",
        "Microsoft: ALTER AUTHORIZATION",
    ),
    _rule(
        "mssql.db-owner", "2", _DATABASE, "member of db_owner, at any depth",
        "Controls one database, but not the server.",
        _DB_ROLES,
    ),
    _rule(
        "mssql.db-securityadmin", "2", _DATABASE, "member of db_securityadmin",
        "Manages roles and rights inside one database, and can raise its own.",
        _DB_ROLES,
    ),
    _rule(
        "mssql.db-accessadmin", "2", _DATABASE, "member of db_accessadmin",
        "Decides who may enter one database.",
        _DB_ROLES,
    ),
    _rule(
        "mssql.db-ddladmin", "2", _DATABASE, "member of db_ddladmin",
        "May change every object of one database, code that others run included.",
        _DB_ROLES,
    ),
    _rule(
        "mssql.database-control", "2", _DATABASE, "CONTROL on a database, not denied",
        "Controls one database, but not the server.",
        _PERMISSIONS,
    ),
    _rule(
        "mssql.group", "none", "Other", "a Windows or Entra group without any of these",
        "Lets its members in; who they are, Active Directory or Entra knows, not the server.",
        "Microsoft: sys.server_principals, types G and X",
    ),
    _rule(
        "mssql.certificate-or-key", "none", "Other", "a login mapped to a certificate or key, without any of these",
        "Carries rights for signed code; nobody can log in with it.",
        "Microsoft: CREATE LOGIN, FROM CERTIFICATE",
    ),
    _rule(
        "mssql.user", "none", "User", "none of these",
        "Works with data; administers nothing.",
        "no rule above matches",
    ),
)  # fmt: skip

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
