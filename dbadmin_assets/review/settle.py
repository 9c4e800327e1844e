"""The last word on a target when a report is made: its verdict held against the object as it is now.

Between verdict and report an object can vanish or change, and the inventory can gain a database. Whatever cannot
be shown becomes a failed database, never a missing one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import msgspec

from dbadmin_assets.review.errors import ContradictionError
from dbadmin_assets.review.records import CollectionObject, DatabaseOutcome, DeclaredDatabase, TargetRecord
from worker_lambda.contract import Reason


class ResultDetails(msgspec.Struct, gc=False):
    """The part of `account_details` that tells principals apart: SQL Server's alone has it."""

    sid: str | None = None
    database: str | None = None


class ResultUser(msgspec.Struct, gc=False):
    """result_object.AdminUser without what every row of a database has in common."""

    database_name: str
    username: str
    role_name: str
    permission_level: str
    last_login_date: str
    user_status: str
    account_details: ResultDetails
    tier: str
    rule_id: str
    access_path: str
    principal_type: str
    principal_class: str
    last_login_source: str
    password_changed_at: str | None
    auth_plugin: str | None
    excluded_by_policy: str | None

    def principal_id(self) -> str:
        """What stays when a principal is renamed: a login's sid, a contained user's with its database, user@host."""
        details = self.account_details
        if details.sid is None:
            return self.username
        return details.sid if details.database is None else f"{details.sid} [{details.database}]"


class ResultConnection(msgspec.Struct, gc=False):
    """The part of result_object.DatabaseConnection that detail rows show."""

    name: str
    product: str | None
    host: str | None
    engine_version: str | None
    server_name: str | None
    server_identity: str | None
    port: int | None = None


class ResultWarning(msgspec.Struct, gc=False):
    """result_object.DatabaseWarning."""

    database_name: str
    order: int
    text: str


class ResultFound(msgspec.Struct, gc=False):
    """The part of result_object.FoundDatabase that a report shows, or is matched by."""

    identifier: str
    engine: str
    product: str
    state: str
    host: str | None
    port: int | None
    addresses: list[str]


class ResultDiscovery(msgspec.Struct):
    """result_object.Discovery."""

    status: Literal["complete", "failed", "off"]
    reason: str | None
    at: str | None
    found: list[ResultFound]


class ResultObject(msgspec.Struct):
    """The part of result_object.Collection that a report is made of."""

    databaseConnections: list[ResultConnection]
    adminUsers: list[ResultUser]
    warnings: list[ResultWarning]
    discovery: ResultDiscovery | None = None


NOTHING = ResultObject([], [], [])

_DECODER = msgspec.json.Decoder(ResultObject)


@dataclass(frozen=True, slots=True)
class Settled:
    """A target as the report shows it.

    Attributes:
        databases: final outcomes, one per declared database, sorted by name.
        result: the object that rows and warnings come from.
        covered: databases that the verdict, and so the object, speaks of; nothing else in the object counts.
        undeclared: databases of the verdict that are not declared (any more, or with this engine).
    """

    databases: tuple[DatabaseOutcome, ...]
    result: ResultObject = NOTHING
    covered: frozenset[str] = frozenset()
    undeclared: tuple[str, ...] = ()


def settle(record: TargetRecord, data: bytes | None, *, as_of: str) -> Settled:
    """Hold a verdict against the object's bytes.

    Args:
        record: the target; `data`: its object's bytes, None where there is none (any more).
        as_of: when failures that are found only here were known.

    Returns:
        Every declared database. An object with another sha256 than the verdict's fails the whole target with
        `Worker Failed: Invalid answer`; what has no verdict, or has one whose object is gone, is
        `Worker Failed: Result missing`.

    Raises:
        ContradictionError: where the very object that was judged valid cannot be read.
    """
    declared = sorted(record.declared, key=lambda d: d.name)
    outcome = record.outcome
    if outcome is None:
        missing = "no verdict on this target exists"
        return Settled(tuple(_failed(d, Reason.RESULT_MISSING, missing, as_of) for d in declared))
    judged = {(d.name, d.engine): d for d in outcome.databases}
    wanted = {(d.name, d.engine) for d in declared}
    result = NOTHING
    # An object that was refused is never read again: what it says about its databases is not believed.
    refused = outcome.status == "failed" and outcome.reason == Reason.INVALID_ANSWER
    if outcome.object is not None and data is not None and not refused:
        read = _read(data, outcome.object)
        if read is None:
            changed = "the result object is not the one that was judged"
            return Settled(tuple(_failed(d, Reason.INVALID_ANSWER, changed, as_of) for d in declared))
        result = read
    readable = result is not NOTHING
    return Settled(
        tuple(_final(d, judged.get((d.name, d.engine)), readable=readable, as_of=as_of) for d in declared),
        result,
        covered=frozenset(name for name, _ in judged.keys() & wanted),
        undeclared=tuple(sorted(name for name, _ in judged.keys() - wanted)),
    )


def _final(
    declared: DeclaredDatabase, judged: DatabaseOutcome | None, *, readable: bool, as_of: str
) -> DatabaseOutcome:
    if judged is None:
        return _failed(declared, Reason.RESULT_MISSING, "the verdict on this target does not cover it", as_of)
    if judged.status != "failed" and not readable:
        return _failed(declared, Reason.RESULT_MISSING, "the result object does not exist any more", as_of)
    return judged


def _failed(declared: DeclaredDatabase, reason: Reason, detail: str, at: str) -> DatabaseOutcome:
    return DatabaseOutcome(
        name=declared.name, engine=declared.engine, status="failed",
        reason=reason.value, detail=detail, reported_at=at,
    )  # fmt: skip


def _read(data: bytes, judged: CollectionObject) -> ResultObject | None:
    if hashlib.sha256(data).hexdigest() != judged.sha256:
        return None
    try:
        return _DECODER.decode(data)
    except msgspec.DecodeError as error:
        raise ContradictionError(f"{judged.key} was judged valid and cannot be read: {error}") from error
