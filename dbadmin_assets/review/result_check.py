"""Whether a worker's result object answers the request it was made for: every way in which it may not.

The worker runs in another account, with code that may be older or broken there. So nothing of its object is
believed before it agrees with the request and with itself; one disagreement refuses the whole object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection as Sized
from collections.abc import Iterator

from dbadmin_assets.review.times import whole_seconds
from worker_lambda.contract import DATABASE_TYPES, Reason, WorkerRequest
from worker_lambda.result_object import (
    WARNING_INCOMPLETE_DATABASES,
    WARNING_INCOMPLETE_RIGHTS,
    Collection,
    DatabaseConnection,
)

INCOMPLETE_WARNINGS = (WARNING_INCOMPLETE_RIGHTS, WARNING_INCOMPLETE_DATABASES)
ADMIN = "Admin"

_REASONS = frozenset(reason.value for reason in Reason)


def problems(request: WorkerRequest, answer: Collection, run_ids: Sized[str]) -> list[str]:
    """Everything that is wrong with an object of the right shape; empty means that it can be believed.

    Args:
        request: what the worker was asked.
        answer: the decoded object.
        run_ids: runs of this collection whose workers may have delivered it.

    Returns:
        One sentence per problem, naming databases and fields, never principals.
    """
    found = [*_identity(request, answer, run_ids), *_population(request, answer)]
    if found:
        return found  # the rest compares databases by name, which makes sense only for the right ones
    connections = {c["name"]: c for c in answer["databaseConnections"]}
    return [
        *_statuses(connections, answer),
        *_times(connections, answer),
        *_rows(connections, answer),
        *_totals(connections, answer),
    ]


def _identity(request: WorkerRequest, answer: Collection, run_ids: Sized[str]) -> Iterator[str]:
    wanted: list[tuple[str, object, object]] = [
        ("collectionId", answer["collectionId"], request.collection_id),
        ("accountId", answer["accountId"], request.account_id),
        ("region", answer["region"], request.region),
        ("attempt", answer["attempt"], request.attempt),
    ]
    for field, value, expected in wanted:
        if value != expected:
            yield f"{field} is {_shown(value)}, asked for was {expected!r}"
    if answer["runId"] not in run_ids:
        yield f"runId is {_shown(answer['runId'])}, asked was by {' or '.join(map(repr, run_ids))}"


def _population(request: WorkerRequest, answer: Collection) -> Iterator[str]:
    declared = {d.name: d.engine for d in request.databases}
    counts = Counter(c["name"] for c in answer["databaseConnections"])
    for name in sorted(declared.keys() - counts.keys()):
        yield f"database {name!r} was asked for and is missing"
    for name in sorted(counts.keys() - declared.keys()):
        yield f"database {_shown(name)} was not asked for"
    for name, count in sorted(counts.items()):
        if count > 1:
            yield f"database {_shown(name)} is there {count} times"
    for connection in answer["databaseConnections"]:
        engine = declared.get(connection["name"])
        if engine is None:
            continue
        if connection["engine"] != engine:
            yield f"database {connection['name']!r} has engine {_shown(connection['engine'])}, not {engine!r}"
        elif connection["database_type"] != DATABASE_TYPES[engine]:
            yield f"database {connection['name']!r} has database_type {_shown(connection['database_type'])}"


def _statuses(connections: dict[str, DatabaseConnection], answer: Collection) -> Iterator[str]:
    """failed means exactly one error, partial an `Incomplete:` warning, complete neither."""
    errors = Counter(e["database_name"] for e in answer["errors"])
    incomplete = {w["database_name"] for w in answer["warnings"] if w["order"] in INCOMPLETE_WARNINGS}
    named = [("errors", name) for name in errors]
    named += [("warnings", name) for name in {w["database_name"] for w in answer["warnings"]}]
    yield from (f"{place} names database {_shown(name)}" for place, name in sorted(named) if name not in connections)
    for error in answer["errors"]:
        if error["reason"] not in _REASONS:
            yield f"database {_shown(error['database_name'])} failed for an unknown reason: {_shown(error['reason'])}"
    for name, connection in sorted(connections.items()):
        status = connection["status"]
        if errors[name] != (1 if status == "failed" else 0):
            yield f"database {name!r} is {status} and has {errors[name]} errors"
        if (name in incomplete) != (status == "partial") and status != "failed":
            yield f"database {name!r} is {status} and has {'an' if name in incomplete else 'no'} Incomplete: warning"


def _times(connections: dict[str, DatabaseConnection], answer: Collection) -> Iterator[str]:
    for name, connection in sorted(connections.items()):
        if connection["status"] != "failed" and not _is_time(connection["facts_at"]):
            yield f"database {name!r} has facts_at {_shown(connection['facts_at'])}"
    for error in answer["errors"]:
        if not _is_time(error["occurred_at"]):
            yield f"the error of database {error['database_name']!r} has occurred_at {_shown(error['occurred_at'])}"


def _rows(connections: dict[str, DatabaseConnection], answer: Collection) -> Iterator[str]:
    """Rows belong to a database that was read, at the time it was read; and they are as many as it says."""
    users: Counter[str] = Counter()
    admins: Counter[str] = Counter()
    odd: Counter[str] = Counter()
    for row in answer["adminUsers"]:
        name = row["database_name"]
        connection = connections.get(name)
        if connection is None or connection["status"] == "failed":
            odd[f"adminUsers holds rows of database {_shown(name)}, which was not read"] += 1
        elif row["database_type"] != connection["database_type"]:
            odd[f"rows of database {name!r} have another database_type"] += 1
        elif row["collection_timestamp"] != connection["facts_at"]:
            odd[f"rows of database {name!r} have another collection_timestamp than its facts_at"] += 1
        elif row["excluded_by_policy"] is None:
            users[name] += 1
            admins[name] += row["permission_level"] == ADMIN
    yield from sorted(odd)
    for name, connection in sorted(connections.items()):
        if (connection["users"], connection["admins"]) != (users[name], admins[name]):
            yield (
                f"database {name!r} says {connection['users']} users and {connection['admins']} admins, "
                f"its rows are {users[name]} and {admins[name]}"
            )


def _totals(connections: dict[str, DatabaseConnection], answer: Collection) -> Iterator[str]:
    said = answer["metadata"]
    users = sum(c["users"] for c in connections.values())
    if said["totalDatabases"] != len(connections):
        yield f"totalDatabases is {said['totalDatabases']}, there are {len(connections)}"
    if said["totalUsers"] != users:
        yield f"totalUsers is {said['totalUsers']}, there are {users}"
    used = {q["sha256"] for c in connections.values() for q in c["queries"]}
    yield from (f"the text of query {_shown(digest)} is missing" for digest in sorted(used - answer["queries"].keys()))


def _is_time(text: str | None) -> bool:
    try:
        whole_seconds(text or "")
    except ValueError:
        return False
    return True


def _shown(value: object) -> str:
    """A value from the object, cut: it may be anything, of any length."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
