"""Which database entry of one report is which of the other, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from dbadmin_assets.review.diff.model import DatabaseChange, Pair
from dbadmin_assets.review.diff.sides import DatabaseEntry, Side

_Identity = tuple[str, str]


def pairs(before: Side, after: Side) -> Iterator[Pair]:
    """Every entry of both reports, once: by key, what is left over by server identity, the rest alone."""
    yield from (Pair(before.entries[key], after.entries[key]) for key in before.entries.keys() & after.entries.keys())
    gone = _by_identity(before.entries[key] for key in before.entries.keys() - after.entries.keys())
    new = _by_identity(after.entries[key] for key in after.entries.keys() - before.entries.keys())
    for identity in gone.keys() | new.keys():
        old, now = gone.get(identity, []), new.get(identity, [])
        if identity is not None and len(old) == len(now) == 1:
            yield Pair(old[0], now[0])
        else:
            yield from (Pair(entry, None) for entry in old)
            yield from (Pair(None, entry) for entry in now)


def _by_identity(entries: Iterable[DatabaseEntry]) -> dict[_Identity | None, list[DatabaseEntry]]:
    found: defaultdict[_Identity | None, list[DatabaseEntry]] = defaultdict(list)
    for entry in entries:
        found[(entry.type, entry.identity) if entry.identity else None].append(entry)
    return found


def change_of(pair: Pair, before: Side, after: Side) -> DatabaseChange | None:
    """What became of one entry; None where nothing did."""
    kinds = tuple(_kinds(pair, before, after))
    return DatabaseChange(kinds, pair) if kinds else None


def _kinds(pair: Pair, before: Side, after: Side) -> Iterator[str]:
    old, new = pair.before, pair.after
    was, now = old.state if old else None, new.state if new else None
    if now == "failed" and was != "failed":
        yield "database-failed"
    if was == "failed" and now != "failed":
        yield "database-failed-before"
    if old is None and new is not None:
        yield "database-appeared" if before.covers(new.account_id, new.region) else "database-not-asked-before"
    if new is None and old is not None:
        yield "database-disappeared" if after.covers(old.account_id, old.region) else "database-not-asked"
    if (was, now) == ("complete", "partial"):
        yield "database-partial"
    if (was, now) == ("partial", "complete"):
        yield "database-complete"
    if now == "excluded" and was != "excluded":
        yield "database-excluded"
    if was == "excluded" and now != "excluded":
        yield "database-included"
    if old and new and old.key != new.key:
        yield "database-renamed"
    if old and new and _another_server(old, new):
        yield "server-changed"


def _another_server(old: DatabaseEntry, new: DatabaseEntry) -> bool:
    """Only where both sides tell: a server that was not reached says nothing of itself."""
    told = old.identity is not None and new.identity is not None and old.identity != new.identity
    return told or old.type != new.type
