"""What stands around the rows: verdict, scope, sums, findings, origin. Workbook and page show this and no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbadmin_assets.review.coverage import NOT_IN_INVENTORY
from dbadmin_assets.review.csv_cells import COLUMNS as REPORT_TITLES
from dbadmin_assets.review.detail import REPORT_COLUMNS, detail_rows
from dbadmin_assets.review.outputs.origin import origin, who_asked
from dbadmin_assets.review.result_check import ADMIN
from worker_lambda.contract import DATABASE_TYPES

Facts = dict[str, Any]
"""A manifest as `build_manifest` makes it, before files and signature are known."""

TITLE = "Database administrator access report"
ACCOUNT_COLUMNS = ("Account ID", "Account Name", "Databases", "Failed", "Partial", "Users", "Admins")
TYPE_COLUMNS = ("Database Type", "Databases", "Failed", "Partial", "Users", "Admins")
ENGINE_COLUMNS = ("Engine", "Users", "Admins")
FINDING_COLUMNS = (
    "What", "Account ID", "Account Name", "Region", "Database Name", "Database Type",
    "Reason", "Detail", "Warning", "Owner", "Reported At",
)  # fmt: skip

FAILED, PARTIAL, WARNING = "Failed", "Partly visible", "Warning"
LEFT_OUT, NOT_DECLARED = "Excluded by the inventory", "Not declared any more"
NOT_LOOKED = "Not known what else runs"

Row = tuple[str | int | None, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that a report says besides its rows; all text raw.

    Attributes:
        verdict: `COMPLETE` or `INCOMPLETE`; `why`: the sentence beside it.
        scope: whether it is the whole inventory, else what was asked for.
        asked: who asked, as asserted and as verified, as sentences.
        population: the sum of databases as a sentence.
        accounts, types, engines: counts, cells as their *_COLUMNS say, most administrators first. `types` are the
            databases as declared; `engines` what the servers turned out to be, from the rows alone.
        findings: a row for each database of which there is something to say (FINDING_COLUMNS), failures first.
        about: label and value, several values of one label in a row each.
    """

    complete: bool
    verdict: str
    why: str
    scope: str
    asked: str
    population: str
    accounts: list[Row]
    types: list[Row]
    engines: list[Row]
    findings: list[tuple[str | None, ...]]
    about: list[tuple[str, str]]


def title_of(column: str) -> str:
    """What stands above a column of detail rows: the CSV's title where it has one, else the name in words."""
    if column in REPORT_COLUMNS:
        return REPORT_TITLES[REPORT_COLUMNS.index(column)]
    return " ".join("ID" if word == "id" else word.capitalize() for word in column.split("_"))


def make_overview(facts: Facts, parquet: Path) -> Overview:
    """Take the facts apart.

    Args:
        parquet: the detail rows, for the counts by engine.
    """
    sums = facts["population"]
    return Overview(
        complete=facts["complete"],
        verdict="COMPLETE" if facts["complete"] else "INCOMPLETE",
        why=_why(sums, complete=facts["complete"]),
        scope=_scope(facts["scope"]),
        asked=who_asked(facts["requests"]),
        population=(
            f"{sums['declared']:,} databases declared = {sums['complete']:,} complete + {sums['partial']:,} partial"
            f" + {sums['failed']:,} failed + {sums['excluded']:,} excluded"
        ),
        accounts=_by_account(facts),
        types=_by_type(facts),
        engines=_by_engine(parquet),
        findings=list(_findings(facts)),
        about=list(origin(facts)),
    )


def _why(sums: dict[str, int], *, complete: bool) -> str:
    asked_for = sums["declared"] - sums["excluded"]
    if complete:
        return f"Each of the {asked_for:,} databases asked for was collected with full visibility."
    if not asked_for:
        return "No database was asked for."
    return (
        f"Of the {asked_for:,} databases asked for, {sums['failed']:,} failed and {sums['partial']:,} were only partly"
        " visible: whoever is an administrator there may be missing here."
    )


def _scope(scope: dict[str, Any]) -> str:
    if scope["full"]:
        return "The whole inventory."
    asked = [f"{name} {', '.join(scope[name])}" for name in ("accounts", "regions") if scope[name]]
    return "PART OF THE INVENTORY ONLY" + (f": {'; '.join(asked)}." if asked else ".")


def _databases(facts: Facts) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    return ((target, database) for target in facts["targets"] for database in target["databases"])


def _by_account(facts: Facts) -> list[Row]:
    names = {target["accountId"]: target["accountName"] for target in facts["targets"]}
    sums = {account: Counter[str]() for account in names}
    for target, database in _databases(facts):
        _count(sums[target["accountId"]], database)
    return _most_admins_first([(account, names[account], *_numbers(found)) for account, found in sums.items()])


def _by_type(facts: Facts) -> list[Row]:
    sums: dict[str, Counter[str]] = {}
    for _, database in _databases(facts):
        _count(sums.setdefault(database["databaseType"], Counter()), database)
    return _most_admins_first([(name, *_numbers(found)) for name, found in sums.items()])


def _by_engine(parquet: Path) -> list[Row]:
    users: Counter[str] = Counter()
    admins: Counter[str] = Counter()
    found = Counter(detail_rows(parquet, ("engine", "permission_level", "excluded_by_policy")))
    for (engine, level, excluded), rows in found.items():
        if excluded is None:
            users[engine or "unknown"] += rows
            admins[engine or "unknown"] += rows if level == ADMIN else 0
    return _most_admins_first([(engine, users[engine], admins[engine]) for engine in users])


def _count(sums: Counter[str], database: dict[str, Any]) -> None:
    sums.update({"databases": 1, database["status"]: 1, "users": database["users"], "admins": database["admins"]})


def _numbers(sums: Counter[str]) -> tuple[int, ...]:
    return tuple(sums[name] for name in ("databases", "failed", "partial", "users", "admins"))


def _most_admins_first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-int(row[-1] or 0), str(row[0])))


def _findings(facts: Facts) -> Iterator[tuple[str | None, ...]]:
    kinds = {"failed": FAILED, "partial": PARTIAL, "complete": WARNING}
    for status, kind in kinds.items():
        for target, found in _databases(facts):
            if found["status"] == status and (status != "complete" or found["warning"]):
                yield (
                    kind, target["accountId"], target["accountName"], target["region"], found["name"],
                    found["databaseType"], found["reason"], found["detail"], found["warning"], found["owner"],
                    found["reportedAt"],
                )  # fmt: skip
    yield from _coverage(facts)
    for target in facts["targets"]:
        for found in target["excluded"]:
            yield (
                LEFT_OUT, target["accountId"], target["accountName"], target["region"], found["name"],
                found["databaseType"], found["reason"], None, None, None, None,
            )  # fmt: skip
    for found in facts["notDeclared"]:
        reason = "It was collected, but the inventory does not declare it any more: it has no rows"
        yield (
            NOT_DECLARED, found["accountId"], None, found["region"], found["name"],
            None, reason, None, None, None, None,
        )  # fmt: skip


def _coverage(facts: Facts) -> Iterator[tuple[str | None, ...]]:
    """What runs and is not declared, and where it could not be seen what runs."""
    names = {target["accountId"]: target["accountName"] for target in facts["targets"]}
    discovered = facts["discovered"]
    for found in discovered["undeclared"]:
        address = f"{found['host']}:{found['port']}" if found["port"] else found["host"] or "no address yet"
        yield (
            NOT_IN_INVENTORY, found["accountId"], names[found["accountId"]], found["region"], found["identifier"],
            DATABASE_TYPES[found["engine"]], "It runs in AWS and the inventory does not declare it",
            f"{found['product']} at {address}, {found['state']}", NOT_IN_INVENTORY, None, None,
        )  # fmt: skip
    for target in discovered["targets"]:
        if target["status"] == "failed":
            yield (
                NOT_LOOKED, target["accountId"], names[target["accountId"]], target["region"], None, None,
                "AWS could not be asked for all of it", target["reason"], None, None, None,
            )  # fmt: skip
