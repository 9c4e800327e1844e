"""A comparison as a table and as one line. The table is `changes.csv` and the workbook's sheet (docs/formats.md).

A table that says nothing must not be taken for "nothing changed": what could not be compared is a row, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dbadmin_assets.review.consolidate import Writable
from dbadmin_assets.review.csv_cells import LINE_END, neutral, quoted
from dbadmin_assets.review.diff.model import (
    DATABASE_KINDS,
    PRINCIPAL_KINDS,
    Comparison,
    Pair,
    PrincipalChange,
)
from dbadmin_assets.review.diff.sides import DatabaseEntry

COLUMNS = (
    "Change", "Account ID", "Region", "Database Name", "Database Type", "Username", "Tier Before", "Tier After",
    "Role Name Before", "Role Name After", "Permission Level Before", "Permission Level After", "User Status Before",
    "User Status After", "Excluded By Policy", "Access Path After", "Principal ID", "Note",
)  # fmt: skip
_BOM = "\ufeff"
_UNSEEN = {
    "before": "only partly visible before",
    "after": "only partly visible now",
    "both": "only partly visible both times",
}

Row = tuple[str, ...]


def words(kind: str) -> str:
    """A kind as people read it: `status changed`, `failed`."""
    return kind.removeprefix("database-").replace("-", " ")


def rows(comparison: Comparison, *, note: str) -> Iterator[Row]:
    """The table's rows, each as wide as COLUMNS, raw text: notes, what was not compared, databases, principals.

    Args:
        note: what was compared with what.
    """
    yield note_row(f"{note}; {comparison.compared} databases were read in both")
    for text in cautions(comparison):
        yield note_row(text)
    yield from (_database_row("not-compared", pair) for pair in comparison.not_compared)
    yield from (_database_row("; ".join(change.kinds), change.pair) for change in comparison.databases)
    yield from map(_principal_row, comparison.principals)


def note_row(text: str) -> Row:
    """A row that is no change but says something about the table."""
    return ("note", *[""] * (len(COLUMNS) - 2), text)


def cautions(comparison: Comparison) -> Iterator[str]:
    """What a reader must know before relying on the rows."""
    if comparison.left_out:
        yield f"{comparison.left_out} other changes are left out here"
    if not comparison.same_scope:
        yield "the two reports were asked for different scopes"
    for pair in comparison.partly_visible:
        who = "missing principals may only be unseen"
        yield f"{_place(pair.named)}: {_UNSEEN[pair.unseen]}: {who}"
    for pair, principal_id in comparison.repeated:
        yield f"{_place(pair.named)}: {principal_id} stands there more than once in one report"


def database_note(pair: Pair) -> str:
    """Both reports' word on a database: `before: complete, 12 users, 3 admins; now: failed: Connection Failed: …`."""
    before, after = pair.before, pair.after
    moved = f" as {_place(before)}" if before and after and before.key != after.key else ""
    return f"before{moved}: {_state(before)}; now: {_state(after)}"


def principal_note(change: PrincipalChange) -> str:
    """What else there is to say of a principal: its name before, what could not be seen."""
    told = []
    if change.before and change.after and change.before.username != change.after.username:
        told.append(f"was {change.before.username}")
    missing = {"added": "before", "removed": "after"}.get(change.kinds[0])
    if missing and change.pair.unseen in (missing, "both"):
        told.append(f"may only have been unseen: {_UNSEEN[missing]}")
    elif change.pair.unseen:
        told.append(_UNSEEN[change.pair.unseen])
    return "; ".join(told)


def summary(comparison: Comparison) -> str:
    """`3 added, 1 removed, 1 escalated; 1 database failed`."""
    counts = comparison.counts()
    people = [f"{counts[kind]} {words(kind)}" for kind in PRINCIPAL_KINDS if counts[kind]]
    databases = [
        f"{counts[kind]} database{'s' * (counts[kind] != 1)} {_DATABASE_WORDS.get(kind, words(kind))}"
        for kind in DATABASE_KINDS
        if counts[kind]
    ]
    if counts["database-appeared"]:
        new = [c.pair.named.admins for c in comparison.databases if "database-appeared" in c.kinds]
        databases.append(f"{sum(new)} admins in what appeared")
    if comparison.not_compared:
        databases.append(f"{len(comparison.not_compared)} not compared, failed both times")
    if not people:
        nobody = f"no principal changed in the {comparison.compared} databases that both have read"
        people = [f"no principal shown, {comparison.left_out} changes left out" if comparison.left_out else nobody]
    told = [", ".join(part) for part in (people, databases) if part]
    return "; ".join(told)


_DATABASE_WORDS = {
    "database-not-asked": "not asked for now",
    "database-not-asked-before": "not asked for before",
    "database-partial": "became partial",
    "database-complete": "became complete",
    "database-included": "not excluded any more",
    "server-changed": "on another server",
}


def write_csv(out: Writable, table: Iterable[Sequence[str]]) -> None:
    """The table as a file that a spreadsheet opens: cells harmless, UTF-8 with BOM, CRLF, a header."""
    out.write(_BOM.encode())
    for row in (COLUMNS, *table):
        out.write((",".join(quoted(neutral(cell)) for cell in row) + LINE_END).encode())


def _database_row(kinds: str, pair: Pair) -> Row:
    entry = pair.named
    blank = [""] * (len(COLUMNS) - 6)
    return (kinds, *entry.key, entry.type, *blank, database_note(pair))


def _principal_row(change: PrincipalChange) -> Row:
    entry, before, after = change.pair.named, change.before, change.after
    both: list[str] = []
    for name in ("tier", "role_name", "permission_level", "user_status"):
        both += ["" if side is None else str(getattr(side, name)) for side in (before, after)]
    excluded = next((s.excluded_by_policy for s in (after, before) if s and s.excluded_by_policy is not None), "")
    return (
        "; ".join(change.kinds), *entry.key, entry.type, change.named.username, *both, excluded,
        after.access_path if after else "", change.principal_id, principal_note(change),
    )  # fmt: skip


def _place(entry: DatabaseEntry) -> str:
    return " ".join(entry.key)


def _state(entry: DatabaseEntry | None) -> str:
    if entry is None:
        return "not in the report"
    numbers = f", {entry.users} users, {entry.admins} admins" if entry.has_data else ""
    return f"{entry.state}{numbers}" + (f": {entry.said}" if entry.said else "")
