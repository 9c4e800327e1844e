"""Real servers are attacked: every tier-0 right takes control of one, and its nearest neighbour is refused.

The whole chain is tried: the account gets one right, the collector judges it, it logs in, acts, and proves control.
"""

from __future__ import annotations

from collections.abc import Iterator

import pymysql
import pytest

from sandbox.engines import Kind, available
from tests.engines import known_server
from tests.worker_lambda.escalation.arena import Arena
from tests.worker_lambda.escalation.cases import ALL, ARE_REFUSED, TAKE_CONTROL, Case
from tests.worker_lambda.escalation.rule_gaps import REFUSED_AT_TIER_0, TAKE_CONTROL_BELOW_TIER_0
from worker_lambda.privileges.mysql_rules import RULES

EVERY_CASE = [*TAKE_CONTROL, *ARE_REFUSED, *REFUSED_AT_TIER_0, *TAKE_CONTROL_BELOW_TIER_0]


def _prepared(kind: Kind) -> Iterator[Arena]:
    """A server of its own: attacks on the shared one would spoil it for other tests."""
    if available(kind).source == "dsn":
        pytest.skip(f"{kind}: only a server that the tests start themselves is attacked")
    for known in known_server(kind):
        arena = Arena(known)
        try:
            for number, case in enumerate(EVERY_CASE):
                if kind in case.engines:
                    arena.create(case, f"account{number}", case.grants, case.kept_from)
            arena.judge()
            yield arena
        finally:
            arena.close()


@pytest.fixture(scope="module")
def mysql() -> Iterator[Arena]:
    """MySQL."""
    yield from _prepared("mysql")


@pytest.fixture(scope="module")
def mariadb() -> Iterator[Arena]:
    """The newest MariaDB."""
    yield from _prepared("mariadb")


@pytest.fixture(scope="module")
def mariadb_10_11() -> Iterator[Arena]:
    """MariaDB 10.11."""
    yield from _prepared("mariadb-10.11")


FIXTURES = {"mysql": "mysql", "mariadb": "mariadb", "mariadb-10.11": "mariadb_10_11"}


@pytest.fixture
def arena(kind: Kind, request: pytest.FixtureRequest) -> Iterator[Arena]:
    """The engine's server, put back afterwards."""
    found = request.getfixturevalue(FIXTURES[kind])
    assert isinstance(found, Arena)
    try:
        yield found
    finally:
        found.restore()
        assert found.changed_tables() == []


def on_each_engine(cases: list[Case]) -> pytest.MarkDecorator:
    """A test for each case and each engine that has the right."""
    pairs = [(kind, case) for kind in ALL for case in cases if kind in case.engines]
    return pytest.mark.parametrize(("kind", "case"), pairs, ids=[f"{kind}-{case.name}" for kind, case in pairs])


@on_each_engine(TAKE_CONTROL)
def test_a_right_judged_tier_0_takes_control(arena: Arena, case: Case) -> None:
    verdict = arena.verdict(case)
    assert (verdict["tier"], verdict["permission_level"]) == ("0", "Admin")
    assert case.reason in verdict["role_name"] if case.reason else verdict["rule_id"] == case.rule
    attacker = arena.accounts[case]
    if not case.reason:  # an ADMIN OPTION brings the role itself
        with pytest.raises(pymysql.MySQLError):
            arena.prove_control(attacker)
    arena.prove_control(case.attack(arena, attacker))


@on_each_engine(ARE_REFUSED)
def test_its_nearest_neighbour_is_refused_and_judged_below_tier_0(arena: Arena, case: Case) -> None:
    assert arena.verdict(case)["tier"] in ("1", "2", "none")
    assert_refused(arena, case)


@on_each_engine(REFUSED_AT_TIER_0)
def test_a_right_judged_tier_0_out_of_caution_is_refused(arena: Arena, case: Case) -> None:
    assert (arena.verdict(case)["tier"], arena.verdict(case)["rule_id"]) == ("0", case.rule)
    assert_refused(arena, case)


@on_each_engine(TAKE_CONTROL_BELOW_TIER_0)
def test_a_right_judged_below_tier_0_takes_control_all_the_same(arena: Arena, case: Case) -> None:
    assert arena.verdict(case)["tier"] in ("1", "2", "none")  # else it belongs among the others
    arena.prove_control(case.attack(arena, arena.accounts[case]))


def test_every_tier_0_rule_is_exercised_or_says_why_not() -> None:
    exercised = {case.rule for case in TAKE_CONTROL}
    assert exercised == {rule.id for rule in RULES.values() if rule.tier == "0" and not rule.untested}


def assert_refused(arena: Arena, case: Case) -> None:
    """The same attack, refused with the server's error number; nobody has got anything."""
    attacker = arena.accounts[case]
    with pytest.raises(pymysql.MySQLError) as refused:
        arena.prove_control(case.attack(arena, attacker))
    assert refused.value.args[0] == case.refusal
    with pytest.raises(pymysql.MySQLError):
        arena.prove_control(attacker)
    assert arena.changed_tables() == list(case.writes)
