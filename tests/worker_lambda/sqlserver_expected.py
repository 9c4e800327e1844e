"""The table of expected SQL Server rows, and what it is compared with: rows as the rules give them, without the wire.

A cell stands in `expected/sqlserver.csv` with `\\uXXXX` for each character that cannot be printed, so that the file
shows what it says. Accounts that policy leaves out of the report (`sa`, the engine's) are in the table, too.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from sandbox.tds.recorded import MASTERS, RECORDED
from worker_lambda.privileges.sqlserver import evaluate
from worker_lambda.privileges.sqlserver_catalogue import parse
from worker_lambda.privileges.wording import printable
from worker_lambda.result_object import AdminUser

TABLE = Path(__file__).parent / "expected" / "sqlserver.csv"
COLUMNS = ("tier", "rule_id", "access_path", "role_name", "permission_level", "user_status")
NOW = "2024-01-15T14:22:33Z"

Row = tuple[str, ...]  # account, then COLUMNS


@cache
def expected() -> dict[str, list[Row]]:
    """The table's rows by catalogue, sorted."""
    found: dict[str, list[Row]] = {}
    with TABLE.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            found.setdefault(line["catalogue"], []).append((line["account"], *(line[c] for c in COLUMNS)))
    return {name: sorted(rows) for name, rows in found.items()}


def as_rows(users: Iterable[AdminUser]) -> list[Row]:
    """The product's rows as the table writes them, sorted."""
    return sorted((printable(u["username"]), *(printable(str(u[c])) for c in COLUMNS)) for u in users)  # type: ignore[literal-required]


def evaluated(name: str) -> list[Row]:
    """What the rules make of a recorded catalogue."""
    server = parse(RECORDED[name]().as_child_output())
    return as_rows(evaluate(server, "db", NOW, MASTERS.get(name)).users)


def changed() -> list[str]:
    """Accounts whose evaluated row is not that of the table, by catalogue."""
    return [f"{name}: {row[0]}" for name in RECORDED for row in sorted(set(expected()[name]) ^ set(evaluated(name)))]
