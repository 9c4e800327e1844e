"""What a report came to: the counts, and the final outcome of every database, for manifest, summary and exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dbadmin_assets.review.coverage import NOT_LOOKED, Coverage
from dbadmin_assets.review.records import DatabaseOutcome, Status, TargetRecord


@dataclass(frozen=True, slots=True)
class TargetTotals:
    """One target as it stands in the report.

    Attributes:
        record: what was declared, and the verdict.
        status: complete, partial or failed, from `databases`.
        databases: final outcomes, one per declared database, sorted by name. They differ from the verdict's where
            its object is gone or damaged since, or a database was declared after it.
        warnings: text of the WARNING row, by database.
        excluded_principals: accounts that policy leaves out of the rows, raw names, by database.
        undeclared: databases of the verdict that are not declared any more; they have no rows.
        changed_cells: cells that were made harmless.
        coverage: what runs there against what is declared.
    """

    record: TargetRecord
    status: Status
    databases: tuple[DatabaseOutcome, ...]
    warnings: dict[str, str] = field(default_factory=dict)
    excluded_principals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    undeclared: tuple[str, ...] = ()
    changed_cells: int = 0
    coverage: Coverage = NOT_LOOKED


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a whole report; `databases` = `complete` + `partial` + `failed`, `excluded` ones come on top.

    Attributes:
        targets: accounts x regions that were asked for.
        databases: databases asked for.
        users: data rows; admins: those whose Permission Level is exactly `Admin`.
        excluded: databases that the inventory leaves out with a reason.
        excluded_principals: accounts that policy leaves out of the rows.
        changed_cells: cells that were made harmless.
        csv_sha256: hex digest of the CSV; csv_size_bytes: its size.
        per_target: in the order of the report.
    """

    targets: int
    databases: int
    complete: int
    partial: int
    failed: int
    excluded: int
    users: int
    admins: int
    excluded_principals: int
    changed_cells: int
    csv_sha256: str
    csv_size_bytes: int
    per_target: tuple[TargetTotals, ...]


def add_up(per_target: Iterable[TargetTotals], *, csv_sha256: str, csv_size_bytes: int) -> Totals:
    """The totals of a report from those of its targets."""
    targets = tuple(per_target)
    databases = [database for target in targets for database in target.databases]
    statuses = [database.status for database in databases]
    return Totals(
        targets=len(targets),
        databases=len(databases),
        complete=statuses.count("complete"),
        partial=statuses.count("partial"),
        failed=statuses.count("failed"),
        excluded=sum(len(target.record.excluded) for target in targets),
        users=sum(database.users for database in databases),
        admins=sum(database.admins for database in databases),
        excluded_principals=sum(len(names) for t in targets for names in t.excluded_principals.values()),
        changed_cells=sum(target.changed_cells for target in targets),
        csv_sha256=csv_sha256,
        csv_size_bytes=csv_size_bytes,
        per_target=targets,
    )
