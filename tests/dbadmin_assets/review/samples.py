"""Small collections for the tests of the rules: requests, worker answers, records. No behaviour of their own."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dbadmin_assets.review.records import (
    CollectionObject,
    DeclaredDatabase,
    ExcludedDatabase,
    InventoryVersion,
    Outcome,
    Request,
    RequestedTarget,
    TargetRecord,
)
from dbadmin_assets.review.signature import signed_section
from dbadmin_assets.review.verdict import judge
from worker_lambda.contract import DATABASE_TYPES, DatabaseTarget, ResultLocation, WorkerRequest, collection_key


class LocalSigner:
    """Signs as KMS does, with a key of its own."""

    def __init__(self, curve: ec.EllipticCurve | None = None) -> None:
        self._key = ec.generate_private_key(curve or ec.SECP256R1())
        self.public_key = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def section(self) -> dict[str, str]:
        return signed_section(self.public_key, "arn:aws:kms:us-east-1:209371858707:key/k")

    def sign(self, document: bytes) -> bytes:
        return self._key.sign(document, ec.ECDSA(SHA256()))


ACCOUNT = "123456789012"
REGION = "us-east-1"
STARTED = "2024-01-15T14:20:00Z"
FACTS = "2024-01-15T14:22:33Z"
ENDED = "2024-01-15T14:25:00Z"
AS_OF = "2024-01-15T15:00:00Z"
QUERY = "SELECT 1"
DIGEST = hashlib.sha256(QUERY.encode()).hexdigest()


def worker_request(
    databases: dict[str, str],
    *,
    account: str = ACCOUNT,
    region: str = REGION,
    collection: str = "c0ffee00-1",
    attempt: int = 1,
) -> WorkerRequest:
    """What a worker is asked; `databases` maps names to engines."""
    return WorkerRequest(
        collection_id=collection,
        run_id="run-1",
        attempt=attempt,
        account_id=account,
        region=region,
        result=ResultLocation(
            "evidence",
            collection_key(collection, account, region, attempt),
            "us-east-1",
            f"arn:aws:iam::209371858707:role/db-admin-report-writer-{account}",
        ),
        databases=tuple(DatabaseTarget(name, engine) for name, engine in databases.items()),  # type: ignore[arg-type]
    )


def user(database: str, username: str, *, engine: str = "mysql", **other: Any) -> dict[str, Any]:
    """One adminUsers item."""
    return {
        "username": username, "role_name": "Limited User", "permission_level": "User", "last_login_date": "Unknown",
        "user_status": "Active", "account_details": {}, "database_name": database,
        "database_type": DATABASE_TYPES[engine], "collection_timestamp": FACTS, "tier": "none", "rule_id": "m9",
        "access_path": "", "principal_type": "account", "principal_class": "human", "last_login_source": "none",
        "password_changed_at": None, "auth_plugin": None, "excluded_by_policy": None, **other,
    }  # fmt: skip


def answer(
    request: WorkerRequest,
    users: list[dict[str, Any]],
    *,
    failed: dict[str, str] | None = None,
    warnings: list[tuple[str, int, str]] | None = None,
    identities: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A worker's result object that answers `request`; `failed` maps databases to reasons."""
    failed, warnings = failed or {}, warnings or []
    connections = []
    for target in request.databases:
        rows = [u for u in users if u["database_name"] == target.name and u["excluded_by_policy"] is None]
        partial = any(name == target.name and order in (1, 2) for name, order, _ in warnings)
        down = target.name in failed
        connections.append(
            {
                "name": target.name, "engine": target.engine, "product": target.engine,
                "database_type": target.database_type,
                "host": f"{target.name}.internal", "port": 3306,
                "status": "failed" if down else "partial" if partial else "complete",
                "engine_version": None if down else "8.4.3", "server_name": None, "server_time": None,
                "server_identity": None if down else (identities or {}).get(target.name, f"id-{target.name}"),
                "facts_at": None if down else FACTS, "duration_ms": 20, "rows_fetched": len(rows),
                "users": len(rows), "admins": sum(u["permission_level"] == "Admin" for u in rows),
                "queries": [] if down else [{"name": "facts", "sha256": DIGEST}],
            }
        )  # fmt: skip
    return {
        "schemaVersion": "1", "workerVersion": "0.1.0", "collectionId": request.collection_id,
        "runId": request.run_id, "attempt": request.attempt, "accountId": request.account_id,
        "region": request.region, "databaseConnections": connections, "adminUsers": users,
        "warnings": [{"database_name": d, "order": o, "text": t} for d, o, t in warnings],
        "errors": [
            {"database_name": d, "reason": r, "detail": "said so", "occurred_at": "2024-01-15T14:23:00Z"}
            for d, r in failed.items()
        ],
        "queries": {DIGEST: QUERY},
        "metadata": {
            "totalUsers": sum(c["users"] for c in connections), "totalDatabases": len(connections),
            "collectionStartTime": STARTED, "collectionEndTime": FACTS,
        },
    }  # fmt: skip


def found(request: WorkerRequest, data: bytes) -> CollectionObject:
    """Where an object lies."""
    return CollectionObject(request.result.key, "v1", hashlib.sha256(data).hexdigest(), len(data))


def encoded(value: Any) -> bytes:
    """JSON as the worker writes it."""
    return json.dumps(value).encode()


def judged(request: WorkerRequest, value: Any, **other: Any) -> Outcome:
    """The verdict on an answer; bytes are taken as they are."""
    data = value if isinstance(value, bytes) else encoded(value)
    return judge(request, data, found(request, data), started_at=STARTED, ended_at=ENDED, attempts=1, **other)


def delivered(
    request: WorkerRequest,
    users: list[dict[str, Any]],
    *,
    excluded: tuple[ExcludedDatabase, ...] = (),
    same_servers: tuple[tuple[str, str], ...] = (),
    **other: Any,
) -> tuple[TargetRecord, bytes]:
    """A target whose worker answered, and the bytes of its object."""
    data = encoded(answer(request, users, **other))
    return record(request, judged(request, data), excluded=excluded, same_servers=same_servers), data


def record(request: WorkerRequest, outcome: Outcome | None, **other: Any) -> TargetRecord:
    """The target of a request with this verdict."""
    return TargetRecord(
        account_id=request.account_id,
        account_name="payments",
        region=request.region,
        declared=tuple(DeclaredDatabase(d.name, d.engine) for d in request.databases),
        outcome=outcome,
        **other,
    )


def requested(*records: TargetRecord, run_id: str = "run-1", **other: Any) -> Request:
    """The request whose targets these are."""
    fields: dict[str, Any] = {
        "collection_id": "c0ffee00-1", "run_id": run_id, "requested_by": "alice@laptop",
        "executed_by": "arn:aws:sts::209371858707:assumed-role/db-admin-report-orchestrator/x",
        "requested_at": STARTED, "inventory": InventoryVersion("inventory.yaml", None, "ab" * 32),
        "accounts": (), "regions": (), "full_scope": True,
        "targets": tuple(
            RequestedTarget(
                account_id=r.account_id, account_name=r.account_name, region=r.region,
                declared=r.declared, excluded=r.excluded,
            )
            for r in records
        ),
    }  # fmt: skip
    return Request(**(fields | other))
