"""Small sealed reports for the tests of the comparison, made by the very code that makes reports."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.sealed_alone import sealed_alone
from dbadmin_assets.review.consolidate import Pair, write_csv
from dbadmin_assets.review.detail import DetailFile
from dbadmin_assets.review.diff import Comparison, Sealed, compare
from dbadmin_assets.review.folder import CSV_NAME, PARQUET_NAME, report_folder
from dbadmin_assets.review.manifest import ReportFile, build_manifest, canonical_json
from dbadmin_assets.review.records import ExcludedDatabase, TargetRecord
from tests.dbadmin_assets.review.samples import (
    ACCOUNT,
    AS_OF,
    REGION,
    STARTED,
    delivered,
    requested,
    user,
    worker_request,
)

Place = tuple[str, str, str]


@dataclass
class Db:
    """A database entry: who is on it, or why nobody is known to be."""

    users: list[dict[str, Any]] = field(default_factory=list)
    engine: str = "mysql"
    failed: str | None = None
    partial: bool = False
    excluded: str | None = None
    identity: str | None = None


def who(name: str, tier: str = "none", *, sid: str | None = None, **more: Any) -> dict[str, Any]:
    """A principal, its role and level following from its tier as the worker has them."""
    level = {"0": "Admin", "1": "PROCESS", "2": "ALL on app", "none": "User"}[tier]
    details = {"sid": sid} if sid else {}
    return {"username": name, "tier": tier, "permission_level": level, "role_name": f"Role {tier}",
            "account_details": details, **more}  # fmt: skip


def build(
    folder: Path, databases: dict[Place, Db], *, ended_at: str = AS_OF, sequence: int = 1, **request: Any
) -> dict[str, Any]:
    """Write a report's files into a folder; its manifest.

    Args:
        sequence: its number in the chain.
        request: of the Request: `accounts`, `regions`, `full_scope`, `collection_id` and so on.
    """
    by_target: defaultdict[tuple[str, str], dict[str, Db]] = defaultdict(dict)
    for (account, region, name), db in databases.items():
        by_target[account, region][name] = db
    pairs = [_target(*place, by_target[place]) for place in sorted(by_target)]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / CSV_NAME).open("wb") as csv, DetailFile(folder / PARQUET_NAME) as details:
        totals = write_csv(pairs, csv, details=details, as_of=ended_at)
    records = [record for record, _ in pairs]
    collection = request.get("collection_id", "c0ffee00-1")
    asked = requested(*records, **request)
    made = build_manifest(
        [asked], records, totals, files=[described(folder / name) for name in (CSV_NAME, PARQUET_NAME)],
        collection_id=collection, run_id=asked.run_id, started_at=STARTED, ended_at=ended_at, code_version="0.1.0",
    )  # fmt: skip
    manifest = sealed_alone(made) | {"sequence": sequence}
    (folder / "manifest.json").write_bytes(canonical_json(manifest))
    return manifest


def described(path: Path) -> ReportFile:
    import hashlib

    data = path.read_bytes()
    return ReportFile(path.name, hashlib.sha256(data).hexdigest(), len(data))


def folder_of(manifest: dict[str, Any]) -> str:
    """Its place in the bucket."""
    return report_folder(manifest["endedAt"], manifest["collectionId"])


def _target(account: str, region: str, databases: dict[str, Db]) -> Pair:
    wanted = {name: db for name, db in databases.items() if db.excluded is None}
    request = worker_request({name: db.engine for name, db in wanted.items()}, account=account, region=region)
    excluded = tuple(ExcludedDatabase(name, db.engine, db.excluded) for name, db in databases.items() if db.excluded)
    if not wanted:
        record = TargetRecord(account_id=account, region=region, declared=(), excluded=excluded, outcome=None)
        return record, None
    users = [user(name, engine=db.engine, **person) for name, db in wanted.items() for person in db.users]
    return delivered(
        request, users, excluded=excluded,
        failed={name: db.failed for name, db in wanted.items() if db.failed},
        warnings=[(name, 1, "Incomplete: login lacks X") for name, db in wanted.items() if db.partial],
        identities={name: db.identity for name, db in wanted.items() if db.identity},
    )  # fmt: skip


def compared(tmp: Path, before: dict[Any, Db], after: dict[Any, Db], **requests: Any) -> Comparison:
    """The comparison of two reports. Databases by name alone lie in one account and region.

    Args:
        requests: `before_request`, `after_request`.
    """
    sides = []
    for name, databases in (("before", before), ("after", after)):
        placed = {key if isinstance(key, tuple) else (ACCOUNT, REGION, key): db for key, db in databases.items()}
        manifest = build(tmp / name, placed, **requests.get(f"{name}_request", {}))
        sides.append(Sealed(manifest, tmp / name / PARQUET_NAME))
    return compare(*sides)


def told(comparison: Comparison) -> dict[str, tuple[str, ...]]:
    """Username to kinds."""
    return {change.named.username: change.kinds for change in comparison.principals}


def told_of_databases(comparison: Comparison) -> dict[str, tuple[str, ...]]:
    """Database name to kinds."""
    return {change.pair.named.name: change.kinds for change in comparison.databases}
