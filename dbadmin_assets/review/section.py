"""One account's section of the CSV: its rows, warnings and errors, in the order and form of docs/formats.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter

from dbadmin_assets.review.csv_cells import LINE_END, WrittenCells, is_plain, line, neutral, quoted
from dbadmin_assets.review.errors import ContradictionError
from dbadmin_assets.review.records import DatabaseOutcome, TargetRecord
from dbadmin_assets.review.result_check import ADMIN
from dbadmin_assets.review.settle import ResultObject, Settled, settle
from dbadmin_assets.review.totals import TargetTotals
from dbadmin_assets.review.verdict import overall
from worker_lambda.contract import DATABASE_TYPES, WARNING_NO_ACCOUNTS, WARNING_SAME_SERVER

_LINE = itemgetter(1)
_Sortable = tuple[str, str]  # key, line: cells hold no control characters, so NUL separates and sorts lowest


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
    users: int = 0
    admins: int = 0
    excluded: list[str] = field(default_factory=list)


class Section:
    """Collects the targets of one account; holds no more than that account.

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
        hosts = {c.name: c.host or "" for c in settled.result.databaseConnections}
        databases = {
            d.name: _describe(self._account_id, record.region, d, hosts.get(d.name, "")) for d in settled.databases
        }
        changed = self._add_rows(settled.result, {n: d for n, d in databases.items() if n in settled.covered})
        for database in databases.values():
            self._check_counts(record, database)
        changed += self._add_warnings(record, settled, databases) + self._add_errors(record, databases)
        totals = TargetTotals(
            record=record,
            status=overall(tuple(d.status for d in settled.databases)),
            databases=settled.databases,
            excluded_principals={n: tuple(sorted(d.excluded)) for n, d in databases.items() if d.excluded},
            undeclared=settled.undeclared,
            changed_cells=changed,
        )
        self._targets.append(totals)
        return totals

    def lines(self, *, flat: bool) -> Iterator[str]:
        """The section's lines: section row unless `flat`, then data, warnings, errors, each sorted."""
        if not flat:
            yield self._section_row()
        for lines in (self._rows, self._warnings, self._errors):
            lines.sort()
            yield from map(_LINE, lines)

    def _section_row(self) -> str:
        databases = [d for t in self._targets for d in t.databases]
        statuses = Counter(d.status for d in databases)
        return line(
            [
                f"ACCOUNT: {self._account_id}",
                f"{sum(1 for t in self._targets if t.databases)} regions",
                f"{len(databases)} databases",
                "",
                f"{len(self._rows)} users",
                f"{sum(d.admins for d in databases)} admins",
                "",
                "",
                f"{statuses['failed']} failed; {statuses['partial']} partial",
                max((d.reported_at for d in databases), default=self._as_of),
            ]
        )

    def _add_rows(self, result: ResultObject, databases: dict[str, _Database]) -> int:
        """The hot loop: about a microsecond per row. Returns how many cells were changed."""
        cells, changed_values, append = self._cells, self._cells.changed, self._rows.append
        changed = 0
        for user in result.adminUsers:
            database = databases.get(user.database_name)
            if database is None:
                continue  # of a database that is not declared any more: the totals list it as `undeclared`
            if user.excluded_by_policy is not None:
                database.excluded.append(user.username)
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
            append((f"{database.sort_prefix}{name}{database.sort_suffix}", text))
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

    def _add_warnings(self, record: TargetRecord, settled: Settled, databases: dict[str, _Database]) -> int:
        sentences: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for warning in settled.result.warnings:
            if warning.database_name in settled.covered:
                sentences[warning.database_name].append((warning.order, warning.text))
        for name, other in record.same_servers:
            sentences[name].append((WARNING_SAME_SERVER, f"Same server as {other}"))
        changed = 0
        for name, database in databases.items():
            said = set(sentences[name])
            if not database.users and database.outcome.status == "complete":
                said.add((WARNING_NO_ACCOUNTS, "No accounts to list"))  # the worker may have said so itself
            if said:
                text = "; ".join(sentence for _, sentence in sorted(said))
                changed += self._note(self._warnings, "WARNING", record, database, text)
        return changed

    def _add_errors(self, record: TargetRecord, databases: dict[str, _Database]) -> int:
        failed = [d for d in databases.values() if d.outcome.status == "failed"]
        return sum(self._note(self._errors, "ERROR", record, d, d.outcome.reason or "") for d in failed)

    def _note(self, notes: list[_Sortable], kind: str, record: TargetRecord, database: _Database, text: str) -> int:
        cell = neutral(text)
        first = f"{kind}: {self._account_id}"
        cells = [first, record.region, database.name_cell, database.type, cell, database.outcome.reported_at]
        notes.append((f"{database.sort_prefix}{database.sort_suffix}", line(cells)))
        return (cell != text) + database.name_changed


def _describe(account_id: str, region: str, outcome: DatabaseOutcome, host: str) -> _Database:
    name = neutral(outcome.name)
    kind = DATABASE_TYPES[outcome.engine]
    return _Database(
        outcome=outcome,
        type=kind,
        name_cell=name,
        before_user=f"{account_id},{region},{quoted(name)},{kind},",
        after_status=f",{outcome.reported_at}{LINE_END}",
        sort_prefix=f"{name}\0",
        sort_suffix=f"\0{region}\0{host}",
        name_changed=name != outcome.name,
    )
