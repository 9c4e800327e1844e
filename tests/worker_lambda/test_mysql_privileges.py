"""The MySQL rule table on given catalogues: every row of the format, paths, wording, roles, status."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker_lambda.privileges import mysql_rules, wording
from worker_lambda.privileges.mysql import Verdict, evaluate
from worker_lambda.privileges.mysql_catalogue import (
    PUBLIC,
    Account,
    Catalogue,
    DynamicGrant,
    Principal,
    ProxyGrant,
    RoleEdge,
    SchemaGrant,
    TableGrant,
    parse_role_list,
)
from worker_lambda.privileges.mysql_rights import schema_matches
from worker_lambda.privileges.mysql_selection import ExclusionPolicy, is_role, policy_from_json, user_status

WHO = Principal("who", "%")
TOP = Principal("r_top", "%")
MID = Principal("r_mid", "%")


def account(principal: Principal = WHO, *privileges: str, **changes: Any) -> Account:
    plain = Account(principal, frozenset(privileges), False, "caching_sha2_password", False, False, 0.0, True, 0, None)
    return replace(plain, **changes)


def catalogue(*accounts: Account, **changes: Any) -> Catalogue:
    return replace(Catalogue("mysql", (8, 4, 0), accounts), **changes)


def judge(*privileges: str, **changes: Any) -> Verdict:
    return evaluate(catalogue(account(WHO, *privileges), **changes))[WHO]


def dynamic(privilege: str, grant_option: bool = False) -> tuple[DynamicGrant, ...]:
    return (DynamicGrant(WHO, privilege, grant_option),)


@pytest.mark.parametrize("privilege", ["SUPER", "CREATE USER", "SET USER", "REPLICATION SLAVE ADMIN", "BINLOG REPLAY"])
def test_a_global_privilege_that_takes_control_is_admin(privilege: str) -> None:
    verdict = judge(privilege)
    assert (verdict.role_name, verdict.permission_level, verdict.rule.tier) == (
        f"Full Admin ({privilege})",
        "Admin",
        "0",
    )


@pytest.mark.parametrize(
    "privilege",
    [
        "ROLE_ADMIN",
        "SET_USER_ID",
        "SET_ANY_DEFINER",
        "REPLICATION_SLAVE_ADMIN",
        "BINLOG_ADMIN",
        "SYSTEM_VARIABLES_ADMIN",
    ],
)
def test_a_dynamic_privilege_that_takes_control_is_admin(privilege: str) -> None:
    assert judge(dynamic=dynamic(privilege)).role_name == f"Full Admin ({privilege})"
    assert judge(dynamic=dynamic(privilege, True)).role_name == f"Full Admin ({privilege} WITH GRANT OPTION)"


@pytest.mark.parametrize("privilege", ["INSERT", "UPDATE", "ALTER"])
def test_a_table_write_on_everything_is_admin(privilege: str) -> None:
    assert judge(privilege).role_name == f"Full Admin ({privilege} on *.*)"


@pytest.mark.parametrize(
    ("privilege", "text"),
    [
        ("GRANT OPTION", "GRANT OPTION on *.*"),
        ("DELETE", "DELETE on *.*"),
        ("FILE", "FILE"),
        ("PROCESS", "PROCESS"),
        ("RELOAD", "RELOAD"),
        ("SHUTDOWN", "SHUTDOWN"),
        ("CREATE ROLE", "CREATE ROLE"),
        ("DROP ROLE", "DROP ROLE"),
        ("REPLICATION SLAVE", "REPLICATION SLAVE"),
        ("REPLICATION CLIENT", "REPLICATION CLIENT"),
        ("BINLOG ADMIN", "BINLOG ADMIN"),
        ("CONNECTION ADMIN", "CONNECTION ADMIN"),
    ],
)
def test_a_server_right_is_tier_1_and_named(privilege: str, text: str) -> None:
    verdict = judge(privilege)
    assert (verdict.rule.tier, verdict.role_name, verdict.permission_level) == ("1", f"Server Admin ({text})", text)


@pytest.mark.parametrize("privilege", ["SYSTEM_USER", "REPLICATION_APPLIER", "SOME_PLUGIN_ADMIN"])
def test_any_other_dynamic_privilege_is_tier_1(privilege: str) -> None:
    assert judge(dynamic=dynamic(privilege)).rule.tier == "1"


@pytest.mark.parametrize("privilege", ["SELECT", "CREATE", "DROP", "LOCK TABLES", "SHOW DATABASES", "EXECUTE"])
def test_an_ordinary_global_grant_is_a_limited_user(privilege: str) -> None:
    verdict = judge(privilege)
    assert (verdict.rule.tier, verdict.role_name, verdict.permission_level) == ("none", "Limited User", "User")


def test_usage_alone_is_a_user() -> None:
    assert (judge().role_name, judge().permission_level, judge().rule) == ("User", "User", mysql_rules.USAGE)


def test_rights_below_the_schema_make_a_limited_user() -> None:
    assert judge(other_grants=frozenset({WHO})).role_name == "Limited User"


def test_all_replaces_its_parts_and_carries_the_grant_option() -> None:
    verdict = evaluate(
        catalogue(
            account(WHO, "SUPER", "CREATE USER", "GRANT OPTION", "INSERT", has_all=True), dynamic=dynamic("ROLE_ADMIN")
        )
    )[WHO]
    assert verdict.role_name == "Full Admin (ALL on *.* WITH GRANT OPTION)"


def test_tier_0_named_root_is_root_admin_and_a_plain_root_is_not() -> None:
    root, plain = Principal("root", "localhost"), Principal("root", "%")
    verdicts = evaluate(catalogue(account(root, "SUPER"), account(plain)))
    assert verdicts[root].role_name == "Root Admin (SUPER)"
    assert verdicts[plain].role_name == "User"


def test_reasons_stand_in_table_order_and_are_cut_after_three() -> None:
    verdict = judge("UPDATE", "CREATE USER", "SUPER", "BINLOG REPLAY", "FILE")
    assert verdict.role_name == "Full Admin (SUPER, CREATE USER, BINLOG REPLAY, +1 more)"


def test_reasons_of_one_rule_stand_in_code_point_order() -> None:
    assert judge("UPDATE", "ALTER", "INSERT").role_name == "Full Admin (ALTER on *.*, INSERT on *.*, UPDATE on *.*)"


def test_permission_level_lists_tier_1_then_tier_2_and_is_cut_after_ten() -> None:
    verdict = judge("FILE", schemas=(SchemaGrant(WHO, "app", frozenset({"SELECT"}), True),))
    assert verdict.permission_level == "FILE, ALL on app"
    assert verdict.role_name == "Server Admin (FILE)"
    many = judge(
        "FILE", "PROCESS", "RELOAD", "SHUTDOWN", "DELETE", "CREATE ROLE", "DROP ROLE", "REPLICATION SLAVE",
        "REPLICATION CLIENT", "BINLOG ADMIN", "SLAVE MONITOR",
    )  # fmt: skip
    assert many.permission_level.endswith(", +1 more")
    assert many.permission_level.count(",") == 10


def test_an_inherited_right_names_the_role_granted_to_the_account_and_the_whole_path() -> None:
    edges = (RoleEdge(TOP, MID, False), RoleEdge(MID, WHO, False))
    verdict = evaluate(catalogue(account(), account(TOP, "SUPER"), account(MID), edges=edges))[WHO]
    assert verdict.role_name == "Full Admin (SUPER via r_mid)"
    assert verdict.access_path == "who@% > r_mid > r_top: SUPER"


def test_a_direct_right_wins_over_the_same_right_through_a_role() -> None:
    edges = (RoleEdge(TOP, WHO, False),)
    verdict = evaluate(catalogue(account(WHO, "SUPER"), account(TOP, "SUPER"), edges=edges))[WHO]
    assert verdict.role_name == "Full Admin (SUPER)"


def test_a_mandatory_role_counts_for_everybody() -> None:
    variables = {"mandatory_roles": "`r_top`@`%`,gone"}
    verdict = evaluate(catalogue(account(), account(TOP, "SUPER"), variables=variables))[WHO]
    assert verdict.role_name == "Full Admin (SUPER via r_top)"


def test_a_mandatory_role_that_does_not_exist_changes_nothing() -> None:
    assert judge(variables={"mandatory_roles": "gone"}).role_name == "User"


def test_public_of_mariadb_counts_for_everybody_once_it_holds_something() -> None:
    with_super = evaluate(catalogue(account(), account(PUBLIC, "SUPER", is_role=True), flavour="mariadb"))
    assert with_super[WHO].role_name == "Full Admin (SUPER via PUBLIC)"
    empty = evaluate(catalogue(account(), account(PUBLIC, is_role=True), flavour="mariadb"))
    assert empty[WHO].role_name == "User"


def test_a_role_without_rights_makes_a_limited_user() -> None:
    assert (
        evaluate(catalogue(account(), account(TOP), edges=(RoleEdge(TOP, WHO, False),)))[WHO].role_name
        == "Limited User"
    )


def test_the_rds_superuser_role_is_admin_through_any_path() -> None:
    role = Principal("rds_superuser_role", "%")
    verdict = evaluate(catalogue(account(), account(role), edges=(RoleEdge(role, WHO, False),)))[WHO]
    assert verdict.role_name == "Full Admin (rds_superuser_role)"
    assert verdict.rule.id == "mysql.rds-superuser"


def test_admin_option_on_a_tier_0_role_is_a_reason_and_on_another_role_is_none() -> None:
    harmless = Principal("r_report", "%")
    edges = (RoleEdge(TOP, MID, True), RoleEdge(harmless, WHO, True))
    verdicts = evaluate(catalogue(account(), account(MID), account(TOP, "SUPER"), account(harmless), edges=edges))
    assert "ADMIN OPTION on r_top" in verdicts[MID].role_name
    assert verdicts[WHO].role_name == "Limited User"


def test_proxy_to_an_administrator_is_admin_however_long_the_chain() -> None:
    boss, second = Principal("boss", "%"), Principal("second", "10.%")
    proxies = (ProxyGrant(WHO, second), ProxyGrant(second, boss))
    verdicts = evaluate(catalogue(account(), account(second), account(boss, "SUPER"), proxies=proxies))
    assert verdicts[second].role_name == 'Full Admin (PROXY on "boss@%")'
    assert verdicts[WHO].role_name == 'Full Admin (PROXY on "second@10.%")'


def test_proxy_to_anybody_is_admin_and_to_an_ordinary_account_is_not() -> None:
    other = Principal("other", "%")
    assert judge(proxies=(ProxyGrant(WHO, Principal("", "")),)).role_name == "Full Admin (PROXY on ''@'')"
    verdict = evaluate(catalogue(account(), account(other), proxies=(ProxyGrant(WHO, other),)))[WHO]
    assert verdict.role_name == "Limited User"


def test_writes_on_the_schema_mysql_or_a_grant_table_are_admin() -> None:
    on_schema = SchemaGrant(WHO, "mysql", frozenset({"INSERT", "SELECT"}), False)
    assert judge(schemas=(on_schema,)).role_name == "Full Admin (INSERT on mysql)"
    assert judge(schemas=(on_schema._replace(has_all=True),)).role_name == "Full Admin (ALL on mysql)"
    on_table = TableGrant(WHO, "user", frozenset({"UPDATE"}))
    assert judge(tables=(on_table,)).role_name == "Full Admin (UPDATE on mysql.user)"
    assert judge(tables=(on_table._replace(table="help_topic"),)).role_name == "Limited User"


@pytest.mark.parametrize(
    "table",
    [
        "user", "global_priv", "global_grants", "role_edges", "default_roles", "roles_mapping", "db", "tables_priv",
        "columns_priv", "procs_priv", "proxies_priv", "proc", "event", "USER",
    ],
)  # fmt: skip
def test_a_write_to_any_grant_table_is_admin(table: str) -> None:
    verdict = judge(tables=(TableGrant(WHO, table, frozenset({"SELECT", "UPDATE"})),))
    assert (verdict.rule.id, verdict.role_name) == ("mysql.grant-tables", f"Full Admin (UPDATE on mysql.{table})")


@pytest.mark.parametrize("table", ["help_topic", "time_zone", "general_log", "slow_log", "innodb_table_stats"])
def test_a_write_to_another_table_of_the_schema_is_none(table: str) -> None:
    assert judge(tables=(TableGrant(WHO, table, frozenset({"INSERT"})),)).rule.tier == "none"


def test_a_wildcard_that_reaches_mysql_is_admin_unless_partial_revokes_make_it_literal() -> None:
    grant = SchemaGrant(WHO, "my%", frozenset({"INSERT"}), False)
    assert judge(schemas=(grant,)).role_name == 'Full Admin (INSERT on "my%")'
    assert judge(schemas=(grant,), variables={"partial_revokes": "ON"}).role_name == "Limited User"


@pytest.mark.parametrize(
    ("pattern", "schema", "matches"),
    [("%", "mysql", True), (r"my\_sql", "my_sql", True), (r"my\_sql", "myxsql", False), ("m_sql", "mysql", True),
     ("mysql.", "mysqlx", False), (r"m\%", "mysql", False)],
)  # fmt: skip
def test_schema_patterns_match_like_the_server_does(pattern: str, schema: str, matches: bool) -> None:
    assert schema_matches(pattern, schema, wildcards=True) is matches


@given(st.text("my%_\\\\", max_size=8), st.text("my%_", max_size=6))
def test_schema_patterns_match_like_a_regular_expression(pattern: str, schema: str) -> None:
    expression = "".join(
        re.escape(part[1:]) if len(part) == 2 else {"%": ".*", "_": "."}.get(part, re.escape(part))
        for part in re.findall(r"\\.|.", pattern)
    )
    assert schema_matches(pattern, schema, True) == (re.fullmatch(expression, schema) is not None)


def test_a_pattern_of_nothing_but_wildcards_is_answered() -> None:
    """As a regular expression it would backtrack for half a second, in every database's turn; longer ones for ever."""
    assert not schema_matches("%" * 63 + "z", "m" * 64, True)


def test_an_escaped_underscore_is_written_as_the_schema_is_named() -> None:
    verdict = judge(schemas=(SchemaGrant(WHO, r"app\_db", frozenset({"SELECT"}), True),))
    assert verdict.role_name == "Database Admin (ALL on app_db)"


def test_grant_option_on_a_schema_is_tier_2() -> None:
    verdict = judge(schemas=(SchemaGrant(WHO, "app", frozenset({"SELECT", "GRANT OPTION"}), False),))
    assert (verdict.rule.tier, verdict.permission_level) == ("2", "GRANT OPTION on app")


def test_a_hostile_schema_name_is_quoted() -> None:
    verdict = judge(schemas=(SchemaGrant(WHO, 'a, b"c', frozenset(), True),))
    assert verdict.role_name == 'Database Admin (ALL on "a, b""c")'


def test_a_partial_revoke_on_mysql_takes_the_table_write_away_but_not_another_right() -> None:
    restricted = account(WHO, "INSERT", "SUPER", has_all=True, restrictions={"mysql": frozenset({"INSERT"})})
    assert evaluate(catalogue(restricted))[WHO].role_name == "Full Admin (SUPER)"
    elsewhere = account(WHO, "INSERT", restrictions={"app": frozenset({"INSERT"})})
    assert evaluate(catalogue(elsewhere))[WHO].rule.tier == "0"


def test_a_partial_revoke_does_not_reduce_what_a_role_brings() -> None:
    restricted = account(WHO, "INSERT", restrictions={"mysql": frozenset({"INSERT"})})
    verdict = evaluate(catalogue(restricted, account(TOP, "INSERT"), edges=(RoleEdge(TOP, WHO, False),)))[WHO]
    assert verdict.role_name == "Full Admin (INSERT on *.* via r_top)"


def test_a_locked_expired_row_is_a_role_only_when_granted_or_mandatory() -> None:
    row = account(TOP, locked=True, password_expired=True)
    given = catalogue(row)
    assert not is_role(row, given, frozenset())
    assert is_role(row, given, frozenset({TOP}))
    assert is_role(row, replace(given, variables={"mandatory_roles": "r_top"}), frozenset())
    assert not is_role(replace(row, locked=None), given, frozenset({TOP}))
    assert not is_role(replace(row, password_expired=False), given, frozenset({TOP}))


def test_aws_roles_are_roles_on_aws_servers_only() -> None:
    lambda_access = account(Principal("AWS_LAMBDA_ACCESS", "%"), locked=True, password_expired=True)
    aurora = catalogue(lambda_access, variables={"aurora_version": "3.04.1"})
    assert is_role(lambda_access, aurora, frozenset())
    assert not is_role(lambda_access, catalogue(lambda_access), frozenset())
    assert not is_role(replace(lambda_access, locked=False), aurora, frozenset())


def test_mariadb_roles_are_what_the_flag_says() -> None:
    given = catalogue(flavour="mariadb")
    assert is_role(account(TOP, is_role=True), given, frozenset())
    assert not is_role(account(TOP, is_role=False, locked=True, password_expired=True), given, frozenset({TOP}))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "Active"),
        ({"locked": True}, "Locked"),
        ({"locked": True, "password_expired": True}, "Locked; Password Expired"),
        ({"plugin": "mysql_no_login", "locked": True}, "Disabled; Locked"),
        ({"locked": None}, "Unknown"),
        ({"password_expired": None}, "Unknown"),
        ({"lifetime_known": False}, "Unknown"),
        ({"plugin": None}, "Unknown"),
        ({"locked": None, "password_expired": True}, "Password Expired"),
        ({"password_lifetime_days": 1, "password_changed_at": 0.0}, "Password Expired"),
        ({"password_lifetime_days": 1, "password_changed_at": 10 * 86_400.0}, "Active"),
        ({"password_lifetime_days": None, "password_changed_at": 0.0}, "Password Expired"),
        ({"password_lifetime_days": 1, "password_changed_at": None}, "Active"),  # MySQL: a password that cannot expire
        ({"password_lifetime_days": 1, "password_changed_at": 1.0, "plugin": "auth_socket"}, "Active"),
    ],
)
def test_user_status(changes: dict[str, Any], status: str) -> None:
    given = catalogue(server_time=10 * 86_400.0, variables={"default_password_lifetime": "5"})
    assert user_status(account(WHO, **changes), given) == status


def test_exclusion_is_by_exact_identity() -> None:
    policy = ExclusionPolicy()
    assert policy.reason(Principal("mysql.sys", "localhost")) == "engine account"
    assert policy.reason(Principal("mysql.sys", "%")) is None
    assert policy.reason(Principal("", "localhost")) == "anonymous account"


def test_who_owns_an_excluded_account_is_believed_only_where_it_can_be_true() -> None:
    policy = ExclusionPolicy()
    aws, engine = account(Principal("rdsadmin", "localhost")), account(Principal("mysql.sys", "localhost"))
    assert policy.owned_by_provider(aws, "rds")
    assert policy.owned_by_provider(aws, "aurora")
    assert not policy.owned_by_provider(aws, "self-managed")
    assert policy.owned_by_provider(replace(engine, locked=True), "self-managed")
    assert not policy.owned_by_provider(engine, "self-managed")
    assert not policy.owned_by_provider(account(Principal("debian-sys-maint", "localhost")), "rds")


def test_more_accounts_can_be_excluded_by_configuration_only_in_full() -> None:
    assert policy_from_json('["backup@10.0.0.1"]').reason(Principal("backup", "10.0.0.1")) == "service account"
    with pytest.raises(ValueError, match="JSON list"):
        policy_from_json('["backup"]')


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("", ()),
        ("r1, r2@localhost", (Principal("r1", "%"), Principal("r2", "localhost"))),
        ("`a,b`@`%`,'c@d'@'h'", (Principal("a,b", "%"), Principal("c@d", "h"))),
    ],
)
def test_mandatory_roles_are_parsed_as_the_server_writes_them(text: str, roles: tuple[Principal, ...]) -> None:
    assert parse_role_list(text) == roles


def test_a_suffix_is_never_cut() -> None:
    assert (
        wording.role_name("X", ["a", "b", "c", "d"], "group not expanded") == "X (a, b, c, +1 more; group not expanded)"
    )


@pytest.mark.parametrize("user", ["x > root@%: SUPER", 'a "quoted" name', "root@localhost: ALL on *.*"])
def test_a_name_cannot_pass_for_an_access_path(user: str) -> None:
    who = Principal(user, "%")
    verdict = evaluate(catalogue(account(who), account(TOP, "SUPER"), edges=(RoleEdge(TOP, who, False),)))[who]
    quoted = user.replace('"', '""')
    assert verdict.access_path == f'"{quoted}"@% > r_top: SUPER'


@pytest.mark.parametrize(
    ("variables", "version", "tier"),
    [
        ({"basedir": "/rdsdbbin/mysql-8.0.35/"}, (8, 0, 35), "0"),
        ({"basedir": "/rdsdbbin/mysql-8.0.36/"}, (8, 0, 36), "none"),
        ({"basedir": "/rdsdbbin/mysql-5.7/"}, (5, 7, 44), "0"),
        ({"basedir": "/rdsdbbin/oscar/", "aurora_version": "2.11.4"}, (5, 7, 12), "0"),
        ({"basedir": "/rdsdbbin/oscar/", "aurora_version": "3.04.1"}, (8, 0, 28), "none"),
    ],
)
def test_table_writes_count_unless_the_service_blocks_them(
    variables: dict[str, str], version: tuple[int, ...], tier: str
) -> None:
    writes = catalogue(account(WHO, "INSERT", "UPDATE"), variables=variables, version=version)
    assert evaluate(writes)[WHO].rule.tier == tier
