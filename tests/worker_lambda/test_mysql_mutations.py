"""A rule that is changed, renamed or switched off changes what is said of a known account: the fixture would notice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.engines import KnownServer
from tests.worker_lambda.mysql_reading import catalogue_of
from worker_lambda.privileges import mysql, mysql_rules
from worker_lambda.privileges.mysql_catalogue import Account, Catalogue, Principal, RoleEdge
from worker_lambda.privileges.mysql_rights import Right
from worker_lambda.privileges.rule import Rule

# MySQL 8.0 and 8.1 only; the engines here have its successor SET_ANY_DEFINER. And AWS's role.
OLD_DEFINER, AWS_ROLE = Principal("old_definer", "%"), Principal(mysql_rules.RDS_SUPERUSER_ROLE, "%")


def by_hand() -> Catalogue:
    """What no engine here can hold: one account each."""
    role = Account(AWS_ROLE, frozenset(), False, "caching_sha2_password", True, True)
    master = replace(role, principal=Principal("admin", "%"), locked=False, password_expired=False)
    definer = replace(master, principal=OLD_DEFINER, privileges=frozenset({"SET_USER_ID"}))
    return Catalogue("mysql", (8, 0, 36), (role, master, definer), edges=(RoleEdge(AWS_ROLE, master.principal, True),))


@pytest.fixture(scope="module")
def catalogues(
    mysql_server: KnownServer, mariadb_server: KnownServer, mariadb_10_11_server: KnownServer
) -> list[Catalogue]:
    servers = (mysql_server, mariadb_server, mariadb_10_11_server)
    return [*(catalogue_of(server) for server in servers), by_hand()]


def said(catalogues: Iterable[Catalogue]) -> list[dict[Principal, tuple[str, ...]]]:
    """Tier, rule, path and wording of every account."""
    return [
        {
            who: (v.rule.tier, v.rule.id, v.rule.label, v.access_path, v.role_name, v.permission_level)
            for who, v in mysql.evaluate(catalogue).items()
        }
        for catalogue in catalogues
    ]


def with_rule(monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    monkeypatch.setitem(mysql_rules.RULES, rule.id, rule)
    for name in ("LIMITED", "USAGE"):
        if getattr(mysql_rules, name).id == rule.id:
            monkeypatch.setattr(mysql_rules, name, rule)


@pytest.mark.parametrize("rule_id", mysql_rules.RULES)
def test_another_tier_of_a_rule_shows(
    catalogues: list[Catalogue], monkeypatch: pytest.MonkeyPatch, rule_id: str
) -> None:
    rule, before = mysql_rules.RULES[rule_id], said(catalogues)
    with_rule(monkeypatch, replace(rule, tier="1" if rule.tier == "0" else "0"))
    assert said(catalogues) != before


# Never names a row: who may grant a tier-0 role holds it, and the role's own right comes first.
@pytest.mark.parametrize("rule_id", [rule_id for rule_id in mysql_rules.RULES if rule_id != "mysql.admin-option"])
def test_another_name_of_a_rule_shows(
    catalogues: list[Catalogue], monkeypatch: pytest.MonkeyPatch, rule_id: str
) -> None:
    before = said(catalogues)
    with_rule(monkeypatch, replace(mysql_rules.RULES[rule_id], label="X"))
    assert said(catalogues) != before


@pytest.mark.parametrize("rule_id", [rule_id for rule_id, rule in mysql_rules.RULES.items() if rule.tier != "none"])
def test_a_rule_that_is_switched_off_shows(
    catalogues: list[Catalogue], monkeypatch: pytest.MonkeyPatch, rule_id: str
) -> None:
    before = said(catalogues)
    own_rights, derived = mysql.own_rights, mysql._derived

    def fewer(*arguments: Any) -> dict[Principal, set[Right]]:
        return {w: {r for r in rights if r.rule.id != rule_id} for w, rights in own_rights(*arguments).items()}

    def fewer_derived(*arguments: Any) -> Iterator[tuple[Principal, Right]]:
        return ((who, right) for who, right in derived(*arguments) if right.rule.id != rule_id)

    monkeypatch.setattr(mysql, "own_rights", fewer)
    monkeypatch.setattr(mysql, "_derived", fewer_derived)
    assert said(catalogues) != before


@pytest.mark.parametrize("privilege", mysql_rules.RULE_OF_PRIVILEGE)
def test_a_privilege_that_no_rule_knows_any_more_shows(
    catalogues: list[Catalogue], monkeypatch: pytest.MonkeyPatch, privilege: str
) -> None:
    before = said(catalogues)
    monkeypatch.delitem(mysql_rules.RULE_OF_PRIVILEGE, privilege)
    assert said(catalogues) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda m, p: m.setattr(mysql_rules, "TABLE_WRITES", mysql_rules.TABLE_WRITES - {p}),
        lambda m, p: m.setattr(mysql_rules, "SCOPED_GLOBAL", mysql_rules.SCOPED_GLOBAL - {p}),
    ],
    ids=["TABLE_WRITES", "SCOPED_GLOBAL"],
)
@pytest.mark.parametrize("privilege", sorted(mysql_rules.TABLE_WRITES))
def test_a_write_that_does_not_count_any_more_shows(
    catalogues: list[Catalogue],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[pytest.MonkeyPatch, str], None],
    privilege: str,
) -> None:
    before = said(catalogues)
    change(monkeypatch, privilege)
    assert said(catalogues) != before
