"""Two servers on which logins hold rights and roles of the server itself: each right that a rule names, beside the
nearest one that no rule names. Who is what there: tests/worker_lambda/expected/sqlserver.csv."""

from __future__ import annotations

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.catalogue import Catalogue
from sandbox.tds.versions import SQL_2014, SQL_2016

# login: the right it gets on the server, and in which states (granted, with grant option, denied).
_RIGHTS = {
    "control_server": ("CONTROL SERVER", "G"),
    "control_server_passing_on": ("CONTROL SERVER", "W"),
    "control_server_denied": ("CONTROL SERVER", "GD"),
    "impersonate_any": ("IMPERSONATE ANY LOGIN", "G"),
    "impersonate_any_denied": ("IMPERSONATE ANY LOGIN", "GD"),
    "connect_any": ("CONNECT ANY DATABASE", "G"),
    "select_all": ("SELECT ALL USER SECURABLES", "G"),
    "alter_any_login": ("ALTER ANY LOGIN", "G"),
    "alter_any_login_denied": ("ALTER ANY LOGIN", "GD"),
    "alter_any_database": ("ALTER ANY DATABASE", "G"),
    "alter_any_database_denied": ("ALTER ANY DATABASE", "GD"),
    "create_any_database": ("CREATE ANY DATABASE", "G"),
    "alter_settings": ("ALTER SETTINGS", "G"),
    "alter_any_audit_passing_on": ("ALTER ANY SERVER AUDIT", "W"),
    "unsafe_assembly": ("UNSAFE ASSEMBLY", "G"),
    "unsafe_assembly_denied": ("UNSAFE ASSEMBLY", "GD"),
    "external_access_assembly": ("EXTERNAL ACCESS ASSEMBLY", "G"),
    "view_state": ("VIEW SERVER STATE", "G"),
    "view_state_passing_on": ("VIEW SERVER STATE", "W"),
    "view_state_passing_on_denied": ("VIEW SERVER STATE", "WD"),
    "connect_denied": ("CONNECT SQL", "D"),
}


def sql_2014() -> Catalogue:
    """SQL Server 2014: rights on the server. A tier-0 login's password can be set with ALTER ANY LOGIN."""
    server = ServerBuilder("SQL2014-01", SQL_2014).engine_logins().reader().login("app")
    for login, (right, states) in _RIGHTS.items():
        server.login(login)
        for state in states:
            server.grant(right, login, "W" if state == "W" else "D" if state == "D" else "G")
    server.login("control_of_app").grant("CONTROL", "control_of_app", on="app")
    server.role("r_control").grant("CONTROL SERVER", "r_control")
    server.login("control_by_role").member("r_control", "control_by_role")
    server.login("control_by_role_denied").member("r_control", "control_by_role_denied")
    server.grant("CONTROL SERVER", "control_by_role_denied", "D")
    server.login("sysadmin_denied", roles=("sysadmin",)).grant("CONTROL SERVER", "sysadmin_denied", "D")
    server.login("sysadmin_no_connect", roles=("sysadmin",)).grant("CONNECT SQL", "sysadmin_no_connect", "D")
    server.login("old", roles=("sysadmin",), disabled=True).login("locked", locked=True)
    server.login("expired", expired=True).login("must_change", must_change=True, locked=True)
    return server.build()


def sql_2016() -> Catalogue:
    """SQL Server 2016: roles. No tier-0 login's password can be set with ALTER ANY LOGIN: all are protected, or
    Windows'."""
    server = ServerBuilder("SQL2016-01", SQL_2016).reader().login("alice", roles=("sysadmin",)).login("app")
    server.login("alter_any_login").grant("ALTER ANY LOGIN", "alter_any_login")
    for role in ("serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator", "bulkadmin"):
        server.login(f"in_{role}", roles=(role,))
    server.login("CORP\\security", "U", roles=("securityadmin",)).login("NT SERVICE\\SQLSERVERAGENT", "U")
    server.member("sysadmin", "NT SERVICE\\SQLSERVERAGENT")
    _roles(server)
    _roles_over_roles(server)
    _roles_with_borrowed_names(server)
    server.login("CORP\\dbas", "G", roles=("sysadmin",)).login("CORP\\ops", "G", roles=("processadmin",))
    server.login("CORP\\staff", "G").login("signer", "C").login("signing_admin", "C", roles=("sysadmin",))
    return server.login("key", "K").build()


def _roles(server: ServerBuilder) -> None:
    """Roles that make somebody, over one step, two and three; r_app makes nobody anything."""
    server.role("r_dba", roles=("sysadmin",)).role("r_mid", roles=("r_dba",)).role("r_top", roles=("r_mid",))
    server.role("r_ops", roles=("serveradmin",)).role("r_app")
    for role in ("r_dba", "r_mid", "r_top", "r_ops", "r_app"):
        server.login(f"in_{role}").member(role, f"in_{role}")
    server.role("r_ring_a").role("r_ring_b", roles=("r_ring_a",)).member("r_ring_b", "r_ring_a")
    server.login("in_ring", roles=("r_ring_a",))


def _roles_over_roles(server: ServerBuilder) -> None:
    """Who may change a role: one that makes sysadmins, and one that makes nobody anything."""
    for right in ("ALTER", "CONTROL", "VIEW DEFINITION"):
        name = f"CORP\\{right.lower()}_of_r_dba"
        server.login(name, "U").grant(right, name, on="r_dba")
    server.login("CORP\\owner", "U").role("r_owned", owner="CORP\\owner", roles=("sysadmin",))
    server.login("CORP\\app_owner", "U").role("r_app_owned", owner="CORP\\app_owner")
    server.login("CORP\\app_alter", "U").grant("ALTER", "CORP\\app_alter", on="r_app")
    server.role("r_owners").role("r_owned_by_role", owner="r_owners", roles=("sysadmin",))
    server.login("CORP\\owner_by_role", "U", roles=("r_owners",))
    server.login("CORP\\two_steps", "U").grant("ALTER", "CORP\\two_steps", on="r_owners")
    for right, on in (("ALTER", "r_dba"), ("CONTROL", "r_dba"), ("ALTER ANY SERVER ROLE", None)):
        name = f"CORP\\denied_{right.lower().replace(' ', '_')}"
        server.login(name, "U").grant("ALTER", name, on="r_dba").grant(right, name, "D", on=on)
    server.login("CORP\\any_role", "U").grant("ALTER ANY SERVER ROLE", "CORP\\any_role")


def _roles_with_borrowed_names(server: ServerBuilder) -> None:
    """User-defined roles that are called like fixed ones: their names make nobody anything, and hide nobody."""
    server.login("CORP\\evil", "U").role("##MS_EvilManager##", owner="CORP\\evil")
    server.grant("CONTROL SERVER", "##MS_EvilManager##")
    server.login("in_evil_role", roles=("##MS_EvilManager##",))
    server.role("##MS_FakeManager##").login("in_fake_role", roles=("##MS_FakeManager##",))
