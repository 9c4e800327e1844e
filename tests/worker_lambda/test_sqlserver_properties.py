"""What holds of the SQL Server evaluation for any catalogue: more rights never make less, order says nothing, cycles
end."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.recorded import MASTERS, RECORDED
from worker_lambda.privileges.sqlserver import Evaluation, evaluate
from worker_lambda.privileges.sqlserver_catalogue import parse
from worker_lambda.privileges.sqlserver_tiers import Tiers

NOW = "2024-01-15T14:22:33Z"
Sentence = tuple[str, ...]

LOGINS = ("ann", "ben", "cid", "CORP\\dee")
ROLES = ("r1", "r2", "r3")
DATABASES = ("plain", "believed")
FIXED = ("sysadmin", "securityadmin", "serveradmin")
RIGHTS = ("CONTROL SERVER", "IMPERSONATE ANY LOGIN", "ALTER ANY SERVER ROLE", "UNSAFE ASSEMBLY", "VIEW SERVER STATE")
PASSWORD_RIGHTS = ("ALTER ANY LOGIN",)

_holders = st.sampled_from((*LOGINS, *ROLES, "public"))
_grants = st.sampled_from(("G", "W"))
memberships = st.one_of(
    st.tuples(st.just("member"), st.sampled_from((*FIXED, *ROLES)), st.sampled_from((*LOGINS, *ROLES))),
    st.tuples(
        st.just("database_member"), st.sampled_from(DATABASES), st.sampled_from(("db_owner", "r")),
        st.sampled_from((*LOGINS, "r")),
    ),
)  # fmt: skip


def rights(server_rights: tuple[str, ...], states: st.SearchStrategy[str]) -> st.SearchStrategy[Sentence]:
    """GRANT or DENY sentences on the server, on a login or role, on a database."""
    return st.one_of(
        st.tuples(st.just("grant"), st.sampled_from(server_rights), _holders, states),
        st.tuples(
            st.just("grant_on"), st.sampled_from(("IMPERSONATE", "CONTROL", "ALTER")), _holders, states,
            st.sampled_from((*LOGINS, *ROLES, "sa")),
        ),
        st.tuples(
            st.just("database_grant"), st.sampled_from(DATABASES), st.just("CONTROL"), st.sampled_from((*LOGINS, "r")),
            states,
        ),
    )  # fmt: skip


grants = rights(RIGHTS, _grants)
all_grants = rights(RIGHTS + PASSWORD_RIGHTS, _grants)
denies = rights(RIGHTS + PASSWORD_RIGHTS, st.just("D"))


def many(*sentences: st.SearchStrategy[Sentence]) -> st.SearchStrategy[list[Sentence]]:
    """Up to twelve sentences."""
    return st.lists(st.one_of(*sentences), max_size=12)


def built(sentences: list[Sentence]) -> ServerBuilder:
    """A server of four logins, three roles (one owned by a login) and two databases, about which that is said."""
    server = ServerBuilder()
    for login in LOGINS:
        server.login(login, "U" if "\\" in login else "S")
    server.role("r1").role("r2", owner="ann").role("r3")
    for database in DATABASES:
        server.database(database, owner="ben", trustworthy=database == "believed").database_role(database, "r")
        for login in LOGINS:
            if login != "ben":
                server.user(database, login)
        server.user(database, "ben", login="nobody")
    for kind, *words in sentences:
        if kind == "grant_on":
            right, to, state, on = words
            server.grant(right, to, state, on=on)  # type: ignore[arg-type]
        else:
            getattr(server, kind)(*words)
    return server


def judged(sentences: list[Sentence]) -> Evaluation:
    return evaluate(parse(built(sentences).build().as_child_output()), "db", NOW)


def tiers(sentences: list[Sentence]) -> dict[str, str]:
    """Login to tier; 0 is highest and sorts first, none last."""
    return {u["username"]: u["tier"] for u in judged(sentences).users}


def fallen(before: list[Sentence], added: Sentence) -> list[str]:
    """Logins whom the added sentence makes less."""
    old, new = tiers(before), tiers([*before, added])
    return [login for login in old if new[login] > old[login]]


@settings(deadline=None)
@given(many(memberships, grants), st.one_of(memberships, grants))
def test_one_more_membership_or_grant_never_makes_anybody_less(before: list[Sentence], added: Sentence) -> None:
    assert fallen(before, added) == []


@settings(deadline=None)
@given(many(memberships, grants, denies), grants)
def test_one_more_grant_never_makes_anybody_less_where_there_are_denies(
    before: list[Sentence], added: Sentence
) -> None:
    assert fallen(before, added) == []


@settings(deadline=None)
@given(many(memberships, grants, denies), denies)
def test_a_deny_never_makes_anybody_more(before: list[Sentence], added: Sentence) -> None:
    # Nobody here has ALTER ANY LOGIN: whom a DENY of CONTROL SERVER no longer protects, that right could reach.
    old, new = tiers(before), tiers([*before, added])

    assert all(new[login] >= old[login] for login in old)


def protected(sentences: list[Sentence]) -> set[str]:
    """Logins whose password ALTER ANY LOGIN does not suffice to set."""
    rules = {"mssql.sysadmin", "mssql.control-server"}
    server = parse(built(sentences).build().as_child_output())
    holdings = {p.name: Tiers(server).of_principal(p).holdings for p in server.principals.values()}
    return {name for name, held in holdings.items() if rules & {h.rule.id for h in held}}


@settings(deadline=None)
@given(many(memberships, all_grants), st.one_of(memberships, all_grants))
@example(
    before=[("member", "securityadmin", "ann"), ("grant", "ALTER ANY LOGIN", "cid", "G")],
    added=("member", "sysadmin", "ann"),
)
def test_only_a_newly_protected_administrator_makes_a_holder_of_alter_any_login_less(
    before: list[Sentence], added: Sentence
) -> None:
    if fallen(before, added):
        newly = protected([*before, added]) - protected(before)
        assert any(tiers(before)[login] == "0" for login in newly - {*ROLES, "public"})


def test_an_administrator_who_becomes_protected_ends_the_reach_of_alter_any_login() -> None:
    before: list[Sentence] = [("member", "securityadmin", "ann"), ("grant", "ALTER ANY LOGIN", "cid", "G")]

    assert fallen(before, ("member", "sysadmin", "ann")) == ["cid"]


def shuffled(output: dict[str, Any], order: random.Random) -> dict[str, Any]:
    """The same answers with their rows, and the databases, in another order."""
    for tables in [output["tables"], *(item["tables"] for item in output["databases"] if item["tables"])]:
        for table in tables.values():
            order.shuffle(table["rows"])
    order.shuffle(output["databases"])
    return output


def told(evaluation: Evaluation) -> tuple[list[Any], list[Any]]:
    return list(evaluation.users), list(evaluation.warnings)


@settings(deadline=None)
@given(many(memberships, all_grants, denies), st.randoms(use_true_random=False))
def test_the_order_of_rows_says_nothing(sentences: list[Sentence], order: random.Random) -> None:
    output = built(sentences).build().as_child_output()

    assert told(evaluate(parse(shuffled(output, order)), "db", NOW)) == told(judged(sentences))


@settings(deadline=None, max_examples=10)
@given(st.randoms(use_true_random=False))
@pytest.mark.parametrize("name", RECORDED)
def test_the_order_of_rows_of_a_recorded_server_says_nothing(name: str, order: random.Random) -> None:
    expected = evaluate(parse(RECORDED[name]().as_child_output()), "db", NOW, MASTERS.get(name))
    output = shuffled(RECORDED[name]().as_child_output(), order)

    assert told(evaluate(parse(output), "db", NOW, MASTERS.get(name))) == told(expected)


@settings(deadline=None)
@given(many(memberships, all_grants))
def test_a_ring_of_roles_and_of_impersonation_ends_and_no_path_goes_twice_through_one(
    sentences: list[Sentence],
) -> None:
    ring: list[Sentence] = [("member", "r1", "r2"), ("member", "r2", "r3"), ("member", "r3", "r1")]
    ring += [("grant_on", "IMPERSONATE", a, "G", b) for a, b in zip(LOGINS, LOGINS[1:] + LOGINS[:1], strict=True)]
    server = parse(built([*ring, *sentences]).build().as_child_output())
    judge = Tiers(server)

    for principal in server.principals.values():
        for holding in judge.of_principal(principal).holdings:
            assert len(set(holding.path)) == len(holding.path)
    found = {judge.of_principal(p).tier == "0" for p in server.principals.values() if p.name in LOGINS}
    assert len(found) == 1  # whoever is in a ring of impersonation is what anybody in it is
