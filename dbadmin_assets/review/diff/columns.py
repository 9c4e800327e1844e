"""The detail rows of one report, by column, each with the number of the database entry pair that it belongs to.

Text that repeats in many rows is read as numbers into a dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dbadmin_assets.review.diff.model import TIERS, Principal
from dbadmin_assets.review.diff.sides import Key, Side
from dbadmin_assets.review.errors import ContradictionError, RecordError

_OF_ENTRY = ("account_id", "region", "database_name")
COMPARED = ("tier", "role_name", "permission_level", "user_status", "excluded_by_policy")
OF_PRINCIPAL = Principal.__struct_fields__
_READ = (*_OF_ENTRY, "principal_id", *OF_PRINCIPAL)
_REPEATED = [*_OF_ENTRY, *COMPARED]
_NEVER_NULL = (*_OF_ENTRY, "principal_id", "username", "tier", "role_name", "permission_level", "user_status")
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one report that are compared: its detail columns, and beside them the number of each row's pair."""

    table: pa.Table
    pair: pa.Array


def read_rows(path: Path, side: Side, compared: Mapping[Key, int]) -> Rows:
    """The rows of the entries that both reports have read.

    Args:
        side: the manifest's word on every entry.
        compared: the number of each entry's pair; entries that are not in it are left out.

    Raises:
        RecordError: the file is no file of detail rows.
        ContradictionError: it is not the file of this manifest.
    """
    name = f"the {path.name} of {side.ended_at}"
    table = _read(path, name)
    _check_form(name, table)
    code, entries = _entry_of_each_row(table)
    _check_counts(name, table, code, entries, side)
    pair = pc.take(pa.array([compared.get(entry) for entry in entries], pa.int32()), code)
    if not pair.null_count:
        return Rows(table, pair)
    kept = pair.is_valid()
    return Rows(table.filter(kept).combine_chunks(), pair.filter(kept))


def _read(path: Path, name: str) -> pa.Table:
    try:
        missing = sorted(set(_READ) - set(pq.read_schema(path).names))
        if missing:
            raise RecordError(f"{name} has no column {', '.join(missing)}")
        with pq.ParquetFile(path, read_dictionary=_REPEATED) as file:
            return file.read(columns=list(_READ)).unify_dictionaries().combine_chunks()
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"{name} cannot be read: {error}") from error


def _check_form(name: str, table: pa.Table) -> None:
    """All text, and nothing missing of what rows are told apart by."""
    for column, kind in zip(table.column_names, table.schema.types, strict=True):
        if (kind.value_type if pa.types.is_dictionary(kind) else kind) != pa.string():
            raise RecordError(f"{name}: the column {column} is no text")
    if empty := [column for column in _NEVER_NULL if table.column(column).null_count]:
        raise RecordError(f"{name}: there are rows without {', '.join(empty)}")
    if strange := set(pc.unique(whole(table.column("tier"))).to_pylist()) - set(TIERS):
        raise RecordError(f"{name}: no tier: {', '.join(sorted(strange))}")


def _entry_of_each_row(table: pa.Table) -> tuple[pa.Array, list[Key]]:
    """For each row the place of its entry in the list that comes with it."""
    columns = [whole(table.column(name)) for name in _OF_ENTRY]
    code = pc.cast(columns[0].indices, pa.int64())
    for column in columns[1:]:
        code = pc.add(pc.multiply(code, len(column.dictionary)), column.indices)
    encoded = code.dictionary_encode()
    dictionaries = [column.dictionary.to_pylist() for column in columns]
    entries = []
    for number in encoded.dictionary.to_pylist():
        rest, database = divmod(number, len(dictionaries[2]))
        account, region = divmod(rest, len(dictionaries[1]))
        entries.append((dictionaries[0][account], dictionaries[1][region], dictionaries[2][database]))
    return encoded.indices, entries


def _check_counts(name: str, table: pa.Table, code: pa.Array, entries: list[Key], side: Side) -> None:
    """Rows that the manifest does not know, or that it knows and that are not there, would be changes nobody made."""
    shown = pc.is_null(whole(table.column("excluded_by_policy")).indices)
    users = {entries[item["values"].as_py()]: item["counts"].as_py() for item in pc.value_counts(code.filter(shown))}
    said = {entry.key: entry.users for entry in side.entries.values() if entry.has_data}
    strange = [key for key in entries if key not in said]
    wrong = strange + [key for key, number in said.items() if users.get(key, 0) != number]
    if wrong:
        named = ", ".join(" ".join(key) for key in sorted(wrong)[:_MOST_NAMED])
        raise ContradictionError(f"{name} and the manifest do not agree on {len(wrong)} databases: {named}")


def whole(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
