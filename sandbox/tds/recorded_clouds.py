"""A SQL Server 2022 with its new fixed roles and hostile names, an RDS 2019, an Azure SQL Managed Instance.
Who is what there: tests/worker_lambda/expected/sqlserver.csv."""

from __future__ import annotations

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.catalogue import Catalogue
from sandbox.tds.versions import MANAGED_INSTANCE, ROLES_OF_2022, SQL_2019, SQL_2022

RDS_2019_MASTER = "dbmaster"
# AWS, RDS: master user account privileges, those of the server itself.
_RDS_MASTER_RIGHTS = (
    "ADMINISTER BULK OPERATIONS", "ALTER ANY CONNECTION", "ALTER ANY LINKED SERVER", "ALTER ANY LOGIN",
    "ALTER ANY SERVER ROLE", "ALTER SERVER STATE", "ALTER TRACE", "CREATE ANY DATABASE", "VIEW ANY DATABASE",
    "VIEW ANY DEFINITION", "VIEW SERVER STATE",
)  # fmt: skip

QUOTES = 'o\'brien "the dba"'
BRACKETS = "[dbo].[x]]"
NEWLINE = "line\nbreak\ttab"
RIGHT_TO_LEFT = "\u202egnp.nimda"
EMOJI = "👩\u200d💻 日本"
FORMULA = "=cmd|' /C calc'!A0"
LIST = "a, b; c"
SQL = "'; DROP LOGIN sa;--"
LONGEST = "n" * 128
LONGEST_ASTRAL = "𝄞" * 64
TRAILING = "trailing   "


def sql_2022() -> Catalogue:
    """SQL Server 2022, collation of the server case-sensitive: every role that came with it, and names that break
    what is careless with them."""
    server = ServerBuilder("SQL2022-01", SQL_2022).engine_logins().reader()
    for role in ROLES_OF_2022:
        server.login(f"in_{role.strip('#')}", roles=(role,))
    server.login("security", roles=("securityadmin",))
    server.login("manager_denied", roles=("##MS_LoginManager##",)).grant("ALTER ANY LOGIN", "manager_denied", "D")
    server.login("CORP\\any_role", "U").grant("ALTER ANY SERVER ROLE", "CORP\\any_role")
    _names(server)
    return server.build()


def _names(server: ServerBuilder) -> None:
    for name in (QUOTES, RIGHT_TO_LEFT, FORMULA, LONGEST):
        server.login(name, roles=("sysadmin",))
    server.login(NEWLINE).grant("IMPERSONATE", NEWLINE, on=QUOTES)
    server.login(BRACKETS).database('data]base "q"', owner=BRACKETS)
    server.role('role "x"; y', roles=("processadmin",)).login(EMOJI, roles=('role "x"; y',))
    server.login(LIST, roles=("bulkadmin",)).login(SQL).login(LONGEST_ASTRAL)
    server.login(TRAILING).grant("CONTROL SERVER", TRAILING)
    server.login("Case", roles=("sysadmin",)).login("case")


def rds_2019() -> Catalogue:
    """RDS for SQL Server 2019: nobody but AWS is in sysadmin, no user-defined server role can be made; the master has
    the rights that AWS documents, each with grant option."""
    server = ServerBuilder("EC2AMAZ-3V9K", SQL_2019, sa_name="rdsa").reader()
    server.login("NT AUTHORITY\\SYSTEM", "U").login(RDS_2019_MASTER, roles=("processadmin", "setupadmin"))
    for right in _RDS_MASTER_RIGHTS:
        server.grant(right, RDS_2019_MASTER, "W")
    server.login("looks_like_master", roles=("processadmin", "setupadmin")).login("app")
    server.login("helpdesk").grant("ALTER ANY LOGIN", "helpdesk")
    server.login("role_admin").grant("ALTER ANY SERVER ROLE", "role_admin")
    server.database("rdsadmin", accessible=False).database("orders", owner=RDS_2019_MASTER)
    server.user("orders", "app", roles=("db_datareader", "db_datawriter"))
    server.user("msdb", RDS_2019_MASTER)
    catalogue = server.build()
    for row in catalogue.server["databases"]:
        if row["name"] == "model":
            row["has_access"] = 0
    return catalogue


def managed_instance() -> Catalogue:
    """An Azure SQL Managed Instance: Entra logins (E) and groups (X) on the server, Entra users in databases, with and
    without a login; sa is disabled."""
    server = ServerBuilder("mi-01.abc.database.windows.net", MANAGED_INSTANCE)
    server.set("server_principals", is_disabled=1).reader().login("miadmin", roles=("sysadmin",))
    server.login("ada@contoso.com", "E", roles=("sysadmin",)).login("bob@contoso.com", "E")
    server.login("sec@contoso.com", "E", roles=("securityadmin",))
    server.login("eve@contoso.com", "E").grant("IMPERSONATE", "eve@contoso.com", on="ada@contoso.com")
    server.login("dba-team", "X", roles=("sysadmin",)).login("staff", "X").login("ops-team", "X")
    server.member("dbcreator", "ops-team")
    # The unprotected administrators are Entra's: no password of theirs can be set here.
    server.login("alter_any_login").grant("ALTER ANY LOGIN", "alter_any_login")
    server.database("app", owner="bob@contoso.com")
    server.login("dan@contoso.com", "E").user("app", "dan@contoso.com", "E", roles=("db_owner",))
    server.login("app-leads", "X").user("app", "app-leads", "X", roles=("db_ddladmin",))
    server.user("app", "carol@contoso.com", "E", roles=("db_owner",)).user("app", "fay@contoso.com", "E")
    server.user("app", "app-dbas", "X", roles=("db_owner",)).user("app", "app-readers", "X", roles=("db_datareader",))
    server.user("app", "CORP\\old-team", "G")
    return server.build()
