"""Role closure: what is held, by which path, whatever the graph looks like."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from worker_lambda.privileges.closure import reachable

NODES = "abcdef"
graphs = st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=4), max_size=6)
starts = st.sampled_from(NODES)
implicits = st.lists(st.sampled_from(NODES), max_size=2)


def all_paths(start: str, held: Mapping[str, list[str]], implicit: list[str]) -> dict[str, list[tuple[str, ...]]]:
    """Every simple path to every role, by brute force."""
    found: dict[str, list[tuple[str, ...]]] = {}

    def walk(path: tuple[str, ...]) -> None:
        found.setdefault(path[-1], []).append(path)
        for role in held.get(path[-1], []):
            if role != start and role not in path:
                walk((*path, role))

    for role in {*held.get(start, []), *implicit} - {start}:
        walk((role,))
    return found


@given(graphs, starts, implicits)
def test_the_path_is_the_shortest_and_the_first_by_code_point(
    held: dict[str, list[str]], start: str, implicit: list[str]
) -> None:
    expected = {role: min(ways, key=lambda p: (len(p), p)) for role, ways in all_paths(start, held, implicit).items()}
    found = reachable(start, held, implicit)
    assert found == expected
    assert list(found.values()) == sorted(found.values(), key=lambda p: (len(p), p))


@given(graphs, starts)
def test_order_of_grants_does_not_matter(held: dict[str, list[str]], start: str) -> None:
    backwards = {node: list(reversed(roles)) for node, roles in reversed(held.items())}
    assert reachable(start, held) == reachable(start, backwards)


def test_a_chain_of_a_thousand_roles_is_followed_to_its_end() -> None:
    held = {n: [n + 1] for n in range(1_000)}
    assert len(reachable(0, held)[1_000]) == 1_000


def test_a_cycle_ends() -> None:
    assert reachable("a", {"a": ["b"], "b": ["c"], "c": ["a", "b"]}) == {"b": ("b",), "c": ("b", "c")}


@given(graphs, starts, st.sampled_from(NODES), st.sampled_from(NODES))
def test_one_more_grant_takes_no_role_away_and_makes_no_way_longer(
    held: dict[str, list[str]], start: str, grantee: str, role: str
) -> None:
    more = {**held, grantee: [*held.get(grantee, []), role]}
    before, after = reachable(start, held), reachable(start, more)
    assert before.keys() <= after.keys()
    assert all(len(after[node]) <= len(path) for node, path in before.items())


@given(graphs, starts)
def test_what_a_held_role_holds_is_held(held: dict[str, list[str]], start: str) -> None:
    found = reachable(start, held).keys()
    assert all(set(held.get(role, [])) - {start} <= found for role in found)
