"""MySQL 5.7, RDS and Aurora on recorded answers: profiles are recognized from the server, AWS's own are told apart."""

from __future__ import annotations

import pytest

from tests.engines import by_username, known_accounts
from tests.worker_lambda.mysql_reading import as_known, collect_given
from tests.worker_lambda.recorded_mysql import SERVERS, aurora_3


@pytest.mark.parametrize("name", SERVERS)
def test_every_account_is_judged_as_the_table_says_and_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    server = SERVERS[name]()
    result = collect_given(monkeypatch, server.probe(), server.facts())
    rows = {n: as_known(u) for n, u in by_username(result).items() if u["excluded_by_policy"] is None}
    assert rows == known_accounts(name)
    assert (result.connection["status"], result.warnings) == ("complete", [])


@pytest.mark.parametrize("name", [name for name in SERVERS if name != "mysql-5.7"])
def test_the_administrators_of_aws_are_left_out_as_awss(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    server = SERVERS[name]()
    users = by_username(collect_given(monkeypatch, server.probe(), server.facts()))
    owned = {n: u["principal_class"] for n, u in users.items() if u["excluded_by_policy"]}
    assert owned == {
        "rdsadmin@localhost": "aws-managed",
        "rdsrepladmin@%": "aws-managed",
        "mysql.sys@localhost": "engine",
    }


def test_an_rdsadmin_on_a_server_of_ones_own_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    server = aurora_3()
    server.variables.clear()
    result = collect_given(monkeypatch, server.probe(), server.facts())
    assert [w["text"] for w in result.warnings] == ["Excluded account is an enabled administrator: rdsadmin@localhost"]


@pytest.mark.parametrize("name", SERVERS)
def test_the_product_is_what_the_server_says(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    server = SERVERS[name]()
    product = collect_given(monkeypatch, server.probe(), server.facts()).connection["product"]
    assert product == ("aurora-mysql" if name.startswith("aurora") else "mysql")
