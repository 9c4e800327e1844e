"""Many databases at once, against one deadline: each ends as a result or as a recorded failure.

A collector that hangs costs only itself: its thread is left behind (a daemon, so that it cannot keep the
process), and what the others found is delivered.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker_lambda import __version__
from worker_lambda.collectors import Collector, collector_for
from worker_lambda.contract import SCHEMA_VERSION, DatabaseTarget, Reason, WorkerRequest
from worker_lambda.credentials import Credentials, load
from worker_lambda.errors import DatabaseError
from worker_lambda.result_object import (
    WARNING_SAME_SERVER,
    AdminUser,
    Collection,
    DatabaseConnection,
    DatabaseFailure,
    DatabaseResult,
    DatabaseWarning,
    Metadata,
)

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

AT_ONCE = 50
_Outcome = DatabaseResult | DatabaseFailure
_Addresses = dict[str, tuple[str, int]]


def collect(
    request: WorkerRequest,
    deadline: float,
    secrets: SecretsManagerClient,
    *,
    collector: Callable[[str], Collector] = collector_for,
) -> Collection:
    """Read every database of a request; returns at the deadline at the latest.

    Args:
        deadline: on time.monotonic()'s clock; what is not finished by then is `Deadline reached`.
        secrets: client for the logins.
        collector: finds an engine's collector; replaced by tests.
    """
    started_at = _now()
    addresses: _Addresses = {}
    outcomes = _all(request, deadline, secrets, collector, addresses)
    targets = sorted(request.databases, key=lambda target: target.name)
    in_order = sorted(outcomes.items())  # by name, not by who finished first: equal servers, equal object
    results = {name: o for name, o in in_order if isinstance(o, DatabaseResult)}
    errors = [o for _, o in in_order if not isinstance(o, DatabaseResult)]
    users = [user for result in results.values() for user in result.users]
    warnings = [w for result in results.values() for w in result.warnings] + _same_servers(results)
    queries = {sha: text for result in results.values() for sha, text in result.queries.items()}
    return {
        "schemaVersion": SCHEMA_VERSION,
        "workerVersion": __version__,
        "collectionId": request.collection_id,
        "runId": request.run_id,
        "attempt": request.attempt,
        "accountId": request.account_id,
        "region": request.region,
        "databaseConnections": [
            results[t.name].connection if t.name in results else failed_connection(t, addresses.get(t.name))
            for t in targets
        ],
        "adminUsers": users,
        "warnings": sorted(warnings, key=lambda w: (w["database_name"], w["order"], w["text"])),
        "errors": errors,
        "queries": dict(sorted(queries.items())),
        "metadata": _metadata(started_at, len(targets), users),
    }


def _metadata(started_at: str, databases: int, users: list[AdminUser]) -> Metadata:
    return {
        "totalUsers": sum(user["excluded_by_policy"] is None for user in users),
        "totalDatabases": databases,
        "collectionStartTime": started_at,
        "collectionEndTime": _now(),
    }


def _all(
    request: WorkerRequest,
    deadline: float,
    secrets: SecretsManagerClient,
    collector: Callable[[str], Collector],
    addresses: _Addresses,
) -> dict[str, _Outcome]:
    """Every database's outcome by name, whatever its thread does."""
    todo: queue.SimpleQueue[DatabaseTarget] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, _Outcome]] = queue.SimpleQueue()
    for target in request.databases:
        todo.put(target)

    def run() -> None:
        while time.monotonic() < deadline:
            try:
                target = todo.get_nowait()
            except queue.Empty:
                return
            done.put((target.name, _one(target, request, deadline, secrets, collector, addresses)))

    for n in range(min(AT_ONCE, len(request.databases))):
        threading.Thread(target=run, daemon=True, name=f"database-{n}").start()
    outcomes: dict[str, _Outcome] = {}
    while len(outcomes) < len(request.databases):
        try:
            name, outcome = done.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        outcomes[name] = outcome
    for target in request.databases:
        if target.name not in outcomes:
            detail = "not finished when the worker's time was up"
            outcomes[target.name] = failure(target, Reason.DEADLINE_REACHED, detail)
    return outcomes


def _one(
    target: DatabaseTarget,
    request: WorkerRequest,
    deadline: float,
    secrets: SecretsManagerClient,
    collector: Callable[[str], Collector],
    addresses: _Addresses,
) -> _Outcome:
    try:
        credentials: Credentials = load(target, request.region, secrets)
        addresses[target.name] = credentials.host, credentials.port
        return collector(target.engine)(target, credentials, deadline, request.account_id, request.region)
    except DatabaseError as error:
        return failure(target, error.reason, error.detail)
    except Exception as error:  # noqa: BLE001 - recorded as this database's outcome; the text may hold anything
        return failure(target, Reason.UNEXPECTED_ANSWER, f"the collector failed with {type(error).__name__}")


def failure(target: DatabaseTarget, reason: Reason, detail: str) -> DatabaseFailure:
    """The recorded reason of a database that gave no data, known now."""
    return {"database_name": target.name, "reason": reason.value, "detail": detail, "occurred_at": _now()}


def failed_connection(target: DatabaseTarget, address: tuple[str, int] | None = None) -> DatabaseConnection:
    """The item of a database that gave no data; `address`: host and port, where its secret was read."""
    host, port = address or (target.host, target.port)
    return {
        "name": target.name,
        "engine": target.engine,
        "product": None,
        "database_type": target.database_type,
        "host": host,
        "port": port,
        "status": "failed",
        "engine_version": None,
        "server_name": None,
        "server_identity": None,
        "server_time": None,
        "facts_at": None,
        "duration_ms": 0,
        "rows_fetched": 0,
        "users": 0,
        "admins": 0,
        "queries": [],
    }


def _same_servers(results: dict[str, DatabaseResult]) -> list[DatabaseWarning]:
    """Entries of this request that proved to be one server; each is told of the others."""
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name, result in results.items():
        if result.connection["server_identity"]:
            groups[result.connection["engine"], result.connection["server_identity"]].append(name)
    return [
        {
            "database_name": name,
            "order": WARNING_SAME_SERVER,
            "text": "Same server as " + ", ".join(sorted(set(names) - {name})),
        }
        for names in groups.values()
        if len(names) > 1
        for name in names
    ]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
