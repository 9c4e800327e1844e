"""Any two reports: the comparison by column against a slow one in plain Python; and files that are no report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbadmin_assets.review.detail import COLUMNS, SCHEMA
from dbadmin_assets.review.diff import Comparison, Sealed, compare
from dbadmin_assets.review.errors import ContradictionError, RecordError
from tests.dbadmin_assets.review.samples import ACCOUNT, AS_OF, REGION

PERSON = ("username", "tier", "role_name", "permission_level", "user_status", "excluded_by_policy")
STRENGTH = {"none": 0, "2": 1, "1": 2, "0": 3}
MIRRORED = {
    "added": "removed", "escalated": "reduced", "database-failed": "database-failed-before",
    "database-appeared": "database-disappeared", "database-partial": "database-complete",
    "database-excluded": "database-included", "database-not-asked": "database-not-asked-before",
}  # fmt: skip
MIRRORED |= {other: one for one, other in MIRRORED.items()}


@dataclass
class Db:
    """What one report says of a database; `rows`: principal id and the values of PERSON."""

    state: str
    identity: str | None = None
    rows: list[tuple[str, tuple[str | None, ...]]] = field(default_factory=list)


Report = dict[str, Db]


def sealed(report: Report, path: Path) -> Sealed:
    """The parquet file, and as much of a manifest as a comparison reads."""
    rows = []
    for name, db in report.items():
        place = {"account_id": ACCOUNT, "region": REGION, "database_name": name}
        rows += [{**place, "principal_id": key, **dict(zip(PERSON, row, strict=True))} for key, row in db.rows]
    table = pa.Table.from_pylist(rows, schema=pa.schema([f for f in SCHEMA if f.name in COLUMNS]))
    table = table.set_column(
        COLUMNS.index("access_path"), "access_path", pa.array([""] * table.num_rows, pa.string())
    )  # fmt: skip
    pq.write_table(table, path, row_group_size=3)
    target = {
        "accountId": ACCOUNT, "region": REGION,
        "databases": [
            {"name": name, "databaseType": "MySQL", "status": db.state, "reason": None, "detail": None,
             "warning": None, "serverIdentity": db.identity, "admins": 0,
             "users": sum(row[-1] is None for _, row in db.rows)}
            for name, db in report.items() if db.state != "excluded"
        ],
        "excluded": [
            {"name": name, "databaseType": "MySQL", "reason": "no"} for name, db in report.items()
            if db.state == "excluded"
        ],
    }  # fmt: skip
    scope = {"full": True, "accounts": [], "regions": [], "flat": False}
    facts = {"endedAt": AS_OF, "collectionId": "c", "complete": True, "scope": scope, "requests": []}
    return Sealed({**facts, "targets": [target]}, path)


# --- the slow one -------------------------------------------------------------------------------


def slow_matches(before: Report, after: Report) -> Iterator[tuple[str | None, str | None]]:
    gone, new = [n for n in before if n not in after], [n for n in after if n not in before]
    yield from ((name, name) for name in before if name in after)
    for name in gone:
        identity = before[name].identity
        same = [n for n in new if identity and after[n].identity == identity]
        alone = len([n for n in gone if before[n].identity == identity]) == 1 == len(same)
        yield name, same[0] if alone else None
        if alone:
            new.remove(same[0])
    yield from ((None, name) for name in new)


def slow_principals(before: Report, after: Report) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for one, other in slow_matches(before, after):
        if one is None or other is None:
            continue
        old, new = before[one], after[other]
        if {old.state, new.state} <= {"complete", "partial"}:
            for key in {k for k, _ in old.rows} | {k for k, _ in new.rows}:
                was, now = ([r for k, r in db.rows if k == key] for db in (old, new))
                for row in list(was):
                    if row in now:
                        was.remove(row)
                        now.remove(row)
                order = {"key": lambda r: (-STRENGTH[r[1]], [v for v in r if v is not None])}
                for a, b in zip_longest(sorted(was, **order), sorted(now, **order)):
                    found[other, key, a, b, slow_kinds(a, b)] += 1
    return found


def slow_kinds(a: Any, b: Any) -> frozenset[str]:
    if a is None or b is None:
        return frozenset({"added"} if a is None else {"removed"})
    kinds = set()
    if STRENGTH[b[1]] > STRENGTH[a[1]]:
        kinds.add("escalated")
    if STRENGTH[b[1]] < STRENGTH[a[1]]:
        kinds.add("reduced")
    if b[1] == a[1] and b[2:4] != a[2:4]:
        kinds.add("rights-changed")
    for place, kind in ((0, "renamed"), (4, "status-changed"), (5, "policy-changed")):
        if a[place] != b[place]:
            kinds.add(kind)
    return frozenset(kinds)


# --- any two reports ----------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "A", "é", "=1", "a\x00b", ""])
PEOPLE = st.tuples(
    NAMES, st.sampled_from(list(STRENGTH)), st.sampled_from(["r", "s"]), st.sampled_from(["Admin", "User"]),
    st.sampled_from(["Active", "Locked"]), st.sampled_from([None, None, "sa", ""]),
)  # fmt: skip
ROWS = st.lists(st.tuples(NAMES, PEOPLE), max_size=6)
IDENTITY = st.sampled_from([None, "i", "j"])
DBS = st.one_of(
    st.builds(Db, st.sampled_from(["complete", "partial"]), IDENTITY, ROWS),
    st.builds(Db, st.sampled_from(["failed", "excluded"])),
)
REPORTS = st.dictionaries(st.sampled_from(["db1", "db2", "db3", "db4"]), DBS, max_size=4)


def both_ways(tmp: Path, before: Report, after: Report) -> tuple[Comparison, Comparison]:
    one, other = sealed(before, tmp / "1.parquet"), sealed(after, tmp / "2.parquet")
    return compare(one, other), compare(other, one)


def flat(comparison: Comparison) -> Counter[Any]:
    def values(side: Any) -> Any:
        return None if side is None else tuple(getattr(side, name) for name in PERSON)

    return Counter(
        (c.pair.named.name, c.principal_id, values(c.before), values(c.after), frozenset(c.kinds))
        for c in comparison.principals
    )


@settings(max_examples=150, deadline=None)
@given(REPORTS, REPORTS)
def test_it_finds_what_the_slow_one_finds(tmp_path_factory: Any, before: Report, after: Report) -> None:
    forth, back = both_ways(tmp_path_factory.mktemp("diff"), before, after)
    assert flat(forth) == slow_principals(before, after)
    assert flat(back) == slow_principals(after, before)


@settings(max_examples=100, deadline=None)
@given(REPORTS, REPORTS)
def test_back_is_forth_with_the_kinds_swapped(tmp_path_factory: Any, before: Report, after: Report) -> None:
    forth, back = both_ways(tmp_path_factory.mktemp("diff"), before, after)
    for name in ("principals", "databases"):
        there, again = (
            Counter(
                (frozenset((c.pair.before, c.pair.after)), frozenset(swapped.get(k, k) for k in c.kinds))
                for c in getattr(comparison, name)
            )
            for comparison, swapped in ((forth, {}), (back, MIRRORED))
        )
        assert there == again


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_nothing_changed_from_a_report_to_itself(tmp_path_factory: Any, report: Report) -> None:
    forth, _ = both_ways(tmp_path_factory.mktemp("diff"), report, report)
    assert not forth.changed
    assert not any(forth.counts().values())


def test_a_principal_that_stands_twice_is_said_and_neither_multiplied_nor_lost(tmp_path: Path) -> None:
    def row(tier: str) -> tuple[str, tuple[str | None, ...]]:
        return "x", ("x", tier, "r", "User", "Active", None)

    twice, once = Db("complete", None, [row("0"), row("none")]), Db("complete", None, [row("none")])
    forth, back = both_ways(tmp_path, {"db": twice}, {"db": once})
    assert [(c.kinds, c.before and c.before.tier) for c in forth.principals] == [(("removed",), "0")]
    assert [(c.kinds, c.after and c.after.tier) for c in back.principals] == [(("added",), "0")]
    assert [principal_id for _, principal_id in forth.repeated] == ["x"]


# --- what is no report --------------------------------------------------------------------------

ONE = {"db": Db("complete", None, [("x", ("x", "0", "r", "Admin", "Active", None))])}


def test_rows_that_the_manifest_does_not_know_are_refused(tmp_path: Path) -> None:
    more = {**ONE, "other": ONE["db"]}
    manifest, path = sealed(ONE, tmp_path / "1.parquet").manifest, sealed(more, tmp_path / "2.parquet").details
    with pytest.raises(ContradictionError, match="do not agree on 1 databases: 123456789012 us-east-1 other"):
        compare(Sealed(manifest, path), Sealed(manifest, path))


def test_rows_that_are_gone_are_refused(tmp_path: Path) -> None:
    path = sealed({}, tmp_path / "2.parquet").details
    manifest = sealed(ONE, tmp_path / "1.parquet").manifest
    with pytest.raises(ContradictionError, match=r"the 2\.parquet of 2024-01-15T15:00:00Z and the manifest"):
        compare(Sealed(manifest, path), Sealed(manifest, path))


def change(path: Path, name: str, values: pa.Array) -> None:
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.column_names.index(name), name, values), path)


@pytest.mark.parametrize(("spoil", "reason"), [
    (lambda p: p.write_bytes(b"PAR1 no parquet PAR1"), "cannot be read"),
    (lambda p: p.unlink(), "cannot be read"),
    (lambda p: pq.write_table(pq.read_table(p).drop(["tier"]), p), "has no column tier"),
    (lambda p: change(p, "principal_id", pa.nulls(1, pa.string())), "rows without principal_id"),
    (lambda p: change(p, "username", pa.array([5])), "username is no text"),
    (lambda p: change(p, "tier", pa.array([5])), "tier is no text"),
    (lambda p: change(p, "tier", pa.array(["7"])), "no tier: 7"),
])  # fmt: skip
def test_a_file_that_holds_no_detail_rows_is_refused(tmp_path: Path, spoil: Any, reason: str) -> None:
    good, bad = sealed(ONE, tmp_path / "1.parquet"), sealed(ONE, tmp_path / "2.parquet")
    spoil(bad.details)
    with pytest.raises(RecordError, match=reason):
        compare(good, bad)
