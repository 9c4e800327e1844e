"""Which roles a principal holds, directly or through others, and by which path. Pure, for any engine."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def reachable(
    start: Node,
    held: Mapping[Node, Iterable[Node]],
    implicit: Iterable[Node] = (),
) -> dict[Node, tuple[Node, ...]]:
    """Everything that `start` holds, with the path to it.

    Breadth first, so a path is a shortest one; among equally short paths the first by code point, node by node
    (nodes must be orderable: account tuples, names). Cycles end where they meet what was already reached.

    Args:
        start: an account or a role.
        held: for each node the roles granted to it directly.
        implicit: roles that `start` holds without a grant (mandatory roles, PUBLIC), as if granted directly.

    Returns:
        role -> path, from the directly held role to that role itself; `start` is in neither. Ordered by length of
        path, then by path.
    """
    paths: dict[Node, tuple[Node, ...]] = {}
    frontier: list[tuple[Node, ...]] = []
    for role in _sorted({*held.get(start, ()), *implicit} - {start}):
        paths[role] = (role,)
        frontier.append((role,))
    while frontier:
        following: list[tuple[Node, ...]] = []
        # The frontier is in path order, so the first path to reach a role is the first by code point, too.
        for path in frontier:
            for role in _sorted(held.get(path[-1], ())):
                if role != start and role not in paths:
                    paths[role] = (*path, role)
                    following.append(paths[role])
        frontier = following
    return paths


def _sorted(nodes: Iterable[Node]) -> list[Node]:
    return sorted(nodes)  # type: ignore[type-var]  # Hashable says nothing of order; the docstring does
