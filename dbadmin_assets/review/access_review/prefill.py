"""A sheet's first contents: owners, and what the last review said of the same principals. It confirms nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from dbadmin_assets.review.access_review.cells import Prefilled, SheetRow
from dbadmin_assets.review.access_review.owners import Owners
from dbadmin_assets.review.access_review.principals import Principal
from dbadmin_assets.review.access_review.row_ids import Key, row_ids
from dbadmin_assets.review.attestation_model import Attestation, AttestedRow


def sheet_rows(
    manifest_sha256: str, report: list[Principal], *, owners: Owners | None = None, previous: Attestation | None = None
) -> list[SheetRow]:
    """The rows of a report's sheet.

    Args:
        report: its administrators, in its order.
        owners: wins over the previous review's owner, and that over the inventory's.
        previous: the review to take decisions and comments from.
    """
    before = unique_rows(previous.rows) if previous else {}
    twice = {key for key, number in Counter(row.key for row in report).items() if number > 1}
    reviewed_at = previous.imported_at[:10] if previous else ""
    rows = []
    for name, row in zip(row_ids(manifest_sha256, report), report, strict=True):
        last = None if row.key in twice else before.get(row.key)
        said = _prefilled(row, last, reviewed_at)
        named = owners.of(row) if owners else None
        rows.append(SheetRow(name, row, said if named is None else said._replace(owner=named)))
    return rows


def unique_rows(rows: Iterable[AttestedRow]) -> dict[Key, AttestedRow]:
    """By key, without the keys that two rows have: of these, none can be told from the other in another report."""
    found: dict[Key, AttestedRow] = {}
    twice: set[Key] = set()
    for row in rows:
        if row.key in found:
            twice.add(row.key)
        found[row.key] = row
    return {key: row for key, row in found.items() if key not in twice}


def _prefilled(row: Principal, last: AttestedRow | None, reviewed_at: str) -> Prefilled:
    if last is None:
        return Prefilled(owner=row.owner or "")
    # A reviewer corrected the owner: that stays. Else the inventory's owner of today counts.
    owner = last.owner if last.owner != (last.inventory_owner or "") else row.owner or ""
    changes = [
        f"{what} was {was!r}, is {now!r}"
        for what, was, now in (
            ("name", last.username, row.username),
            ("tier", last.tier, row.tier),
            ("role", last.role_name, row.role_name),
        )
        if was != now
    ]
    if (last.tier, last.role_name) == (row.tier, row.role_name):
        return Prefilled(owner, last.decision, last.comment)
    return Prefilled(owner, "", f"Changed since {last.decision} on {reviewed_at}: {'; '.join(changes)}"[:1000])
