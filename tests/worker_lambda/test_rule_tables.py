"""Both engines' rule tables: what every line owes its reader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from worker_lambda.privileges import mysql_rules, sqlserver_rules
from worker_lambda.privileges.rule import Rule

ROOT = Path(__file__).resolve().parents[2]
TABLES = {"mysql": mysql_rules.RULES, "mssql": sqlserver_rules.RULES}
ALL = [rule for rules in TABLES.values() for rule in rules.values()]


@pytest.mark.parametrize("rule", ALL, ids=[rule.id for rule in ALL])
def test_a_rule_says_what_it_matches_why_and_who_says_so(rule: Rule) -> None:
    assert rule.id.partition(".")[0] in TABLES
    assert rule.sentence.endswith(".")
    assert all(text == text.strip() and text for text in (rule.label, rule.matches, rule.source))


@pytest.mark.parametrize("engine", TABLES)
def test_rules_stand_in_the_order_of_their_tiers(engine: str) -> None:
    rules = list(TABLES[engine].values())
    assert [rule.order for rule in rules] == list(range(len(rules)))
    assert [rule.tier for rule in rules] == sorted(rule.tier for rule in rules)


def test_the_documents_made_from_the_tables_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, "-m", "docs.generate", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
