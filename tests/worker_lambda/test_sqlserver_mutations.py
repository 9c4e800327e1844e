"""Each SQL Server rule, spoilt in turn, changes a row of the table of expected rows: no rule is there untested."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from sandbox.tds.versions import ROLES_OF_2022
from tests.worker_lambda.sqlserver_expected import changed, expected
from worker_lambda.privileges import sqlserver
from worker_lambda.privileges import sqlserver_rules as rules
from worker_lambda.privileges.sqlserver_holdings import Holding
from worker_lambda.privileges.sqlserver_tiers import Tiers

DECIDING = [rule_id for rule_id, rule in rules.RULES.items() if rule.tier != "none"]
# What is said of a principal for whom no rule matches; mssql.user is what remains, so it cannot be switched off.
KINDS = {"mssql.group": ("G", "X"), "mssql.certificate-or-key": ("C", "K")}
OTHER_TIER = {"0": "1", "1": "2", "2": "1", "none": "2"}
RIGHTS = [
    "CONTROL SERVER", "IMPERSONATE ANY LOGIN", "UNSAFE ASSEMBLY", "ALTER ANY LOGIN", "ALTER ANY SERVER ROLE",
    "ALTER ANY DATABASE", "ALTER ANY SERVER AUDIT",
]  # fmt: skip
MANAGERS = [role for role in ROLES_OF_2022 if role.endswith("Manager##")]


def changed_words() -> list[str]:
    """Rows of the table that no longer have the tier and the label of their rule."""
    return [
        row[0]
        for rows in expected().values()
        for row in rows
        if (row[1], row[4].partition(" (")[0]) != (rules.RULES[row[2]].tier, rules.RULES[row[2]].label)
    ]


def spoil(monkeypatch: pytest.MonkeyPatch, rule_id: str, **changes: Any) -> None:
    """Put a changed rule into every table that names it."""
    spoilt = replace(rules.RULES[rule_id], **changes)
    for table in (rules.FIXED_SERVER_ROLES, rules.FIXED_DATABASE_ROLES):
        for name in [name for name, rule in table.items() if rule.id == rule_id]:
            monkeypatch.setitem(table, name, spoilt)
    monkeypatch.setitem(rules.RULES, rule_id, spoilt)


def test_without_a_mutation_nothing_changes() -> None:
    assert (changed(), changed_words()) == ([], [])


@pytest.mark.parametrize("rule_id", DECIDING)
def test_another_tier_of_a_rule_changes_a_row(rule_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, rule_id, tier=OTHER_TIER[rules.RULES[rule_id].tier])

    assert changed() and changed_words()


@pytest.mark.parametrize("rule_id", DECIDING)
def test_another_label_of_a_rule_changes_a_row(rule_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, rule_id, label="Grand Vizier")

    assert changed() and changed_words()


@pytest.mark.parametrize("change", [{"tier": "2"}, {"label": "Grand Vizier"}], ids=["tier", "label"])
@pytest.mark.parametrize("rule_id", sorted(rules.RULES.keys() - set(DECIDING)))
def test_a_rule_without_a_tier_says_what_its_rows_say(
    rule_id: str, change: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, rule_id, **change)

    assert changed_words()


@pytest.mark.parametrize("rule_id", DECIDING)
def test_a_rule_that_is_switched_off_changes_a_row(rule_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Tiers._counting

    def without(self: Tiers, holdings: Iterable[Holding], principal: int | None) -> Iterable[Holding]:
        return [h for h in original(self, holdings, principal) if h.rule.id != rule_id]

    monkeypatch.setattr(Tiers, "_counting", without)

    assert changed()


@pytest.mark.parametrize("rule_id", KINDS)
def test_a_kind_that_is_not_told_apart_changes_a_row(rule_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = sqlserver._wording
    monkeypatch.setattr(
        sqlserver, "_wording", lambda kind, verdict: original("S" if kind in KINDS[rule_id] else kind, verdict)
    )

    assert changed()


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (table, name)
        for table in ("FIXED_SERVER_ROLES", "FIXED_DATABASE_ROLES", "RIGHTS_OF_FIXED_ROLES")
        for name in getattr(rules, table)
    ],
)
def test_a_role_that_is_no_longer_recognised_changes_a_row(
    table: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(getattr(rules, table), name)

    assert changed()


@pytest.mark.parametrize("role", MANAGERS)
def test_a_manager_role_that_is_no_longer_recognised_changes_a_row(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = rules.server_role_rule
    monkeypatch.setattr(rules, "server_role_rule", lambda name: None if name == role else original(name))

    assert changed()


@pytest.mark.parametrize("right", [*RIGHTS, "any, with grant option"])
def test_a_right_that_is_no_longer_recognised_changes_a_row(right: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = rules.server_right_rule

    def spoilt(name: str, *, with_grant: bool) -> rules.Rule | None:
        rule = original(name, with_grant=with_grant)
        unknown = name == right or (right not in RIGHTS and rule is not None and rule.id == "mssql.with-grant")
        return None if unknown else rule

    monkeypatch.setattr(rules, "server_right_rule", spoilt)

    assert changed()
