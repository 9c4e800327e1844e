"""A comparison as JSON, for `--json`: raw text (docs/diff.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from dbadmin_assets.review.diff.model import Comparison, Pair, PrincipalChange
from dbadmin_assets.review.diff.table import cautions, database_note, principal_note, summary


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Everything, JSON-ready; raw text."""
    return {
        "changed": comparison.changed,
        "same_scope": comparison.same_scope,
        "counts": comparison.counts(),
        "summary": summary(comparison),
        "compared": comparison.compared,
        "left_out": comparison.left_out,
        "cautions": list(cautions(comparison)),
        "databases": [_database_json(change.pair, change.kinds) for change in comparison.databases],
        "not_compared": [_database_json(pair, ()) for pair in comparison.not_compared],
        "principals": [_principal_json(change) for change in comparison.principals],
    }


def _database_json(pair: Pair, kinds: Sequence[str]) -> dict[str, Any]:
    sides = {name: entry and asdict(entry) for name, entry in (("before", pair.before), ("after", pair.after))}
    return {"kinds": list(kinds), **sides, "note": database_note(pair)}


def _principal_json(change: PrincipalChange) -> dict[str, Any]:
    entry = change.pair.named
    sides = {
        name: side and msgspec.structs.asdict(side)
        for name, side in (("before", change.before), ("after", change.after))
    }
    return {
        "kinds": list(change.kinds), "account_id": entry.account_id, "region": entry.region, "database": entry.name,
        "database_type": entry.type, "username": change.named.username, "principal_id": change.principal_id,
        "excluded_by_policy": change.excluded, "unseen": change.pair.unseen or None, **sides,
        "note": principal_note(change),
    }  # fmt: skip
