"""The verdict on one target: from the worker's result object, or from why there is none, to an `Outcome`.

An outcome names every database that was asked for, whatever came back.
"""

from __future__ import annotations

import hashlib
from collections import Counter

import msgspec

from dbadmin_assets.review.records import CollectionObject, DatabaseOutcome, Outcome, Status
from dbadmin_assets.review.result_check import INCOMPLETE_WARNINGS, problems
from dbadmin_assets.review.times import whole_seconds
from worker_lambda.contract import SCHEMA_VERSION, Reason, WorkerRequest
from worker_lambda.result_object import Collection, DatabaseConnection, DatabaseFailure

_MOST_PROBLEMS = 5
_MOST_DETAIL = 2000
_COLLECTION = msgspec.json.Decoder(Collection)


class InvalidAnswerError(ValueError):
    """The bytes are no result object of this schema version; the message says what they are."""


class _Version(msgspec.Struct):
    schemaVersion: str


def judge(
    request: WorkerRequest,
    data: bytes,
    found: CollectionObject,
    *,
    started_at: str,
    ended_at: str,
    attempts: int,
    run_ids: tuple[str, ...] = (),
) -> Outcome:
    """The outcome that a delivered result object gives.

    Args:
        request: what the worker was asked.
        data: the object's bytes.
        found: where they were found, and their digest.
        started_at: when the first attempt began; ended_at: now.
        attempts: invocations that were made.
        run_ids: further runs of the same collection that may have asked for this object.

    Returns:
        complete when every database is complete; failed when none gave data, or when the object does not
        answer the request (Reason.INVALID_ANSWER, the detail names what is wrong); else partial.
    """
    try:
        if (len(data), hashlib.sha256(data).hexdigest()) != (found.size_bytes, found.sha256):
            raise InvalidAnswerError("the bytes do not have the size and sha256 that they were announced with")
        answer = decode(data)
        if wrong := problems(request, answer, (request.run_id, *run_ids)):
            more = f"; and {len(wrong) - _MOST_PROBLEMS} more" if len(wrong) > _MOST_PROBLEMS else ""
            raise InvalidAnswerError("; ".join(wrong[:_MOST_PROBLEMS]) + more)
    except InvalidAnswerError as error:
        return failure(
            request, Reason.INVALID_ANSWER, str(error),
            started_at=started_at, ended_at=ended_at, attempts=attempts, found=found,
        )  # fmt: skip
    databases = _databases(request, answer)
    status = overall(tuple(d.status for d in databases))
    return Outcome(
        collection_id=request.collection_id,
        run_id=answer["runId"],
        account_id=request.account_id,
        region=request.region,
        status=status,
        reason=databases[0].reason if status == "failed" else None,
        detail=_failed_detail(databases),
        attempts=attempts,
        started_at=started_at,
        ended_at=ended_at,
        object=found,
        databases=databases,
        worker_version=answer["workerVersion"],
    )


def failure(
    request: WorkerRequest,
    reason: Reason,
    detail: str,
    *,
    started_at: str,
    ended_at: str,
    attempts: int,
    found: CollectionObject | None = None,
) -> Outcome:
    """The outcome of a target that gave no data: every database asked for failed for that one reason.

    Args:
        found: the object, where there is one that cannot be believed.
    """
    detail = detail[:_MOST_DETAIL]
    return Outcome(
        collection_id=request.collection_id,
        run_id=request.run_id,
        account_id=request.account_id,
        region=request.region,
        status="failed",
        reason=reason.value,
        detail=detail,
        attempts=attempts,
        started_at=started_at,
        ended_at=ended_at,
        object=found,
        databases=tuple(
            DatabaseOutcome(name=d.name, engine=d.engine, status="failed", reason=reason.value, reported_at=ended_at)
            for d in sorted(request.databases, key=lambda d: d.name)
        ),
    )


def overall(statuses: tuple[Status, ...]) -> Status:
    """The status of a target from those of its databases."""
    if statuses and all(status == "failed" for status in statuses):
        return "failed"
    return "complete" if all(status == "complete" for status in statuses) else "partial"


def decode(data: bytes) -> Collection:
    """Read a result object.

    Raises:
        InvalidAnswerError: where it is no result object of this schema version.
    """
    try:
        version = msgspec.json.decode(data, type=_Version).schemaVersion
        if version != SCHEMA_VERSION:
            raise InvalidAnswerError(f"the object has schemaVersion {version[:20]!r}, not {SCHEMA_VERSION!r}")
        return _COLLECTION.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidAnswerError(f"the object is {_looks_like(data)}: {str(error)[:300]}") from error


def _looks_like(data: bytes) -> str:
    start = data.lstrip()[:1]
    if not start:
        return "empty"
    if start == b"<":
        return "HTML or XML, not JSON"
    return "not a result object" if start == b"{" else "not JSON of the agreed form"


def _databases(request: WorkerRequest, answer: Collection) -> tuple[DatabaseOutcome, ...]:
    errors = {error["database_name"]: error for error in answer["errors"]}
    unseen = {name: "; ".join(texts) for name, texts in _incomplete(answer).items()}
    connections = {connection["name"]: connection for connection in answer["databaseConnections"]}
    return tuple(
        _database(target.engine, connections[target.name], errors.get(target.name), unseen.get(target.name))
        for target in sorted(request.databases, key=lambda d: d.name)
    )


def _incomplete(answer: Collection) -> dict[str, list[str]]:
    """By database, what its reader could not see, in the order of the WARNING row."""
    found: dict[str, list[str]] = {}
    for warning in sorted(answer["warnings"], key=lambda w: w["order"]):
        if warning["order"] in INCOMPLETE_WARNINGS:
            found.setdefault(warning["database_name"], []).append(warning["text"])
    return found


def _database(
    engine: str, connection: DatabaseConnection, error: DatabaseFailure | None, unseen: str | None
) -> DatabaseOutcome:
    detail = error["detail"] if error else unseen
    return DatabaseOutcome(
        name=connection["name"],
        engine=engine,
        status=connection["status"],
        users=connection["users"],
        admins=connection["admins"],
        rows_fetched=connection["rows_fetched"],
        reason=error["reason"] if error else None,
        detail=detail[:_MOST_DETAIL] if detail else None,
        reported_at=whole_seconds(error["occurred_at"] if error else connection["facts_at"] or ""),
        query_sha256=tuple(sorted({query["sha256"] for query in connection["queries"]})),
        server_identity=connection["server_identity"],
    )


def _failed_detail(databases: tuple[DatabaseOutcome, ...]) -> str | None:
    """`2 of 5 databases failed: Connection Failed: Timed out (2)`; None where none failed."""
    reasons = Counter(d.reason or "" for d in databases if d.status == "failed")
    if not reasons:
        return None
    listed = ", ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))
    return f"{reasons.total()} of {len(databases)} databases failed: {listed}"[:_MOST_DETAIL]
