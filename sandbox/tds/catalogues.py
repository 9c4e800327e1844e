"""Servers whose right answers are known: a SQL Server 2019 of a company, and an RDS for SQL Server 2022."""

from __future__ import annotations

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.catalogue import Catalogue
from sandbox.tds.versions import SQL_2022

READER = "audit_reader"
_ENGINE_LOGINS = (
    ("##MS_PolicyEventProcessingLogin##", "S"),
    ("##MS_PolicyTsqlExecutionLogin##", "S"),
    ("##MS_AgentSigningCertificate##", "C"),
)


def known_2019(name: str = "SQL2019-01") -> Catalogue:
    """Self-managed SQL Server 2019: about twenty logins, one of each kind that the rules tell apart."""
    server = ServerBuilder(name)
    for engine_login, kind in _ENGINE_LOGINS:
        server.login(engine_login, kind, disabled=kind == "S")
    server.login(READER).login("alice", roles=("sysadmin",), last_login="2024-01-15T05:30:00-05:00")
    server.role("r_dba", roles=("sysadmin",)).role("r_top", roles=("r_dba",))
    server.login("bob", roles=("r_top",)).login("carol", roles=("securityadmin",))
    server.login("dave").grant("CONTROL SERVER", "dave")
    server.login("denied").grant("CONTROL SERVER", "denied").grant("CONTROL SERVER", "denied", "D")
    server.login("erin").grant("IMPERSONATE", "erin", on="dave")
    server.login("frank").grant("IMPERSONATE", "frank", on="erin")
    server.login("old_admin", roles=("sysadmin",), disabled=True)
    server.login("locked_admin", roles=("sysadmin",), locked=True)
    server.login("expired_user", expired=True).login("ops", roles=("processadmin", "dbcreator"))
    server.login("##evil##", roles=("sysadmin",))
    server.login("CORP\\dbas", "G", roles=("sysadmin",)).login("CORP\\readers", "G")
    server.login("NT SERVICE\\MSSQLSERVER", "U", roles=("sysadmin",))
    server.login("=cmd|' /C calc'!A0").login("dba_日本", roles=("serveradmin",))
    server.database("payroll", owner="dave").user("payroll", "payroll_owner_user", login="expired_user")
    server.login("grace").user("payroll", "grace", roles=("db_owner",))
    server.login("heidi").user("msdb", "heidi", roles=("db_owner",))
    server.database("portal", contained=True).user("portal", "web", contained=True, roles=("db_ddladmin",))
    server.database("odd ]name[")
    return server.build()


def rds_2022(name: str = "EC2AMAZ-R7D2", *, readable: bool = True) -> Catalogue:
    """RDS for SQL Server 2022: AWS's `rdsa` is sid 0x01, the master has no sysadmin, `rdsadmin` cannot be read.

    Args:
        name: of the Windows host.
        readable: False leaves the reader without a user in `orders`.
    """
    server = ServerBuilder(name, SQL_2022, sa_name="rdsa")
    server.set("server", reader=READER)
    server.login("rdsadmin", roles=("sysadmin",)).login("NT AUTHORITY\\SYSTEM", "U")
    server.login(READER).login("admin", roles=("processadmin", "setupadmin"), last_login="2024-01-15T12:00:00+00:00")
    for right in ("ALTER ANY LOGIN", "ALTER ANY SERVER ROLE", "VIEW ANY DEFINITION", "VIEW SERVER STATE"):
        server.grant(right, "admin", "W")
    server.login("app").login("helpdesk").grant("ALTER ANY LOGIN", "helpdesk")
    server.database("rdsadmin", owner="rdsa", accessible=False)
    server.database("orders", owner="admin", accessible=readable)
    server.user("orders", "app", roles=("db_datareader", "db_owner"))
    catalogue = server.build()
    for row in catalogue.server["databases"]:
        if row["name"] == "model":
            row["has_access"] = 0
    return catalogue
