"""Two servers on which logins reach further than their own rights: by impersonation, through databases, as guest.
Who is what there: tests/worker_lambda/expected/sqlserver.csv."""

from __future__ import annotations

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.catalogue import Catalogue
from sandbox.tds.versions import SQL_2019, SQL_2022


def sql_2019() -> Catalogue:
    """SQL Server 2019: impersonation, ownership and rights in databases, trustworthy databases, contained users."""
    server = ServerBuilder("SQL2019-02", SQL_2019).reader().login("root", roles=("sysadmin",)).login("app")
    _impersonation(server)
    _payroll(server)
    _trust(server)
    _without_login(server)
    return server.build()


def sql_2022_guest() -> Catalogue:
    """SQL Server 2022: a database that lets guest in as db_owner, two that do not let it in, and a login manager where
    every administrator is protected."""
    server = ServerBuilder("SQL2022-02", SQL_2022).reader().login("visitor").login("resident")
    server.login("login_manager", roles=("##MS_LoginManager##",))
    for name in ("lobby", "closed", "denied"):
        server.database(name).database_member(name, "db_owner", "guest")
    server.database_grant("lobby", "CONNECT", "guest").user("lobby", "resident")
    server.database_grant("denied", "CONNECT", "guest").database_grant("denied", "CONNECT", "guest", "D")
    return server.build()


def sid_alone() -> Catalogue:
    """No real server is so: sa is always in sysadmin. Here it is not, so that the rule of its sid is seen alone."""
    catalogue = ServerBuilder("SID-01", SQL_2019, sa_name="boss").reader().build()
    catalogue.server["server_role_members"].clear()
    return catalogue


def _impersonation(server: ServerBuilder) -> None:
    """Chains of one, two and three steps to root; a ring that reaches nobody; denies."""
    server.login("one").grant("IMPERSONATE", "one", on="root")
    server.login("two").grant("IMPERSONATE", "two", on="one")
    server.login("three").grant("CONTROL", "three", on="two")
    for name in ("ring_1", "ring_2", "ring_3"):
        server.login(name)
    for who, whom in (("ring_1", "ring_2"), ("ring_2", "ring_3"), ("ring_3", "ring_1")):
        server.grant("IMPERSONATE", who, on=whom)
    for name, right, on in (
        ("denied_same", "IMPERSONATE", "root"),
        ("denied_control", "CONTROL", "root"),
        ("denied_any", "IMPERSONATE ANY LOGIN", None),
    ):
        server.login(name).grant("IMPERSONATE", name, on="root").grant(right, name, "D", on=on)
    server.role("r_act").grant("IMPERSONATE", "r_act", on="root").login("acting_by_role", roles=("r_act",))
    server.login("acting_as_app").grant("IMPERSONATE", "acting_as_app", on="app")
    server.login("altering_root").grant("ALTER", "altering_root", on="root")
    server.login("acting_as_sa").grant("IMPERSONATE", "acting_as_sa", "W", on="sa")
    server.login("acting_as_oneself").grant("IMPERSONATE", "acting_as_oneself", on="acting_as_oneself")


def _payroll(server: ServerBuilder) -> None:
    """One ordinary database with its owner, each fixed role, nested roles, and CONTROL beside ALTER."""
    server.login("boss").database("payroll", owner="boss")
    for role in ("db_owner", "db_securityadmin", "db_accessadmin", "db_ddladmin", "db_backupoperator", "db_datareader"):
        server.login(f"in_{role}").user("payroll", f"in_{role}", roles=(role,))
    server.login("in_four").user(
        "payroll", "in_four", roles=("db_ddladmin", "db_accessadmin", "db_securityadmin", "db_owner")
    )
    server.database_role("payroll", "inner", roles=("db_owner",)).database_role("payroll", "outer", roles=("inner",))
    server.login("nested").user("payroll", "nested", roles=("outer",))
    server.database_role("payroll", "denying").database_grant("payroll", "CONTROL", "denying", "D")
    for name, right, states in (
        ("db_control", "CONTROL", "G"),
        ("db_control_passing_on", "CONTROL", "W"),
        ("db_control_denied", "CONTROL", "GD"),
        ("db_control_denied_by_role", "CONTROL", "G"),
        ("db_alter", "ALTER", "G"),
    ):
        server.login(name).user("payroll", name, roles=("denying",) if name.endswith("role") else ())
        for state in states:
            server.database_grant("payroll", right, name, "W" if state == "W" else "D" if state == "D" else "G")


def _trust(server: ServerBuilder) -> None:
    """Databases that the server believes, or not, and whose owner is an administrator, or not."""
    server.login("nobody")
    for database, owner, trustworthy in (
        ("trusted", "root", True),
        ("untrusted", "root", False),
        ("trusted_of_nobody", "nobody", True),
        ("trusted_of_one", "one", True),
    ):
        server.database(database, owner=owner, trustworthy=trustworthy)
        server.login(f"owner_in_{database}").user(database, f"owner_in_{database}", roles=("db_owner",))
    server.login("control_in_trusted").user("trusted", "control_in_trusted")
    server.database_grant("trusted", "CONTROL", "control_in_trusted")
    server.login("ddl_in_trusted").user("trusted", "ddl_in_trusted", roles=("db_ddladmin",))
    server.login("in_msdb").user("msdb", "in_msdb", roles=("db_owner",))
    for name, trustworthy in (("restored", True), ("restored_untrusted", False)):
        server.login(f"dbo_of_{name}").database(name, dbo=f"dbo_of_{name}", trustworthy=trustworthy)
    for name in ("left", "right"):
        server.login(f"owner_of_{name}").database(name, owner=f"owner_of_{name}", trustworthy=True)
    server.user("left", "owner_of_right", roles=("db_owner",)).user("right", "owner_of_left", roles=("db_owner",))


def _without_login(server: ServerBuilder) -> None:
    """Users with a password of their own, users whom a Windows group lets in, and an orphan whom nobody lets in."""
    server.database("portal", contained=True).user("portal", "web", contained=True, roles=("db_owner",))
    server.user("portal", "reporting", contained=True, roles=("db_datareader",))
    server.user("portal", "shut", contained=True).database_grant("portal", "CONNECT", "shut", "D")
    server.database("believed", contained=True, trustworthy=True)
    server.user("believed", "web", contained=True, roles=("db_owner",))
    server.login("CORP\\dev", "G").user("payroll", "CORP\\dev", "G", roles=("db_datareader",))
    server.login("CORP\\leads", "G").user("payroll", "CORP\\leads", "G", roles=("db_owner",))
    server.user("payroll", "CORP\\eve", "U", roles=("db_ddladmin",)).user("payroll", "CORP\\guests", "G")
    server.user("payroll", "orphan", login="gone", roles=("db_owner",))
