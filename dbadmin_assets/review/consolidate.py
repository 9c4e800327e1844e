"""The CSV report: results of all targets in, one file out, account by account.

Memory grows with the largest account, not with the fleet, and the bytes depend on nothing but the collections.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Protocol

from dbadmin_assets.review.csv_cells import COLUMNS, WrittenCells, line
from dbadmin_assets.review.detail import DetailFile
from dbadmin_assets.review.errors import OrderError
from dbadmin_assets.review.records import TargetRecord
from dbadmin_assets.review.section import Section
from dbadmin_assets.review.times import parse_time
from dbadmin_assets.review.totals import TargetTotals, Totals, add_up

__all__ = ["Totals", "Writable", "write_csv"]

Pair = tuple[TargetRecord, bytes | None]

_BOM = "\ufeff"
_LINES_AT_ONCE = 4096


class Writable(Protocol):
    """Takes bytes: a file, a temporary file, a BytesIO."""

    def write(self, data: bytes, /) -> object:
        """Take all of `data`."""


def write_csv(
    pairs: Iterable[Pair], out: Writable, *, details: DetailFile | None = None, flat: bool = False, as_of: str
) -> Totals:
    """Write the report, and on the way its detail rows.

    Args:
        pairs: each target with the bytes of its result object (None where there is none), sorted by account,
            then region; taken one by one.
        out: where the CSV goes: UTF-8 with BOM, CRLF, ten cells a row.
        details: where the detail rows go, too; the caller closes it.
        flat: leave the section rows out.
        as_of: the report's time, `2024-01-15T14:22:33Z`: when failures that only show now were known.

    Raises:
        OrderError: where `pairs` is not sorted or has a target twice.
        ContradictionError: where an object and its verdict count differently.
        ValueError: for an `as_of` of another form.
    """
    parse_time(as_of)
    file = _HashedFile(out)
    cells = WrittenCells()
    file.write(_BOM + line(COLUMNS))
    per_target: list[TargetTotals] = []
    for account_id, targets in groupby(_in_order(pairs), key=lambda pair: pair[0].account_id):
        section = Section(account_id, cells, as_of=as_of)
        per_target.extend(section.add(record, data) for record, data in targets)
        lines = section.lines(flat=flat)
        while chunk := "".join(islice(lines, _LINES_AT_ONCE)):
            file.write(chunk)
        if details is not None:
            details.add(section.details(), section.databases)
    return add_up(per_target, csv_sha256=file.sha256(), csv_size_bytes=file.size_bytes)


def _in_order(pairs: Iterable[Pair]) -> Iterator[Pair]:
    before = ("", "")
    for record, data in pairs:
        here = (record.account_id, record.region)
        if here <= before:
            raise OrderError(f"target {'|'.join(here)} comes after {'|'.join(before)}: not sorted, or twice")
        before = here
        yield record, data


class _HashedFile:
    """Counts and hashes what goes through it, so that the file need not be read again."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, text: str) -> None:
        data = text.encode()
        self._digest.update(data)
        self.size_bytes += len(data)
        self._out.write(data)

    def sha256(self) -> str:
        return self._digest.hexdigest()
