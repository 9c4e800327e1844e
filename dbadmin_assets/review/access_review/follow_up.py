"""What became of a review's decisions, as far as a report shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from dbadmin_assets.review.access_review.principals import Principal
from dbadmin_assets.review.attestation_model import Attestation, AttestedRow
from dbadmin_assets.review.manifest_model import Manifest

State = Literal["open", "done", "unknown"]


class Action(NamedTuple):
    """A `remove` or `change`: `open` where the report still shows it as it was, `unknown` where it cannot tell."""

    row: AttestedRow
    state: State


def actions(attestation: Attestation, manifest: Manifest, report: Sequence[Principal]) -> list[Action]:
    """Every decision that asks for something to be done, in the order of the attestation.

    Args:
        manifest: of the report that is looked at, which may be a later one than the attested.
        report: its administrators.
    """
    seen = {
        (target.account_id, target.region, database.name)
        for target in manifest.targets
        for database in target.databases
        if database.status == "complete"
    }
    now: dict[tuple[str, str, str, str], set[tuple[str, str]]] = {}
    for row in report:
        now.setdefault(row.key, set()).add((row.tier, row.role_name))
    return [Action(row, _state(row, now.get(row.key), seen)) for row in attestation.rows if row.decision != "keep"]


def _state(row: AttestedRow, roles: set[tuple[str, str]] | None, seen: set[tuple[str, str, str]]) -> State:
    if roles is None:  # gone is only what would have been seen
        return "done" if row.key[:3] in seen else "unknown"
    if row.decision == "change" and (row.tier, row.role_name) not in roles:
        return "done"
    return "open"


def not_reviewed(attestation: Attestation | None, report: Sequence[Principal]) -> list[Principal]:
    """The administrators that a review says nothing about."""
    known = {row.key for row in attestation.rows} if attestation else set()
    return [row for row in report if row.key not in known]
