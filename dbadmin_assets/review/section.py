"""One account's section of the CSV: its rows, warnings and errors, in the order and form of docs/formats.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dbadmin_assets.review.coverage import GONE, NOT_IN_INVENTORY, Coverage, compare
from dbadmin_assets.review.csv_cells import LINE_END, WrittenCells, is_plain, line, neutral, quoted
from dbadmin_assets.review.detail import Detail, database_values
from dbadmin_assets.review.errors import ContradictionError
from dbadmin_assets.review.records import DatabaseOutcome, TargetRecord
from dbadmin_assets.review.result_check import ADMIN
from dbadmin_assets.review.settle import ResultConnection, ResultObject, Settled, settle
from dbadmin_assets.review.totals import TargetTotals
from dbadmin_assets.review.verdict import overall
from worker_lambda.contract import DATABASE_TYPES
from worker_lambda.result_object import WARNING_NO_ACCOUNTS, WARNING_NOT_IN_INVENTORY, WARNING_SAME_SERVER

_UNREACHED = ResultConnection("", None, None, None, None, None)
# Key, line, number: cells hold no control characters, so NUL separates and sorts lowest. Without a line: detail only.
_Sortable = tuple[str, str, int]


@dataclass(slots=True)
class _Database:
    """What is the same in every row of one database, and what is counted while its rows are written."""

    outcome: DatabaseOutcome
    type: str
    name_cell: str
    before_user: str
    after_status: str
    sort_prefix: str
    sort_suffix: str
    name_changed: bool
    place: int
    users: int = 0
    admins: int = 0
    excluded: list[str] = field(default_factory=list)


class Section:
    """Collects the targets of one account; holds no more than that account.

    Attributes:
        databases: what the detail rows of each have in common.

    Args:
        account_id: 12 digits.
        cells: shared by all sections of a report.
        as_of: report time, for what was found missing only now.
    """

    def __init__(self, account_id: str, cells: WrittenCells, *, as_of: str) -> None:
        self._account_id = account_id
        self._cells = cells
        self._as_of = as_of
        self._rows: list[_Sortable] = []
        self._details: list[Detail] = []
        self.databases: list[tuple[Any, ...]] = []
        self._warnings: list[_Sortable] = []
        self._errors: list[_Sortable] = []
        self._targets: list[TargetTotals] = []

    def add(self, record: TargetRecord, data: bytes | None) -> TargetTotals:
        """Take one target in.

        Args:
            data: bytes of its result object, None where there is none.

        Raises:
            ContradictionError: where the object is the one that was judged and still holds other rows than
                the verdict says.
        """
        self._cells.trim()
        settled = settle(record, data, as_of=self._as_of)
        connections = {c.name: c for c in settled.result.databaseConnections}
        databases = {d.name: self._describe(record, d, connections.get(d.name, _UNREACHED)) for d in settled.databases}
        changed = self._add_rows(settled.result, {n: d for n, d in databases.items() if n in settled.covered})
        for database in databases.values():
            self._check_counts(record, database)
        coverage = compare(record, settled)
        warnings = _warnings(record, settled, databases, coverage)
        changed += sum(
            self._note(self._warnings, "WARNING", record, databases[name], text) for name, text in warnings.items()
        )
        changed += self._add_errors(record, databases) + self._add_undeclared(record, coverage)
        totals = TargetTotals(
            record=record,
            status=overall(tuple(d.status for d in settled.databases)),
            databases=settled.databases,
            warnings=warnings,
            excluded_principals={n: tuple(sorted(d.excluded)) for n, d in databases.items() if d.excluded},
            undeclared=settled.undeclared,
            changed_cells=changed,
            coverage=coverage,
        )
        self._targets.append(totals)
        return totals

    def lines(self, *, flat: bool) -> Iterator[str]:
        """The section's lines: section row unless `flat`, then data, warnings, errors, each sorted."""
        if not flat:
            yield self._section_row()
        for lines in (self._rows, self._warnings, self._errors):
            lines.sort()
            yield from (line for _, line, _ in lines if line)

    def details(self) -> list[Detail]:
        """The detail rows, in the order of the data rows, excluded principals among them."""
        self._rows.sort()
        return [self._details[number] for _, _, number in self._rows]

    def _section_row(self) -> str:
        databases = [d for t in self._targets for d in t.databases]
        statuses = Counter(d.status for d in databases)
        seen_at = (t.coverage.at for t in self._targets if t.coverage.undeclared and t.coverage.at)
        return line(
            [
                f"ACCOUNT: {self._account_id}",
                f"{sum(1 for t in self._targets if t.databases)} regions",
                f"{len(databases)} databases",
                "",
                f"{sum(d.users for d in databases)} users",
                f"{sum(d.admins for d in databases)} admins",
                "",
                "",
                f"{statuses['failed']} failed; {statuses['partial']} partial",
                max((*(d.reported_at for d in databases), *seen_at), default=self._as_of),
            ]
        )

    def _add_rows(self, result: ResultObject, databases: dict[str, _Database]) -> int:
        """The hot loop: about a microsecond per row. Returns how many cells were changed."""
        cells, changed_values, append = self._cells, self._cells.changed, self._rows.append
        details = self._details
        changed = 0
        for user in result.adminUsers:
            database = databases.get(user.database_name)
            if database is None:
                continue  # of a database that is not declared any more: the totals list it as `undeclared`
            details.append((user, database.place))
            if user.excluded_by_policy is not None:
                database.excluded.append(user.username)
                key = f"{database.sort_prefix}{neutral(user.username)}{database.sort_suffix}"
                append((key, "", len(details) - 1))
                continue
            name = written = user.username
            if not is_plain(name):
                name = neutral(name)
                changed += name != user.username
                written = quoted(name)
            role, level, login, status = user.role_name, user.permission_level, user.last_login_date, user.user_status
            text = (
                f"{database.before_user}{written},{cells[role]},{cells[level]},{cells[login]},{cells[status]}"
                f"{database.after_status}"
            )
            append((f"{database.sort_prefix}{name}{database.sort_suffix}", text, len(details) - 1))
            database.users += 1
            if level == ADMIN:
                database.admins += 1
            if changed_values:
                changed += sum(value in changed_values for value in (role, level, login, status))
        return changed + sum(d.users for d in databases.values() if d.name_changed)  # the name is in every row

    def _check_counts(self, record: TargetRecord, database: _Database) -> None:
        said = database.outcome
        if (said.users, said.admins) != (database.users, database.admins):
            raise ContradictionError(
                f"{record.key} {said.name!r}: the verdict says {said.users} users and {said.admins} admins, "
                f"its result object holds {database.users} and {database.admins}"
            )

    def _add_errors(self, record: TargetRecord, databases: dict[str, _Database]) -> int:
        failed = [d for d in databases.values() if d.outcome.status == "failed"]
        return sum(self._note(self._errors, "ERROR", record, d, d.outcome.reason or "") for d in failed)

    def _add_undeclared(self, record: TargetRecord, coverage: Coverage) -> int:
        """A WARNING row for each database that runs and is not declared; its identifier is all the name it has."""
        changed = 0
        for found in coverage.undeclared:
            name = neutral(found.identifier)
            cells = [f"WARNING: {self._account_id}", record.region, name, DATABASE_TYPES[found.engine]]
            key = f"{name}\0\0{record.region}\0{found.host or ''}"
            self._warnings.append((key, line([*cells, NOT_IN_INVENTORY, coverage.at or self._as_of]), 0))
            changed += name != found.identifier
        return changed

    def _note(self, notes: list[_Sortable], kind: str, record: TargetRecord, database: _Database, text: str) -> int:
        cell = neutral(text)
        first = f"{kind}: {self._account_id}"
        cells = [first, record.region, database.name_cell, database.type, cell, database.outcome.reported_at]
        notes.append((f"{database.sort_prefix}{database.sort_suffix}", line(cells), len(notes)))
        return (cell != text) + database.name_changed

    def _describe(self, record: TargetRecord, outcome: DatabaseOutcome, connection: ResultConnection) -> _Database:
        name = neutral(outcome.name)
        kind = DATABASE_TYPES[outcome.engine]
        self.databases.append(database_values(record, outcome, connection))
        return _Database(
            outcome=outcome,
            type=kind,
            name_cell=name,
            before_user=f"{self._account_id},{record.region},{quoted(name)},{kind},",
            after_status=f",{outcome.reported_at}{LINE_END}",
            sort_prefix=f"{name}\0",
            sort_suffix=f"\0{record.region}\0{connection.host or ''}",
            name_changed=name != outcome.name,
            place=len(self.databases) - 1,
        )


def _warnings(
    record: TargetRecord, settled: Settled, databases: dict[str, _Database], coverage: Coverage
) -> dict[str, str]:
    """By database, the text of its WARNING row."""
    sentences: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)
    for warning in settled.result.warnings:
        if warning.database_name in settled.covered:
            sentences[warning.database_name].add((warning.order, warning.text))
    for name, other in record.same_servers:
        sentences[name].add((WARNING_SAME_SERVER, f"Same server as {other}"))
    for gone in coverage.gone:
        sentences[gone.name].add((WARNING_NOT_IN_INVENTORY, GONE))
    for name, database in databases.items():
        if not database.users and database.outcome.status == "complete":
            sentences[name].add((WARNING_NO_ACCOUNTS, "No accounts to list"))  # the worker may have said so itself
    return {name: "; ".join(text for _, text in sorted(sentences[name])) for name in databases if sentences[name]}
