"""The comparison of two reports: entries matched, principals joined, every difference named by its kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dbadmin_assets.review.diff.columns import read_rows
from dbadmin_assets.review.diff.databases import change_of, pairs
from dbadmin_assets.review.diff.model import (
    DATABASE_KINDS,
    PRINCIPAL_KINDS,
    TIERS,
    Comparison,
    DatabaseChange,
    Principal,
    PrincipalChange,
)
from dbadmin_assets.review.diff.principals import differences
from dbadmin_assets.review.diff.sides import side_of
from dbadmin_assets.review.manifest_model import Manifest


class Sealed(NamedTuple):
    """A report to compare: its manifest, or the dict it will be made of, and its `report.parquet`."""

    manifest: Manifest | Mapping[str, Any]
    details: Path


def compare(before: Sealed, after: Sealed) -> Comparison:
    """What changed from one report to a later one.

    Raises:
        RecordError: a parquet file cannot be read, or is none of detail rows.
        ContradictionError: a parquet file and its manifest do not belong together.
    """
    old, new = side_of(before.manifest), side_of(after.manifest)
    every = sorted(pairs(old, new), key=lambda pair: pair.named.key)
    compared = [pair for pair in every if pair.compared]
    was = {pair.before.key: number for number, pair in enumerate(compared) if pair.before}
    now = {pair.after.key: number for number, pair in enumerate(compared) if pair.after}
    found, repeated = differences(read_rows(before.details, old, was), read_rows(after.details, new, now))
    principals = [
        PrincipalChange(tuple(_kinds(one, other)), compared[number], principal_id, one, other)
        for (number, principal_id), one, other in found
    ]
    databases = [change for pair in every if (change := change_of(pair, old, new))]
    return Comparison(
        before=old,
        after=new,
        principals=tuple(sorted(principals, key=_order)),
        databases=tuple(sorted(databases, key=_database_order)),
        compared=len(compared),
        not_compared=tuple(p for p in every if p.before and p.after and p.before.state == p.after.state == "failed"),
        partly_visible=tuple(pair for pair in compared if pair.unseen),
        repeated=tuple((compared[number], principal_id) for number, principal_id in repeated),
    )


def _kinds(before: Principal | None, after: Principal | None) -> Iterator[str]:
    if before is None or after is None:
        yield "added" if before is None else "removed"
        return
    rank = TIERS.index(after.tier) - TIERS.index(before.tier)
    if rank:
        yield "escalated" if rank > 0 else "reduced"
    elif (before.role_name, before.permission_level) != (after.role_name, after.permission_level):
        yield "rights-changed"
    if before.user_status != after.user_status:
        yield "status-changed"
    if before.username != after.username:
        yield "renamed"
    if before.excluded_by_policy != after.excluded_by_policy:
        yield "policy-changed"


def _order(change: PrincipalChange) -> tuple[Any, ...]:
    """By the first kind, then the strongest tier on either side, then as the report is sorted."""
    strongest = max(TIERS.index(side.tier) for side in (change.before, change.after) if side)
    entry = change.pair.named
    place = (entry.account_id, entry.name, change.named.username, entry.region)
    return PRINCIPAL_KINDS.index(change.kinds[0]), -strongest, *place, change.principal_id


def _database_order(change: DatabaseChange) -> tuple[Any, ...]:
    return DATABASE_KINDS.index(change.kinds[0]), change.pair.named.key
