"""What could hide an administrator of a SQL Server, or make one of somebody who is none; each once was so."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.recorded_clouds import rds_2019
from sandbox.tds.server import TdsServer
from sandbox.tds.versions import SQL_2019
from tests.worker_lambda.test_sqlserver_collector import PASSWORD, USERS, read
from worker_lambda.privileges.sqlserver import Evaluation, evaluate
from worker_lambda.privileges.sqlserver_catalogue import parse
from worker_lambda.result_object import AdminUser


def server() -> ServerBuilder:
    return ServerBuilder().reader().login("root", roles=("sysadmin",))


def rds() -> ServerBuilder:
    return ServerBuilder("EC2AMAZ-1", SQL_2019, sa_name="rdsa").reader().database("rdsadmin", accessible=False)


def judged(builder: ServerBuilder, master: str | None = None) -> Evaluation:
    return evaluate(parse(builder.build().as_child_output()), "db", "2024-01-15T14:22:33Z", master)


def rows(evaluation: Evaluation) -> dict[str, AdminUser]:
    return {u["username"]: u for u in evaluation.users if u["excluded_by_policy"] is None}


def texts(evaluation: Evaluation) -> list[str]:
    return [w["text"] for w in evaluation.warnings]


def test_two_names_do_not_make_a_server_awss() -> None:
    builder = server().login("rdsrepladmin", roles=("sysadmin",)).database("rdsadmin", accessible=False)
    found = judged(builder)
    assert rows(found)["rdsrepladmin"]["tier"] == "0"
    assert texts(found) == [
        "Incomplete: cannot read databases rdsadmin",
        "Excluded account is an enabled administrator: sa",
    ]


def test_on_rds_a_customers_login_with_a_name_of_awss_is_a_row() -> None:
    found = judged(rds().login("rdsrepladmin").grant("ALTER ANY LOGIN", "rdsrepladmin"))
    assert rows(found)["rdsrepladmin"]["tier"] == "0"
    assert "rdsadmin" not in rows(judged(rds().login("rdsadmin", roles=("sysadmin",))))


@pytest.mark.parametrize("to", ["public", "guest"])
@pytest.mark.parametrize("right", ["VIEW DEFINITION", "CONTROL"])
def test_a_deny_that_hides_a_user_from_the_reader_closes_the_database(to: str, right: str) -> None:
    builder = server().database("payroll").user("payroll", "web", contained=True)
    builder.database_grant("payroll", "CONTROL", "web").database_grant("payroll", right, to, "D", on="web")
    catalogue = builder.build()
    inside = catalogue.databases["payroll"]
    inside["database_principals"] = [p for p in inside["database_principals"] if p["name"] != "web"]
    warnings = evaluate(parse(catalogue.as_child_output()), "db", "2024-01-15T14:22:33Z").warnings
    assert warnings[0]["text"] == "Incomplete: cannot read databases payroll"
    assert warnings[0]["cures"][0].startswith("-- [payroll]: a DENY of VIEW DEFINITION or CONTROL hides principals")


def test_a_deny_to_others_or_to_a_sysadmin_reader_hides_nothing() -> None:
    builder = server().database("payroll").user("payroll", "web", contained=True).user("payroll", "root")
    builder.database_grant("payroll", "VIEW DEFINITION", "root", "D", on="web")
    assert "Incomplete" not in "".join(texts(judged(builder)))
    builder.database_grant("payroll", "VIEW DEFINITION", "public", "D", on="web").member("sysadmin", "audit_reader")
    assert "Incomplete" not in "".join(texts(judged(builder)))


def test_a_grantee_that_is_not_shown_closes_the_database() -> None:
    catalogue = server().database("payroll").user("payroll", "web", contained=True).database_grant(
        "payroll", "CONTROL", "web"
    ).build()  # fmt: skip
    inside = catalogue.databases["payroll"]
    inside["database_principals"] = [p for p in inside["database_principals"] if p["name"] != "web"]
    found = evaluate(parse(catalogue.as_child_output()), "db", "2024-01-15T14:22:33Z")
    assert "Incomplete: cannot read databases payroll" in texts(found)


def test_an_owner_whom_only_a_group_lets_in_is_a_row() -> None:
    catalogue = server().login("CORP\\staff", "G").database("payroll", owner="CORP\\alice").build()
    for principal in catalogue.databases["payroll"]["database_principals"]:
        if principal["name"] == "dbo":
            principal.update(type="U", type_desc="WINDOWS_USER", authentication_type=3)
    found = rows(evaluate(parse(catalogue.as_child_output()), "db", "2024-01-15T14:22:33Z"))
    assert found["dbo [payroll]"]["role_name"] == "Database Admin (db_owner on payroll)"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("alice\ud83d", "alice\\ud83d"),
        ("\ud83d", "\\ud83d"),
        ("al\udc00ice", "al\\udc00ice"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_half_a_surrogate_pair_does_not_make_another_name(name: str, told: str) -> None:
    builder = server().login("alice").login(name, roles=("sysadmin",))
    with TdsServer(builder.build(), USERS) as standin:
        users = {u["username"]: u for u in read(standin).users}
    assert (users["alice"]["tier"], users[told]["tier"]) == ("none", "0")
    assert PASSWORD not in repr(users)


def test_a_database_that_answers_with_another_error_is_not_cured_by_a_grant() -> None:
    output: dict[str, Any] = server().database("replica").build().as_child_output()
    for item in output["databases"]:
        if item["name"] == "replica":
            item.update(tables=None, failure={"number": 976, "message": "not readable"})
    (closed, _) = evaluate(parse(output), "db", "2024-01-15T14:22:33Z").warnings
    assert closed["text"] == "Incomplete: cannot read databases replica"
    assert closed["cures"] == ["-- [replica] answered with error 976: no grant opens it"]


def test_the_declared_master_counts_whatever_the_case_and_the_server_look_like() -> None:
    shouted = evaluate(parse(rds_2019().as_child_output()), "db", "2024-01-15T14:22:33Z", "DBMASTER")
    assert rows(shouted)["dbmaster"]["rule_id"] == "mssql.rds-master"
    plain = ServerBuilder("EC2", SQL_2019, sa_name="rdsa").reader().login("admin")
    assert rows(judged(plain, "admin"))["admin"]["rule_id"] == "mssql.rds-master"
    two = ServerBuilder("EC2", SQL_2019).reader().login("Admin").login("aDMIN")
    assert "mssql.rds-master" not in {row["rule_id"] for row in rows(judged(two, "admin")).values()}


@pytest.mark.parametrize("contained", [True, False])
def test_a_contained_user_whose_role_is_denied_entry_is_disabled(contained: bool) -> None:
    kind = "S" if contained else "U"
    builder = server().database("app", contained=True).database_role("app", "nope")
    builder.user("app", "eve", kind, contained=contained).database_member("app", "nope", "eve")
    builder.database_grant("app", "CONNECT", "nope", "D")
    assert rows(judged(builder))["eve [app]"]["user_status"] == "Disabled"


def test_a_right_on_all_does_not_reach_the_only_target_that_a_deny_excepts() -> None:
    logins = server().login("sec", roles=("securityadmin",)).login("hd").grant("ALTER ANY LOGIN", "hd")
    assert rows(judged(logins))["hd"]["tier"] == "0"
    assert rows(judged(logins.grant("ALTER", "hd", "D", on="sec")))["hd"]["tier"] == "1"
    roles = server().role("r_dba", roles=("sysadmin",)).login("hd").grant("ALTER ANY SERVER ROLE", "hd")
    assert rows(judged(roles))["hd"]["tier"] == "0"
    assert rows(judged(roles.grant("CONTROL", "hd", "D", on="r_dba")))["hd"]["tier"] == "1"


def test_a_deny_of_a_wider_right_takes_the_narrower() -> None:
    builder = server().login("dev").grant("CREATE ANY DATABASE", "dev", "W")
    assert rows(judged(builder))["dev"]["tier"] == "1"
    assert rows(judged(builder.grant("ALTER ANY DATABASE", "dev", "D")))["dev"]["role_name"] == "User"
