"""Every recorded SQL Server, read over the wire by the real collector, against one table of expected rows."""

from __future__ import annotations

import time

import pytest

from sandbox.tds.catalogues import READER
from sandbox.tds.recorded import MASTERS, RECORDED
from sandbox.tds.server import TdsServer
from sandbox.tds.versions import ROLES_OF_2022, SERVER_TYPES
from tests.worker_lambda.sqlserver_expected import as_rows, evaluated, expected
from worker_lambda.collectors.sqlserver import collect
from worker_lambda.contract import DatabaseTarget
from worker_lambda.credentials import Credentials
from worker_lambda.privileges.sqlserver_catalogue import parse
from worker_lambda.privileges.sqlserver_rules import RULES
from worker_lambda.result_object import DatabaseResult

PASSWORD = "correct horse"
VERSIONS = {
    "sql_2014": ("12.0.6024.0", False),
    "sql_2016": ("13.0.6300.2", False),
    "sql_2019": ("15.0.4375.4", False),
    "rds_2019": ("15.0.4375.4", False),
    "sql_2022": ("16.0.4125.3", True),
    "rds_2022": ("16.0.4125.3", True),
}


def read(name: str) -> DatabaseResult:
    with TdsServer(RECORDED[name](), {READER: PASSWORD}) as server:
        target = DatabaseTarget(name, "mssql", ca_file=str(server.ca_file), master_username=MASTERS.get(name))
        login = Credentials(host=server.host, port=server.port, username=READER, password=PASSWORD)
        return collect(target, login, time.monotonic() + 60, "123456789012", "us-east-1")


@pytest.mark.parametrize("name", RECORDED)
def test_a_server_read_over_the_wire_gives_the_rows_of_the_table_and_no_others(name: str) -> None:
    result = read(name)

    assert as_rows(result.users) == expected()[name]
    assert result.connection["status"] == "complete"


def test_the_table_knows_every_catalogue_and_no_row_twice() -> None:
    rows = [(name, *row[:2], row[4]) for name, found in expected().items() for row in found]

    assert expected().keys() == RECORDED.keys()
    assert len(rows) == len(set(rows))
    assert len({(name, account) for name, account, *_ in rows}) == 234


def test_every_rule_names_at_least_one_row_of_the_table() -> None:
    assert {row[2] for rows in expected().values() for row in rows} == RULES.keys()


def test_every_row_of_the_table_has_the_tier_and_the_words_of_its_rule() -> None:
    for rows in expected().values():
        for _, tier, rule_id, path, role_name, level, _ in rows:
            rule = RULES[rule_id]
            assert (tier, role_name.partition(" (")[0]) == (rule.tier, rule.label), rule_id
            assert (level == "Admin", level == "User") == (tier == "0", tier == "none")
            assert path.endswith(role_name) == (tier == "none")


@pytest.mark.parametrize("name", VERSIONS)
def test_a_version_has_the_roles_and_rights_that_it_really_has(name: str) -> None:
    number, from_2022 = VERSIONS[name]
    server = parse(RECORDED[name]().as_child_output())

    fixed = {p.name for p in server.principals.values() if p.is_fixed}
    assert (server.version, len(fixed)) == (number, 18 if from_2022 else 8)
    assert set(ROLES_OF_2022) <= fixed or not from_2022
    assert server.rights["view_any_security_definition"] == (1 if from_2022 else None)


def test_the_recorded_servers_hold_every_type_of_principal() -> None:
    servers = [parse(make().as_child_output()) for make in RECORDED.values()]
    inside = {p.type for s in servers for d in s.databases for p in d.principals.values()}

    assert {p.type for s in servers for p in s.principals.values()} == SERVER_TYPES.keys()
    assert inside == {"S", "U", "G", "R", "E", "X"}


def test_entra_principals_are_people_or_groups_on_the_server_and_in_databases() -> None:
    found = {u["username"]: (u["principal_type"], u["principal_class"]) for u in read("managed_instance").users}

    assert {name: found[name] for name in found if "@" in name or "app" in name or "team" in name} == {
        "ada@contoso.com": ("EXTERNAL_LOGIN", "human"),
        "bob@contoso.com": ("EXTERNAL_LOGIN", "human"),
        "dan@contoso.com": ("EXTERNAL_LOGIN", "human"),
        "eve@contoso.com": ("EXTERNAL_LOGIN", "human"),
        "sec@contoso.com": ("EXTERNAL_LOGIN", "human"),
        "app-leads": ("EXTERNAL_GROUP", "group"),
        "dba-team": ("EXTERNAL_GROUP", "group"),
        "ops-team": ("EXTERNAL_GROUP", "group"),
        "carol@contoso.com [app]": ("EXTERNAL_USER", "human"),
        "fay@contoso.com [app]": ("EXTERNAL_USER", "human"),
        "app-dbas [app]": ("EXTERNAL_GROUPS", "group"),
        "app-readers [app]": ("EXTERNAL_GROUPS", "group"),
        "CORP\\old-team [app]": ("WINDOWS_GROUP", "group"),
    }


def test_an_rds_master_that_is_not_declared_is_an_administrator_by_its_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(MASTERS, "rds_2019")

    found = {row[0]: row[1:] for row in evaluated("rds_2019")}

    assert found["dbmaster"][:2] == ("0", "mssql.alter-any-login")
    assert found["dbmaster"][3] == "System Admin (ALTER ANY LOGIN WITH GRANT OPTION)"
