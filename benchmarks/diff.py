"""How fast and how small `diff` is: the whole command on two downloaded reports of 1,000,000 rows each, 2 % changed.

Checking the files' hashes is in it. Beside it pandas, where it is installed: one outer merge of the columns that are
compared, no checks, no databases, nothing written.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measured import as_child, in_fresh_interpreter, peak_mib, spread
from benchmarks.sealed_alone import sealed_alone

AT = {"before": "2024-01-15T14:22:33Z", "after": "2024-01-16T14:22:33Z"}
ACCOUNTS, DATABASES, USERS = 1000, 5, 200
CHANGED_EVERY = 50
REPEAT = 5


def main() -> None:
    """Make both reports in processes of their own, then time each method on them in turn."""
    with tempfile.TemporaryDirectory(prefix="diff-") as temporary:
        folders = [str(Path(temporary, side)) for side in AT]
        for side, folder in zip(AT, folders, strict=True):
            subprocess.run([sys.executable, "-m", "benchmarks.diff", side, folder], check=True)
        size = sum(Path(folder, "report.parquet").stat().st_size for folder in folders)
        print(f"two reports of {ACCOUNTS * DATABASES * USERS:,} rows, {size / 1e6:.0f} MB of Parquet together")
        print(f"whole process, {REPEAT} runs each in turn: seconds, peak resident MiB, what it found")
        methods = ["diff", *(["pandas"] if importlib.util.find_spec("pandas") else [])]
        walls: dict[str, list[float]] = {method: [] for method in methods}
        answers: dict[str, Any] = {}
        for _ in range(REPEAT):
            for method in methods:
                began = time.perf_counter()
                answers[method] = in_fresh_interpreter("benchmarks.diff", {"method": method, "folders": folders})
                walls[method].append(time.perf_counter() - began)
        for method in methods:
            print(f"{method:<7} {spread(walls[method])} s   {answers[method]['peak_mib']:.0f} MiB   "
                  f"{answers[method]['found']}")  # fmt: skip
        if len(methods) == 1:
            print("pandas  not installed, not measured")


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """One method, in this process."""
    found = {"diff": command, "pandas": pandas_merge}[request["method"]](*request["folders"])
    return {"found": found, "peak_mib": peak_mib()}


def command(before: str, after: str) -> str:
    """`db-admin-report diff BEFORE AFTER --json`, as the shell runs it."""
    from dbadmin_assets.cli.main import cli

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        cli.main(["diff", before, after, "--json"])
    return str(json.loads(out.getvalue())["summary"])


def pandas_merge(before: str, after: str) -> str:
    """What a script would do."""
    import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]

    key = ["account_id", "region", "database_name", "principal_id"]
    compared = ["username", "tier", "role_name", "permission_level", "user_status", "excluded_by_policy"]
    old, new = (pd.read_parquet(Path(folder, "report.parquet"), columns=key + compared) for folder in (before, after))
    both = old.merge(new, on=key, how="outer", suffixes=("_before", "_after"), indicator=True)
    differs = both["_merge"] != "both"
    for name in compared:
        differs |= both[f"{name}_before"].fillna("") != both[f"{name}_after"].fillna("")
    return f"{int(differs.sum())} changed"


# --- the data ---------------------------------------------------------------------------------


def make(side: str, folder: Path) -> None:
    """One report: its detail rows, a CSV that nobody reads, a manifest that holds."""
    from dbadmin_assets.review.detail import DetailFile
    from dbadmin_assets.review.manifest import ReportFile, build_manifest, canonical_json
    from dbadmin_assets.review.records import InventoryVersion, Request
    from dbadmin_assets.review.totals import add_up

    folder.mkdir()
    (folder / "db-admin-report.csv").write_bytes(b"")
    targets = []
    with DetailFile(folder / "report.parquet") as details:
        for record, users in _accounts(side):
            databases = [_values(record, name) for name in _names()]
            details.add([(user, number) for number, each in enumerate(users) for user in each], databases)
            targets.append(_totals(record, users))
    files = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        files.append(ReportFile(path.name, hashlib.sha256(data).hexdigest(), len(data)))
    request = Request(
        collection_id=side, run_id="run-1", requested_by="a@b", executed_by="arn", requested_at=AT[side],
        inventory=InventoryVersion("inventory.yaml", None, "0" * 64),
        accounts=(), regions=(), full_scope=True, targets=(),
    )  # fmt: skip
    manifest = build_manifest(
        [request], [t.record for t in targets], add_up(targets, csv_sha256="", csv_size_bytes=0), files=files,
        collection_id=side, run_id="run-1", started_at=AT[side], ended_at=AT[side], code_version="0.1.0",
    )  # fmt: skip
    (folder / "manifest.json").write_bytes(canonical_json(sealed_alone(manifest)))


def _names() -> list[str]:
    return [f"prod-mssql-{number:02d}" for number in range(DATABASES)]


def _accounts(side: str) -> Iterator[tuple[Any, list[list[Any]]]]:
    from dbadmin_assets.review.records import CollectionObject, DatabaseOutcome, DeclaredDatabase, Outcome, TargetRecord

    for number in range(ACCOUNTS):
        account = f"{100_000_000_000 + number}"
        users = [[_user(side, number, database, row) for row in range(USERS)] for database in range(DATABASES)]
        outcomes = tuple(
            DatabaseOutcome(
                name=name, engine="mssql", status="complete", users=len(each), reported_at=AT[side],
                admins=sum(user.permission_level == "Admin" for user in each), server_identity=f"{account}-{name}",
            )
            for name, each in zip(_names(), users, strict=True)
        )  # fmt: skip
        outcome = Outcome(
            collection_id=side, run_id="run-1", account_id=account, region="us-east-1", status="complete", attempts=1,
            started_at=AT[side], ended_at=AT[side], databases=outcomes,
            object=CollectionObject(f"collections/{account}", None, "0" * 64, 1),
        )  # fmt: skip
        declared = tuple(DeclaredDatabase(name, "mssql") for name in _names())
        yield TargetRecord(account_id=account, region="us-east-1", declared=declared, outcome=outcome), users


def _user(side: str, account: int, database: int, row: int) -> Any:
    from dbadmin_assets.review.settle import ResultDetails, ResultUser

    place = (account * DATABASES + database) * USERS + row
    change = place // CHANGED_EVERY % 4 if side == "after" and place % CHANGED_EVERY == 0 else None
    admin = (row % 10 == 0) != (change == 1)
    name = f"user{(row * 7919 + account) % 100_003:06d}"
    sid = hashlib.sha256(f"{place}{'new' * (change == 0)}".encode()).hexdigest()[:32]
    return ResultUser(
        database_name=_names()[database], username=f"{name}-renamed" if change == 2 else name,
        role_name="System Admin (sysadmin)" if admin else "User", permission_level="Admin" if admin else "User",
        last_login_date="Unknown", user_status="Disabled" if change == 3 else "Active",
        account_details=ResultDetails(sid=f"0x{sid}"), tier="0" if admin else "none", rule_id="s1" if admin else "s9",
        access_path=f"{name}: sysadmin" if admin else "", principal_type="SQL_LOGIN", principal_class="human",
        last_login_source="", password_changed_at=None, auth_plugin=None, excluded_by_policy=None,
    )  # fmt: skip


def _values(record: Any, name: str) -> tuple[Any, ...]:
    from dbadmin_assets.review.detail import database_values
    from dbadmin_assets.review.settle import ResultConnection

    outcome = next(d for d in record.outcome.databases if d.name == name)
    host = f"{name}.{record.account_id}.internal"
    return database_values(
        record, outcome, ResultConnection(name, "sqlserver", host, "16.0", host, outcome.server_identity)
    )


def _totals(record: Any, users: list[list[Any]]) -> Any:
    from dbadmin_assets.review.totals import TargetTotals

    del users
    return TargetTotals(record=record, status="complete", databases=record.outcome.databases)


if __name__ == "__main__" and not as_child(measure):
    if sys.argv[1:]:
        make(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
