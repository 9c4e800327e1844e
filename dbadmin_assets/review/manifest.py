"""manifest.json: what was asked, what became of every database, and the hashes that tie the files to it.

`build_manifest` makes the facts; `sealed` adds what is known only when it gets its place in the chain.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dbadmin_assets.review.coverage import discovered
from dbadmin_assets.review.errors import UnbalancedError
from dbadmin_assets.review.records import DatabaseOutcome, Request, TargetRecord, WorkerFunction
from dbadmin_assets.review.times import seconds_between
from dbadmin_assets.review.totals import TargetTotals, Totals
from worker_lambda.contract import DATABASE_TYPES

MANIFEST_SCHEMA_VERSION = "1"

NOT_COMPARED = "not compared with an earlier report"

OUTSIDE_THE_POPULATION = (
    "IAM principals that can reset a master password or modify an instance (rds:ModifyDBInstance and the like)",
    "IAM principals that can read a database secret (secretsmanager:GetSecretValue)",
    "IAM principals with rds-db:connect",
    "members of Windows and directory groups that are logins: the group is a row, its members are not",
    "linked servers and what they may do on the other side",
    "databases that the inventory does not declare, in accounts and regions where `discovered` is not complete, and in"
    " those that the inventory does not name",
)


@dataclass(frozen=True, slots=True)
class LeftOutFile:
    """What a file of the evidence folder does not show, or why there is none; for people."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One file of the evidence folder; `sha256` is hex."""

    name: str
    sha256: str
    size_bytes: int


def build_manifest(
    requests: Sequence[Request],
    records: Sequence[TargetRecord],
    totals: Totals,
    *,
    files: Sequence[ReportFile] = (),
    collection_id: str,
    run_id: str,
    started_at: str,
    ended_at: str,
    code_version: str,
    flat: bool = False,
    full_scope: bool | None = None,
) -> dict[str, Any]:
    """The manifest of a report before it is sealed, JSON-ready.

    Args:
        requests: the requests behind it, at least one.
        records: what `write_csv` was given; `totals`: what it came to.
        files: none yet where the files are made from what this says; `with_files` puts them in.
        run_id: the run that makes the report.
        started_at: when consolidation began; ended_at: when CSV and Parquet were finished.
        full_scope: whether all of the inventory was asked for; worked out from the requests where None.

    Raises:
        UnbalancedError: where records and totals do not account for every declared database exactly once.
    """
    _check_balance(records, totals)
    requests = sorted(requests, key=lambda r: (r.requested_at, r.run_id))
    full = is_full_scope(requests, records) if full_scope is None else full_scope
    manifest = {
        "schemaVersion": MANIFEST_SCHEMA_VERSION,
        "complete": totals.databases > 0 and totals.databases == totals.complete,
        "collectionId": collection_id,
        "runId": run_id,
        "runIds": sorted({run_id, *(r.run_id for r in requests)}),
        "startedAt": started_at,
        "endedAt": ended_at,
        "codeVersion": code_version,
        "scope": {
            "full": full,
            "accounts": sorted({a for r in requests for a in r.accounts}),
            "regions": sorted({x for r in requests for x in r.regions}),
            "flat": flat,
        },
        "requests": [_request(request) for request in requests],
        "population": population(totals),
        "counts": {
            "targets": totals.targets,
            "users": totals.users,
            "admins": totals.admins,
            "excludedPrincipals": totals.excluded_principals,
            "changedCells": totals.changed_cells,
        },
        "collections": _ages(totals.per_target, ended_at),
        "targets": [_target(target, ended_at) for target in totals.per_target],
        "notDeclared": [
            {"accountId": t.record.account_id, "region": t.record.region, "name": name}
            for t in totals.per_target
            for name in t.undeclared
        ],
        "discovered": discovered((t.record, t.coverage) for t in totals.per_target),
        "outsideThePopulation": list(OUTSIDE_THE_POPULATION),
        "comparedWith": None,
        "notCompared": NOT_COMPARED,
    }
    return with_files(manifest, files)


def with_files(
    manifest: dict[str, Any], files: Sequence[ReportFile], left_out: Sequence[LeftOutFile] = ()
) -> dict[str, Any]:
    """A manifest with these files, and what they leave out."""
    return manifest | {
        "files": [{"name": f.name, "sha256": f.sha256, "sizeBytes": f.size_bytes} for f in files],
        "leftOut": [{"name": item.name, "reason": item.reason} for item in left_out],
    }


def sealed(
    manifest: dict[str, Any],
    *,
    sequence: int,
    previous_sha256: str | None,
    without_report: Sequence[dict[str, str]],
    retention: dict[str, Any],
    signature: dict[str, str],
) -> dict[str, Any]:
    """A manifest with its place in the chain.

    Args:
        manifest: of `build_manifest`.
        sequence: its number, from 1; previous_sha256: of the manifest before it, None for the first.
        without_report: collections that were asked for since the one before and have no report (yet).
        retention: how long the bucket keeps it, as it says itself.
        signature: of `signature.signed_section` or `unsigned_section`.
    """
    return manifest | {
        "sequence": sequence,
        "previousManifestSha256": previous_sha256,
        "withoutReport": list(without_report),
        "retention": retention,
        "signature": signature,
    }


def canonical_json(manifest: dict[str, Any]) -> bytes:
    """The bytes that are stored and hashed: sorted keys, ASCII, two blanks of indent, a newline at the end."""
    return json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False).encode() + b"\n"


def population(totals: Totals) -> dict[str, int]:
    """The population in databases: `declared` is the sum of the other four."""
    return {
        "declared": totals.databases + totals.excluded,
        "complete": totals.complete,
        "partial": totals.partial,
        "failed": totals.failed,
        "excluded": totals.excluded,
    }


def is_full_scope(requests: Sequence[Request], records: Sequence[TargetRecord]) -> bool:
    """Whether the targets are all of one inventory: in one request, or in several of them together."""
    if any(request.full_scope for request in requests):
        return True
    inventories = {(request.inventory.sha256, request.inventory_targets) for request in requests}
    return len(inventories) == 1 and requests[0].inventory_targets == len(records)


def _check_balance(records: Sequence[TargetRecord], totals: Totals) -> None:
    """Against the records, not the totals' own sum: a database lost while writing must show."""
    declared = [(r.key, d.name) for r in records for d in r.declared]
    declared += [(r.key, d.name) for r in records for d in r.excluded]
    told = [(t.record.key, d.name) for t in totals.per_target for d in t.databases]
    told += [(t.record.key, d.name) for t in totals.per_target for d in t.record.excluded]
    if sorted(declared) != sorted(told) or len(set(declared)) != len(declared):
        raise UnbalancedError(f"{len(declared)} databases were declared, the report accounts for {len(told)}")
    parts = population(totals)
    sum_of_parts = parts["complete"] + parts["partial"] + parts["failed"] + parts["excluded"]
    if not len(declared) == parts["declared"] == sum_of_parts:
        raise UnbalancedError(f"declared = complete + partial + failed + excluded does not hold: {parts}")


def _request(request: Request) -> dict[str, Any]:
    return {
        "runId": request.run_id,
        "requestedBy": request.requested_by,
        "executedBy": request.executed_by,
        "requestedAt": request.requested_at,
        "inventory": {
            "source": request.inventory.source,
            "version": request.inventory.version,
            "sha256": request.inventory.sha256,
        },
        "accounts": list(request.accounts),
        "regions": list(request.regions),
        "fullScope": request.full_scope,
    }


def _ages(per_target: Iterable[TargetTotals], ended_at: str) -> list[dict[str, Any]]:
    """Each collection that data was taken from, oldest verdict first."""
    oldest: dict[str, str] = {}
    for target in per_target:
        if outcome := target.record.outcome:
            oldest[outcome.collection_id] = min(outcome.ended_at, oldest.get(outcome.collection_id, outcome.ended_at))
    return [
        {"collectionId": name, "oldestEndedAt": at, "ageSeconds": int(seconds_between(at, ended_at))}
        for name, at in sorted(oldest.items(), key=lambda item: (item[1], item[0]))
    ]


def _target(target: TargetTotals, ended_at: str) -> dict[str, Any]:
    record, outcome = target.record, target.record.outcome
    entry: dict[str, Any] = {
        "accountId": record.account_id,
        "accountName": record.account_name,
        "region": record.region,
        "status": target.status,
        "databases": [_database(target, d) for d in target.databases],
        "excluded": [
            {"name": d.name, "databaseType": DATABASE_TYPES[d.engine], "reason": d.reason} for d in record.excluded
        ],
        "collectionId": None,
        "object": None,
    }
    if outcome is None:
        return entry
    entry |= {
        "collectionId": outcome.collection_id,
        "runId": outcome.run_id,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "attempts": outcome.attempts,
        "startedAt": outcome.started_at,
        "endedAt": outcome.ended_at,
        "ageSeconds": int(seconds_between(outcome.ended_at, ended_at)),
        "workerVersion": outcome.worker_version,
        "function": _function(outcome.function),
    }
    if found := outcome.object:
        entry["object"] = {
            "key": found.key,
            "versionId": found.version_id,
            "sha256": found.sha256,
            "sizeBytes": found.size_bytes,
        }
    return entry


def _function(function: WorkerFunction | None) -> dict[str, Any] | None:
    if function is None:
        return None
    return {
        "name": function.name,
        "version": function.version,
        "codeSha256": function.code_sha256,
        "reason": function.reason,
    }


def _database(target: TargetTotals, outcome: DatabaseOutcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "databaseType": DATABASE_TYPES[outcome.engine],
        "status": outcome.status,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "warning": target.warnings.get(outcome.name),
        "owner": next((d.owner for d in target.record.declared if d.name == outcome.name), None),
        "serverIdentity": outcome.server_identity,
        "users": outcome.users,
        "admins": outcome.admins,
        "rowsFetched": outcome.rows_fetched,
        "reportedAt": outcome.reported_at,
        "querySha256": list(outcome.query_sha256),
        "excludedPrincipals": list(target.excluded_principals.get(outcome.name, ())),
    }
