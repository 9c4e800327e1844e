"""The SQL Server rules on given catalogues, without a wire: who is what, and why."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.catalogues import READER, known_2019, rds_2022
from worker_lambda.privileges.sqlserver import Evaluation, evaluate
from worker_lambda.privileges.sqlserver_catalogue import parse, utc
from worker_lambda.privileges.sqlserver_holdings import Membership
from worker_lambda.result_object import AdminUser

NOW = "2024-01-15T14:22:33Z"


def judged(builder: ServerBuilder, master: str | None = None) -> dict[str, AdminUser]:
    return rows(evaluate(parse(builder.build().as_child_output()), "db", NOW, master))


def rows(evaluation: Evaluation) -> dict[str, AdminUser]:
    return {u["username"]: u for u in evaluation.users}


def texts(evaluation: Evaluation) -> list[str]:
    return [w["text"] for w in evaluation.warnings]


def cells(row: AdminUser) -> tuple[str, str, str]:
    return row["role_name"], row["permission_level"], row["tier"]


def server() -> ServerBuilder:
    return ServerBuilder().login(READER).login("alice")


ALICE: list[tuple[str, Callable[[ServerBuilder], object], tuple[str, str, str]]] = [
    ("nothing", lambda s: s, ("User", "User", "none")),
    ("sysadmin", lambda s: s.member("sysadmin", "alice"), ("System Admin (sysadmin)", "Admin", "0")),
    ("control server", lambda s: s.grant("CONTROL SERVER", "alice"), ("System Admin (CONTROL SERVER)", "Admin", "0")),
    (
        "control server with grant option",
        lambda s: s.grant("CONTROL SERVER", "alice", "W"),
        ("System Admin (CONTROL SERVER WITH GRANT OPTION)", "Admin", "0"),
    ),
    (
        "control server granted and denied",
        lambda s: s.grant("CONTROL SERVER", "alice").grant("CONTROL SERVER", "alice", "D"),
        ("User", "User", "none"),
    ),
    (
        "control server denied through a role",
        lambda s: s.grant("CONTROL SERVER", "alice").role("r").member("r", "alice").grant("CONTROL SERVER", "r", "D"),
        ("User", "User", "none"),
    ),
    (
        "a deny does not bind sysadmin",
        lambda s: s.member("sysadmin", "alice").grant("CONTROL SERVER", "alice", "D"),
        ("System Admin (sysadmin)", "Admin", "0"),
    ),
    (
        "a deny of CONTROL SERVER takes every other right along",
        lambda s: s.grant("IMPERSONATE ANY LOGIN", "alice").grant("CONTROL SERVER", "alice", "D"),
        ("User", "User", "none"),
    ),
    (
        "a right on oneself is no reason",
        lambda s: s.member("sysadmin", "alice").grant("IMPERSONATE", "alice", on="alice"),
        ("System Admin (sysadmin)", "Admin", "0"),
    ),
    (
        "one's own password is not one to set",
        lambda s: s.member("securityadmin", "alice").grant("ALTER ANY LOGIN", "alice"),
        ("Security Admin (securityadmin)", "Admin", "0"),
    ),
    (
        "impersonate any login",
        lambda s: s.grant("IMPERSONATE ANY LOGIN", "alice"),
        ("System Admin (IMPERSONATE ANY LOGIN)", "Admin", "0"),
    ),
    (
        "securityadmin",
        lambda s: s.member("securityadmin", "alice"),
        ("Security Admin (securityadmin)", "Admin", "0"),
    ),
    (
        "sysadmin before securityadmin",
        lambda s: s.member("securityadmin", "alice").member("sysadmin", "alice"),
        ("System Admin (sysadmin, securityadmin)", "Admin", "0"),
    ),
    (
        "impersonate sa, whatever its name",
        lambda s: s.grant("IMPERSONATE", "alice", on="sa"),
        ("System Admin (IMPERSONATE on sa)", "Admin", "0"),
    ),
    (
        "control on one ordinary login is not CONTROL SERVER",
        lambda s: s.login("bob").grant("CONTROL", "alice", on="bob"),
        ("User", "User", "none"),
    ),
    (
        "impersonate of impersonate of sysadmin",
        lambda s: (
            s.login("bob")
            .login("CORP\\carl", "U", roles=("sysadmin",))
            .grant("IMPERSONATE", "alice", on="bob")
            .grant("CONTROL", "bob", on="CORP\\carl")
        ),
        ("System Admin (IMPERSONATE on bob)", "Admin", "0"),
    ),
    (
        "two who may only impersonate each other",
        lambda s: s.login("bob").grant("IMPERSONATE", "alice", on="bob").grant("IMPERSONATE", "bob", on="alice"),
        ("User", "User", "none"),
    ),
    (
        "impersonate granted and denied",
        lambda s: s.grant("IMPERSONATE", "alice", on="sa").grant("IMPERSONATE", "alice", "D", on="sa"),
        ("User", "User", "none"),
    ),
    (
        "owner of a role that makes sysadmins",
        lambda s: s.role("r_dba", owner="alice", roles=("sysadmin",)),
        ("System Admin (owner on r_dba)", "Admin", "0"),
    ),
    (
        "alter on a role that makes sysadmins, through a role",
        lambda s: s.role("r_dba", roles=("sysadmin",)).role("r").member("r", "alice").grant("ALTER", "r", on="r_dba"),
        ("System Admin (ALTER on r_dba via r)", "Admin", "0"),
    ),
    (
        "owner of an ordinary role",
        lambda s: s.role("r_app", owner="alice"),
        ("User", "User", "none"),
    ),
    (
        "alter any login where every administrator is protected",
        lambda s: s.login("bob", roles=("sysadmin",)).grant("ALTER ANY LOGIN", "alice"),
        ("Server Admin (ALTER ANY LOGIN)", "ALTER ANY LOGIN", "1"),
    ),
    (
        "alter any login where a securityadmin's password can be set",
        lambda s: s.login("bob", roles=("securityadmin",)).grant("ALTER ANY LOGIN", "alice"),
        ("System Admin (ALTER ANY LOGIN)", "Admin", "0"),
    ),
    (
        "alter any login where the unprotected administrator is a Windows login",
        lambda s: s.login("CORP\\bob", "U", roles=("securityadmin",)).grant("ALTER ANY LOGIN", "alice"),
        ("Server Admin (ALTER ANY LOGIN)", "ALTER ANY LOGIN", "1"),
    ),
    (
        "db_owner of a trustworthy database of sa",
        lambda s: s.user("msdb", "alice", roles=("db_owner",)),
        ("System Admin (db_owner on msdb)", "Admin", "0"),
    ),
    (
        "db_owner of a trustworthy database of nobody special",
        lambda s: s.login("bob").database("x", owner="bob", trustworthy=True).user("x", "alice", roles=("db_owner",)),
        ("Database Admin (db_owner on x)", "db_owner on x", "2"),
    ),
    (
        "control on a database through a database role",
        lambda s: (
            s.database("my db")
            .user("my db", "alice")
            .database_role("my db", "r")
            .database_member("my db", "r", "alice")
            .database_grant("my db", "CONTROL", "r")
        ),
        ('Database Admin (CONTROL on "my db" via r)', 'CONTROL on "my db"', "2"),
    ),
    (
        "control on a database, denied",
        lambda s: (
            s.database("x")
            .user("x", "alice")
            .database_grant("x", "CONTROL", "alice")
            .database_grant("x", "CONTROL", "alice", "D")
        ),
        ("User", "User", "none"),
    ),
    (
        "database owner",
        lambda s: s.database("payroll", owner="alice"),
        ("Database Admin (database owner on payroll)", "database owner on payroll", "2"),
    ),
    (
        "guest is db_owner and may enter",
        lambda s: s.database("x").database_grant("x", "CONNECT", "guest").database_member("x", "db_owner", "guest"),
        ("Database Admin (db_owner on x via guest)", "db_owner on x", "2"),
    ),
    (
        "guest is db_owner but is denied entry",
        lambda s: (
            s.database("x")
            .database_member("x", "db_owner", "guest")
            .database_grant("x", "CONNECT", "guest")
            .database_grant("x", "CONNECT", "guest", "D")
        ),
        ("User", "User", "none"),
    ),
    (
        "guest is db_owner but may not enter",
        lambda s: s.database("x").database_member("x", "db_owner", "guest"),
        ("User", "User", "none"),
    ),
    (
        "server rights before database rights, reasons of the own tier only",
        lambda s: (
            s.member("processadmin", "alice")
            .member("dbcreator", "alice")
            .grant("ALTER ANY DATABASE", "alice")
            .grant("VIEW SERVER STATE", "alice", "W")
            .database("x")
            .user("x", "alice", roles=("db_owner",))
        ),
        (
            "Server Admin (dbcreator, processadmin, ALTER ANY DATABASE, +1 more)",
            "dbcreator, processadmin, ALTER ANY DATABASE, VIEW SERVER STATE WITH GRANT OPTION, db_owner on x",
            "1",
        ),
    ),
    (
        "view server state alone",
        lambda s: s.grant("VIEW SERVER STATE", "alice"),
        ("User", "User", "none"),
    ),
    (
        "a grant to public reaches everybody",
        lambda s: s.grant("CONTROL SERVER", "public"),
        ("System Admin (CONTROL SERVER via public)", "Admin", "0"),
    ),
]


@pytest.mark.parametrize(("arrange", "expected"), [c[1:] for c in ALICE], ids=[c[0] for c in ALICE])
def test_role_name_permission_level_and_tier(
    arrange: Callable[[ServerBuilder], object], expected: tuple[str, str, str]
) -> None:
    builder = server()
    arrange(builder)

    assert cells(judged(builder)["alice"]) == expected


def test_a_nested_role_names_the_one_granted_directly_and_the_whole_path() -> None:
    builder = server().role("r_dba", roles=("sysadmin",)).role("r_top", roles=("r_dba",)).member("r_top", "alice")

    row = judged(builder)["alice"]

    assert row["role_name"] == "System Admin (sysadmin via r_top)"
    assert row["access_path"] == "alice > r_top > r_dba: sysadmin"
    assert row["rule_id"] == "mssql.sysadmin"


def test_permission_level_keeps_ten_rights_and_counts_the_rest() -> None:
    builder = server()
    for number in range(12):
        builder.database(f"d{number:02}", owner="alice")

    row = judged(builder)["alice"]

    assert row["permission_level"].endswith("database owner on d09, +2 more")
    assert row["role_name"].endswith("database owner on d02, +9 more)")


def test_groups_are_not_expanded_and_say_so_even_after_a_cut() -> None:
    builder = server().login("CORP\\dbas", "G", roles=("sysadmin", "securityadmin")).login("CORP\\all", "G")
    builder.grant("CONTROL SERVER", "CORP\\dbas").grant("IMPERSONATE ANY LOGIN", "CORP\\dbas")

    found = judged(builder)

    assert found["CORP\\dbas"]["role_name"] == (
        "System Admin (sysadmin, CONTROL SERVER, IMPERSONATE ANY LOGIN, +1 more; group not expanded)"
    )
    assert cells(found["CORP\\all"]) == ("Other (group not expanded)", "User", "none")
    assert found["CORP\\all"]["principal_class"] == "group"


def test_a_certificate_login_is_other() -> None:
    assert cells(judged(server().login("signer", "C"))["signer"]) == ("Other (certificate or key)", "User", "none")


def test_contained_users_are_rows_with_their_database_and_an_unknown_status() -> None:
    builder = server().database("portal", contained=True).user("portal", "web", contained=True, roles=("db_owner",))

    row = judged(builder)["web [portal]"]

    assert cells(row) == ("Database Admin (db_owner on portal)", "db_owner on portal", "2")
    assert row["user_status"] == "Unknown"


def test_a_contained_owner_of_a_trustworthy_database_of_sa_is_an_administrator() -> None:
    builder = server().database("p", trustworthy=True).user("p", "web", contained=True, roles=("db_owner",))

    assert judged(builder)["web [p]"]["permission_level"] == "Admin"


def test_a_windows_user_whom_only_a_group_lets_in_is_a_row() -> None:
    builder = server().login("CORP\\dev", "G").database("x").user("x", "CORP\\eve", "U", roles=("db_owner",))

    assert judged(builder)["CORP\\eve [x]"]["tier"] == "2"


def test_a_user_without_a_login_cannot_get_in_and_is_no_row() -> None:
    builder = server().database("x").user("x", "orphan", login="gone", roles=("db_owner",))

    assert not any("orphan" in name for name in judged(builder))


def test_roles_public_and_guest_are_no_rows() -> None:
    found = judged(server().role("r_dba", roles=("sysadmin",)))

    assert not {"r_dba", "public", "guest", "sysadmin"} & found.keys()


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, "Active"),
        ({"disabled": True}, "Disabled"),
        ({"locked": True}, "Locked"),
        ({"expired": True}, "Password Expired"),
        ({"must_change": True}, "Password Expired"),
        ({"disabled": True, "locked": True, "expired": True}, "Disabled; Locked; Password Expired"),
    ],
)
def test_user_status(options: dict[str, bool], status: str) -> None:
    assert judged(ServerBuilder().login("alice", **options))["alice"]["user_status"] == status  # type: ignore[arg-type]


def test_denied_connect_is_disabled_except_for_sysadmin_whom_no_deny_binds() -> None:
    builder = server().grant("CONNECT SQL", "alice", "D").login("bob", roles=("sysadmin",))
    builder.grant("CONNECT SQL", "bob", "D")

    found = judged(builder)

    assert (found["alice"]["user_status"], found["bob"]["user_status"]) == ("Disabled", "Active")


@pytest.mark.parametrize("unread", ["is_locked", "is_expired", "is_must_change"])
def test_a_status_that_could_not_be_read_is_unknown_never_active(unread: str) -> None:
    catalogue = server().build()
    catalogue.server["sql_logins"][-1][unread] = None

    found = rows(evaluate(parse(catalogue.as_child_output()), "db", NOW))

    assert found["alice"]["user_status"] == "Unknown"


def test_an_open_session_is_the_last_login_in_utc_and_nothing_else_is() -> None:
    found = judged(ServerBuilder().login("alice", last_login="2024-01-15T05:30:00.123-05:00").login("bob"))

    assert found["alice"]["last_login_date"] == "2024-01-15T10:30:00Z"
    assert found["alice"]["last_login_source"] == "open session"
    assert (found["bob"]["last_login_date"], found["bob"]["last_login_source"]) == ("Unknown", "")


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        utc("2024-01-15T05:30:00")


def test_sa_is_excluded_by_its_sid_whatever_its_name_and_warned_about_by_its_name() -> None:
    builder = ServerBuilder(sa_name="boss").login(READER).login("sa", roles=("sysadmin",))

    evaluation = evaluate(parse(builder.build().as_child_output()), "db", NOW)

    assert rows(evaluation)["boss"]["excluded_by_policy"] is not None
    assert rows(evaluation)["sa"]["excluded_by_policy"] is None
    assert texts(evaluation) == ["Excluded account is an enabled administrator: boss"]


def test_a_disabled_sa_brings_no_warning() -> None:
    catalogue = server().build()
    catalogue.server["server_principals"][0]["is_disabled"] = 1

    assert texts(evaluate(parse(catalogue.as_child_output()), "db", NOW)) == []


def test_only_the_exact_engine_logins_are_excluded() -> None:
    builder = server().login("##evil##", roles=("sysadmin",)).login("##MS_AgentSigningCertificate##", "S")
    builder.login("##MS_PolicySigningCertificate##", "C")

    found = judged(builder)

    assert found["##evil##"]["excluded_by_policy"] is None
    assert found["##MS_AgentSigningCertificate##"]["excluded_by_policy"] is None
    assert found["##MS_PolicySigningCertificate##"]["excluded_by_policy"] is not None


def test_an_engine_login_that_was_made_an_administrator_is_excluded_but_warned_about() -> None:
    builder = server().login("##MS_PolicyTsqlExecutionLogin##", roles=("sysadmin",))

    evaluation = evaluate(parse(builder.build().as_child_output()), "db", NOW)

    assert texts(evaluation) == ["Excluded account is an enabled administrator: ##MS_PolicyTsqlExecutionLogin##, sa"]


def test_aws_names_are_ordinary_logins_where_aws_does_not_run_the_server() -> None:
    assert judged(server().login("rdsadmin", roles=("sysadmin",)))["rdsadmin"]["excluded_by_policy"] is None


def test_on_rds_the_master_and_who_may_alter_logins_are_the_administrators() -> None:
    evaluation = evaluate(parse(rds_2022().as_child_output()), "db", NOW)
    found = rows(evaluation)

    assert cells(found["admin"]) == ("System Admin (ALTER ANY LOGIN WITH GRANT OPTION)", "Admin", "0")
    assert cells(found["helpdesk"]) == ("System Admin (ALTER ANY LOGIN)", "Admin", "0")
    assert found["rdsa"]["principal_class"] == "aws-managed"
    assert texts(evaluation) == []


def test_on_rds_the_login_with_sid_0x01_is_aws_own_under_any_name() -> None:
    catalogue = rds_2022()
    catalogue.server["server_principals"][0]["name"] = "renamed"

    evaluation = evaluate(parse(catalogue.as_child_output()), "db", NOW)

    assert rows(evaluation)["renamed"]["principal_class"] == "aws-managed"
    assert texts(evaluation) == []


def test_a_declared_rds_master_is_an_administrator_by_name() -> None:
    evaluation = evaluate(parse(rds_2022().as_child_output()), "db", NOW, master_username="app")

    assert rows(evaluation)["app"]["role_name"] == "System Admin (RDS master user)"


def test_a_reader_without_definitions_makes_the_server_partial_with_the_exact_sentence() -> None:
    evaluation = evaluate(parse(known_2019().seen_with_few_rights(READER).as_child_output()), "db", NOW)

    assert texts(evaluation)[0] == "Incomplete: login lacks VIEW ANY DEFINITION"
    assert evaluation.is_partial


def test_a_role_member_that_is_not_visible_is_a_gap() -> None:
    evaluation = evaluate(parse(server().member("sysadmin", 9999).build().as_child_output()), "db", NOW)

    assert texts(evaluation)[0] == "Incomplete: login lacks VIEW ANY DEFINITION"


def test_closed_and_offline_databases_are_named() -> None:
    builder = server().database("b", accessible=False).database("a", online=False)
    builder.set("visibility", view_any_database=0)

    found = texts(evaluate(parse(builder.build().as_child_output()), "db", NOW))

    assert found[:2] == ["Incomplete: login lacks VIEW ANY DATABASE", "Incomplete: cannot read databases a, b"]


def test_a_database_that_hides_its_definitions_is_named() -> None:
    catalogue = server().database("x").build()
    catalogue.databases["x"]["database_visibility"][0]["view_definition"] = 0

    assert texts(evaluate(parse(catalogue.as_child_output()), "db", NOW))[0] == "Incomplete: cannot read databases x"


def test_a_catalogue_without_the_agreed_columns_is_refused() -> None:
    output = server().build().as_child_output()
    output["tables"]["server_principals"]["columns"][0] = "surprise"

    with pytest.raises(ValueError, match="agreed shape"):
        parse(output)


def test_an_empty_list_of_principals_is_no_answer() -> None:
    output = server().build().as_child_output()
    output["tables"]["server_principals"]["rows"] = []

    with pytest.raises(ValueError, match="public"):
        parse(output)


def test_of_two_equally_short_paths_the_first_by_code_point_is_told() -> None:
    builder = server().role("r_b").role("r_a").member("r_b", "alice").member("r_a", "alice")
    builder.grant("CONTROL SERVER", "r_b").grant("CONTROL SERVER", "r_a").grant("CONTROL SERVER", "public")

    assert judged(builder)["alice"]["role_name"] == "System Admin (CONTROL SERVER via public)"
    assert judged(builder)["alice"]["account_details"]["access_paths"] == ["alice > public: CONTROL SERVER"]


@given(st.dictionaries(st.integers(1, 12), st.lists(st.integers(1, 12), max_size=4), max_size=12), st.integers(1, 12))
def test_membership_reaches_exactly_the_closure_and_public_by_real_edges(
    edges: dict[int, list[int]], start: int
) -> None:
    names = {n: f"r{n}" for n in range(13)}
    members = [(role, member) for member, roles in edges.items() for role in roles]

    paths = Membership(names, members, public=0).paths(start)

    reached, frontier = {start, 0}, {start}
    while frontier:
        frontier = {r for n in frontier for r in edges.get(n, ())} - reached
        reached |= frontier
    assert paths.keys() == reached
    for end, path in paths.items():
        steps = [int(name[1:]) for name in path]
        assert (steps[0], steps[-1]) == (start, end)
        assert steps == [start, 0] or all(b in edges[a] for a, b in pairwise(steps))


@settings(deadline=None, max_examples=60)
@given(
    st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12),
    st.sets(st.integers(0, 5), max_size=2),
)
def test_impersonation_reaches_tier_zero_exactly_along_its_edges(edges: set[tuple[int, int]], roots: set[int]) -> None:
    builder = ServerBuilder()
    for number in range(6):
        builder.login(f"u{number}", "U", roles=("sysadmin",) if number in roots else ())
    for who, whom in edges:
        builder.grant("IMPERSONATE", f"u{who}", on=f"u{whom}")

    reached = set(roots)
    for _ in range(6):
        reached |= {who for who, whom in edges if whom in reached}
    found = judged(builder)
    assert {n for n in range(6) if found[f"u{n}"]["tier"] == "0"} == reached
