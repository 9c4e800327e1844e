"""How fast and how small the consolidation is: `python -m benchmarks.consolidation [--accounts 1000] [--rows 1000]`.

Writes one realistic worker object per account below a temporary directory, then measures each method in a fresh
process of its own: wall time of the whole process, interpreter start included, and its peak resident memory.
Beside ours: a plain standard-library stream (json, csv, no checks), and pandas where it is installed. Prints
figures and asserts nothing: on a shared machine a figure is no test.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

AT = "2024-01-15T14:22:33Z"
DATABASES = 5
QUERY = "SELECT kind, user, host, value FROM facts"


def main() -> None:
    """Generate the data, measure every method, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1000, help="rows per account")
    parser.add_argument("--repeat", type=int, default=3, help="runs per method; the best is printed too")
    parser.add_argument("--method", choices=sorted(METHODS), help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.method:
        METHODS[options.method](options.directory)
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
        print(peak_kib)
        return
    with tempfile.TemporaryDirectory(prefix="consolidation-") as temporary:
        directory = Path(temporary)
        size = generate(directory, options.accounts, options.rows)
        print(f"{options.accounts * options.rows:,} rows, {options.accounts:,} objects, {size / 1e6:.0f} MB of JSON")
        print(f"Python {sys.version.split()[0]}; whole process, {options.repeat} runs each, best and worst")
        for method in METHODS:
            if method == "pandas" and importlib.util.find_spec("pandas") is None:
                print("pandas      not installed, not measured")
                continue
            _report(method, directory, options.repeat)


def _report(method: str, directory: Path, repeat: int) -> None:
    walls, peaks = [], []
    command = [sys.executable, "-m", "benchmarks.consolidation", "--method", method, "--directory", str(directory)]
    for _ in range(repeat):
        start = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        walls.append(time.perf_counter() - start)
        peaks.append(int(done.stdout) / 1024)
    size = (directory / f"{method}.csv").stat().st_size
    wall = f"{min(walls):6.2f} to {max(walls):6.2f} s"
    print(f"{method:<11} {wall}   peak RSS {max(peaks):7.1f} MiB   CSV {size / 1e6:.0f} MB")


# --- the data ---------------------------------------------------------------------------------


def generate(directory: Path, accounts: int, rows: int) -> int:
    """One object of `rows` rows and its outcome per account; returns the bytes of all objects."""
    from dbadmin_assets.review.records import CollectionObject
    from dbadmin_assets.review.verdict import judge

    total = 0
    for number in range(accounts):
        account = f"{100_000_000_000 + number}"
        request = _request(account)
        data = json.dumps(_answer(account, number, rows), separators=(",", ":")).encode()
        found = CollectionObject(request.result.key, "v1", hashlib.sha256(data).hexdigest(), len(data))
        outcome = judge(request, data, found, started_at=AT, ended_at=AT, attempts=1)
        if outcome.status != "complete":
            raise SystemExit(f"the generated data is not valid: {outcome.detail}")
        (directory / f"{account}.json").write_bytes(data)
        (directory / f"{account}.outcome").write_bytes(outcome.to_json())
        total += len(data)
    return total


def _request(account: str) -> Any:
    from worker_lambda.contract import DatabaseTarget, ResultLocation, WorkerRequest, collection_key

    key = collection_key("c0ffee00", account, "us-east-1", 1)
    return WorkerRequest(
        collection_id="c0ffee00", run_id="run-1", attempt=1, account_id=account, region="us-east-1",
        result=ResultLocation("evidence", key, "us-east-1", f"arn:aws:iam::{account}:role/writer"),
        databases=tuple(DatabaseTarget(_name(i), _engine(i)) for i in range(DATABASES)),
    )  # fmt: skip


def _name(index: int) -> str:
    return f"prod-{_engine(index)}-{index:02d}"


def _engine(index: int) -> Any:
    return "mssql" if index % 2 else "mysql"


def _answer(account: str, number: int, rows: int) -> dict[str, Any]:
    users = [_user(number, row, row % DATABASES) for row in range(rows)]
    query = hashlib.sha256(QUERY.encode()).hexdigest()
    connections = []
    for index in range(DATABASES):
        own = [u for u in users if u["database_name"] == _name(index)]
        connections.append(
            {
                "name": _name(index), "engine": _engine(index), "product": _engine(index),
                "database_type": "MSSQL" if index % 2 else "MySQL", "host": f"db{index}.{account}.internal",
                "port": 1433 if index % 2 else 3306, "status": "complete", "engine_version": "8.4.3",
                "server_name": f"ip-10-0-0-{index}", "server_identity": f"{account}-{index}", "server_time": AT,
                "facts_at": AT, "duration_ms": 212, "rows_fetched": 3 * len(own), "users": len(own),
                "admins": sum(u["permission_level"] == "Admin" for u in own),
                "queries": [{"name": "facts", "sha256": query}],
            }
        )  # fmt: skip
    return {
        "schemaVersion": "1", "workerVersion": "0.1.0", "collectionId": "c0ffee00", "runId": "run-1", "attempt": 1,
        "accountId": account, "region": "us-east-1", "databaseConnections": connections, "adminUsers": users,
        "warnings": [], "errors": [], "queries": {query: QUERY},
        "metadata": {"totalUsers": rows, "totalDatabases": DATABASES,
                     "collectionStartTime": AT, "collectionEndTime": AT},
    }  # fmt: skip


def _user(number: int, row: int, database: int) -> dict[str, Any]:
    admin = row % 10 == 0
    return {
        "username": f"user{(row * 7919 + number) % 100_003:06d}@10.0.%", "role_name": _role(row),
        "permission_level": "Admin" if admin else "User", "last_login_date": "Unknown",
        "user_status": "Active" if row % 7 else "Disabled; Locked", "account_details": {},
        "database_name": _name(database), "database_type": "MSSQL" if database % 2 else "MySQL",
        "collection_timestamp": AT, "tier": "0" if admin else "none",
        "rule_id": "m1" if admin else "m9", "access_path": "", "principal_type": "account",
        "principal_class": "human", "last_login_source": "none", "password_changed_at": None,
        "auth_plugin": None, "excluded_by_policy": None,
    }  # fmt: skip


def _role(row: int) -> str:
    return "Full Admin (ALL on *.*, SUPER via r_top)" if row % 10 == 0 else "Limited User"


# --- the methods ------------------------------------------------------------------------------


def ours(directory: Path) -> None:
    """CSV, Parquet and manifest, everything included: checks, neutral cells, sorting, hashes."""
    from dbadmin_assets.review.consolidate import write_csv
    from dbadmin_assets.review.detail import DetailFile
    from dbadmin_assets.review.manifest import ReportFile, build_manifest, canonical_json
    from dbadmin_assets.review.records import DeclaredDatabase, InventoryVersion, Outcome, Request, TargetRecord

    records: list[TargetRecord] = []

    def pairs() -> Iterator[tuple[TargetRecord, bytes]]:
        for path in sorted(directory.glob("*.json")):
            outcome = Outcome.from_json(path.with_suffix(".outcome").read_bytes())
            declared = tuple(DeclaredDatabase(d.name, d.engine) for d in outcome.databases)
            record = TargetRecord(
                account_id=outcome.account_id, region=outcome.region, declared=declared, outcome=outcome
            )
            records.append(record)
            yield record, path.read_bytes()

    with (directory / "ours.csv").open("wb") as out, DetailFile(directory / "report.parquet") as details:
        totals = write_csv(pairs(), out, details=details, as_of=AT)
    with (directory / "report.parquet").open("rb") as file:
        parquet = hashlib.file_digest(file, "sha256").hexdigest()
    request = Request(
        collection_id="c0ffee00", run_id="run-1", requested_by="a@b", executed_by="arn", requested_at=AT,
        inventory=InventoryVersion("inventory.yaml", None, "0" * 64),
        accounts=(), regions=(), full_scope=True, targets=(),
    )  # fmt: skip
    sizes = {"report.parquet": (parquet, (directory / "report.parquet").stat().st_size),
             "ours.csv": (totals.csv_sha256, totals.csv_size_bytes)}  # fmt: skip
    manifest = build_manifest(
        [request], records, totals, files=[ReportFile(name, *found) for name, found in sizes.items()],
        collection_id="c0ffee00", run_id="run-1", started_at=AT, ended_at=AT, code_version="0.1.0",
    )  # fmt: skip
    (directory / "manifest.json.out").write_bytes(canonical_json(manifest))


def standard_library(directory: Path) -> None:
    """json.load and csv.writer, account by account: no checks, no neutral cells, no section rows, no hashes."""
    with (directory / "stdlib.csv").open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        for path in sorted(directory.glob("*.json")):
            answer = json.loads(path.read_bytes())
            account, region = answer["accountId"], answer["region"]
            writer.writerows(sorted(_plain_row(account, region, user) for user in answer["adminUsers"]))


def pandas_frame(directory: Path) -> None:
    """All rows in one DataFrame, sorted, to_csv; no checks either."""
    import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]

    frames = []
    for path in sorted(directory.glob("*.json")):
        answer = json.loads(path.read_bytes())
        account, region = answer["accountId"], answer["region"]
        frames.append(pd.DataFrame([_plain_row(account, region, user) for user in answer["adminUsers"]]))
    frame = pd.concat(frames).sort_values([0, 2, 4, 1])
    frame.to_csv(directory / "pandas.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")


def _plain_row(account: str, region: str, user: dict[str, Any]) -> tuple[str, ...]:
    return (
        account, region, user["database_name"], user["database_type"], user["username"], user["role_name"],
        user["permission_level"], user["last_login_date"], user["user_status"], user["collection_timestamp"],
    )  # fmt: skip


METHODS = {"ours": ours, "stdlib": standard_library, "pandas": pandas_frame}

if __name__ == "__main__":
    main()
