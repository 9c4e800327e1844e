"""The principals of two reports, joined by column on who they are; only what differs becomes an object."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import pyarrow as pa
import pyarrow.compute as pc

from dbadmin_assets.review.diff.columns import COMPARED, OF_PRINCIPAL, Rows, whole
from dbadmin_assets.review.diff.model import TIERS, Principal

Who = tuple[int, str]
"""Number of the database entry's pair, and the principal id."""

Difference = tuple[Who, Principal | None, Principal | None]
"""A principal before and after; None where it is not there."""


def differences(before: Rows, after: Rows) -> tuple[list[Difference], list[Who]]:
    """Every principal that differs in anything compared or is in one report only, in no order; and who repeats.

    A principal that stands more than once in one report is taken out of the join, which would multiply its rows.
    """
    repeated = _repeated(before) | _repeated(after)
    found: list[Difference] = []
    if repeated:
        ids = pa.array(sorted({principal_id for _, principal_id in repeated}), pa.string())
        old, new = (_grouped(_with_ids(rows, ids)) for rows in (before, after))
        for who in old.keys() | new.keys():
            found += [(who, *both) for both in paired(old.get(who, []), new.get(who, []))]
        before, after = (_with_ids(rows, ids, those=False) for rows in (before, after))
    found += _joined(before, after)
    return found, sorted(repeated)


def paired(
    before: Sequence[Principal], after: Sequence[Principal]
) -> Iterator[tuple[Principal | None, Principal | None]]:
    """What differs between the rows of one principal: equal rows go, the rest pairs up, strongest with strongest."""
    old, new = Counter(map(_compared, before)), Counter(map(_compared, after))
    left = [_left_over(rows, mine - other) for rows, mine, other in ((before, old, new), (after, new, old))]
    yield from zip_longest(*left)


def _left_over(rows: Sequence[Principal], number: Counter[tuple[str, ...]]) -> list[Principal]:
    left = []
    for row in sorted(rows, key=lambda row: (-TIERS.index(row.tier), _compared(row))):
        if number[_compared(row)] > 0:
            number[_compared(row)] -= 1
            left.append(row)
    return left


def _compared(row: Principal) -> tuple[str, ...]:
    policy = row.excluded_by_policy
    told = () if policy is None else (policy,)  # None does not sort with text
    return (row.username, row.tier, row.role_name, row.permission_level, row.user_status, *told)


def _repeated(rows: Rows) -> set[Who]:
    counted = _keys(rows).group_by(["pair", "id"]).aggregate([([], "count_all")])
    twice = counted.filter(pc.greater(counted.column("count_all"), 1))
    return set(zip(twice.column("pair").to_pylist(), twice.column("id").to_pylist(), strict=True))


def _keys(rows: Rows) -> pa.Table:
    return pa.table({"pair": rows.pair, "id": rows.table.column("principal_id")})


def _with_ids(rows: Rows, ids: pa.Array, *, those: bool = True) -> Rows:
    """The rows of principals with these ids, or all others."""
    mask = pc.is_in(whole(rows.table.column("principal_id")), value_set=ids)
    mask = mask if those else pc.invert(mask)
    return Rows(rows.table.filter(mask), rows.pair.filter(mask))


def _grouped(rows: Rows) -> dict[Who, list[Principal]]:
    groups: defaultdict[Who, list[Principal]] = defaultdict(list)
    everything = pa.array(range(rows.table.num_rows), pa.int64())
    for who, principal in zip(_who(rows, everything), _principals(rows, everything), strict=True):
        assert principal is not None  # noqa: S101 - every index is one of a row
        groups[who].append(principal)
    return groups


def _joined(before: Rows, after: Rows) -> Iterator[Difference]:
    """The same for principals that stand once in each report, or in one of them."""
    left = _keys(before).append_column("old", pa.array(range(before.table.num_rows), pa.int64()))
    right = _keys(after).append_column("new", pa.array(range(after.table.num_rows), pa.int64()))
    joined = left.join(right, keys=["pair", "id"], join_type="full outer")
    old, new = whole(joined.column("old")), whole(joined.column("new"))
    in_both = pc.and_(old.is_valid(), new.is_valid())
    old_both, new_both = old.filter(in_both), new.filter(in_both)
    differs = _differs(before.table, after.table, old_both, new_both)
    alone = pc.invert(in_both)
    old = pa.concat_arrays([old_both.filter(differs), old.filter(alone)])
    new = pa.concat_arrays([new_both.filter(differs), new.filter(alone)])
    for one, other, was, now in zip(
        _who(before, old), _who(after, new), _principals(before, old), _principals(after, new), strict=True
    ):
        yield (other if was is None else one), was, now


def _differs(before: pa.Table, after: pa.Table, old: pa.Array, new: pa.Array) -> pa.Array:
    """For each two rows whether anything that is compared differs."""
    names = [whole(table.column("username")) for table in (before, after)]
    differs = pc.not_equal(names[0].take(old), names[1].take(new))
    for name in COMPARED:
        columns = [whole(table.column(name)) for table in (before, after)]
        one, other = pa.chunked_array(columns).unify_dictionaries().chunks
        numbers = pc.fill_null(one.indices, -1).take(old), pc.fill_null(other.indices, -1).take(new)
        differs = pc.or_(differs, pc.not_equal(*numbers))
    return differs


def _who(rows: Rows, places: pa.Array) -> Iterator[Who]:
    ids = whole(rows.table.column("principal_id")).take(places)
    return zip(rows.pair.take(places).to_pylist(), ids.to_pylist(), strict=True)


def _principals(rows: Rows, places: pa.Array) -> Iterator[Principal | None]:
    """The principal of each place; None where there is none."""
    columns = [_values(whole(rows.table.column(name)), places) for name in OF_PRINCIPAL]
    for place, *values in zip(places.to_pylist(), *columns, strict=True):
        yield None if place is None else Principal(*values)


def _values(column: pa.Array, places: pa.Array) -> list[str | None]:
    """The text at each place; each text of a dictionary becomes one object, whatever number of rows have it."""
    if not pa.types.is_dictionary(column.type):
        return list(column.take(places).to_pylist())
    texts = column.dictionary.to_pylist()
    return [None if number is None else texts[number] for number in column.indices.take(places).to_pylist()]
