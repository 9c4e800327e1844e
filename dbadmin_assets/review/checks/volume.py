"""The check `data_volume`: the report against the last one of its scope, database by database.

Only what both reports have read is compared: a database that failed is red already, a new one has no history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dbadmin_assets.review.checks.judgement import Judgement, named
from dbadmin_assets.review.diff.databases import pairs
from dbadmin_assets.review.diff.sides import DatabaseEntry, side_of
from dbadmin_assets.review.manifest_model import Manifest


@dataclass(frozen=True, slots=True)
class Band:
    """What is alarming: more than so many per cent, and at least `least` users or admins."""

    users_drop_percent: int = 20
    admins_rise_percent: int = 20
    least: int = 5


def data_volume(before: Manifest, after: Manifest, band: Band) -> Judgement:
    """Fewer users or more admins than the band allows, in one database or in all together.

    A database that had users and has none now is an ERROR whatever the band: an empty answer is no answer.
    """
    found = [(p.before, p.after) for p in pairs(side_of(before), side_of(after)) if p.compared]
    compared = sorted(((b, a) for b, a in found if b and a), key=lambda pair: pair[1].key)
    emptied = [_told(b, a, "users") for b, a in compared if b.users and not a.users]
    dropped = [_told(b, a, "users") for b, a in compared if a.users and _dropped(b.users, a.users, band)]
    risen = [_told(b, a, "admins") for b, a in compared if _risen(b.admins, a.admins, band)]
    whole = list(_in_all(compared, band))
    told = [
        *([f"no users any more: {named(emptied)}"] if emptied else []),
        *([f"fewer users: {named(dropped)}"] if dropped else []),
        *([f"more admins: {named(risen)}"] if risen else []),
        *whole,
    ]
    counts = {
        "compared_databases": len(compared),
        "emptied_databases": len(emptied),
        "databases_with_fewer_users": len(dropped),
        "databases_with_more_admins": len(risen),
        "users_before": sum(b.users for b, _ in compared),
        "users_now": sum(a.users for _, a in compared),
        "admins_before": sum(b.admins for b, _ in compared),
        "admins_now": sum(a.admins for _, a in compared),
    }
    said = "; ".join(told) or f"{len(compared)} databases are within the band"
    return Judgement(not told, "ERROR" if emptied else "WARN", said, counts)


def _in_all(compared: Iterable[tuple[DatabaseEntry, DatabaseEntry]], band: Band) -> Iterator[str]:
    """Many small changes, none of which is alarming alone."""
    every = list(compared)
    users = sum(b.users for b, _ in every), sum(a.users for _, a in every)
    admins = sum(b.admins for b, _ in every), sum(a.admins for _, a in every)
    if _dropped(*users, band):
        yield f"in all {users[0]} users before, {users[1]} now"
    if _risen(*admins, band):
        yield f"in all {admins[0]} admins before, {admins[1]} now"


def _dropped(before: int, now: int, band: Band) -> bool:
    return before - now >= band.least and (before - now) * 100 > before * band.users_drop_percent


def _risen(before: int, now: int, band: Band) -> bool:
    return now - before >= band.least and (now - before) * 100 > before * band.admins_rise_percent


def _told(before: DatabaseEntry, after: DatabaseEntry, what: str) -> str:
    return f"{' '.join(after.key)} ({getattr(before, what)} before, {getattr(after, what)} now)"
