"""What the orchestrator writes down: requests and outcomes, and the record of a target that a report is made of.

Stored as JSON with camelCase keys and a `schemaVersion`; docs/formats.md has them field by field. A reader
refuses another schema version, unknown fields and wrong types: a record is evidence, and half understood it
would be worse than none. Times are UTC, whole seconds (review/times.py).
"""

from __future__ import annotations

from typing import Literal, Self, TypeVar

import msgspec

from dbadmin_assets.review.errors import RecordError

RECORD_SCHEMA_VERSION = "1"

Status = Literal["complete", "partial", "failed"]

_T = TypeVar("_T", bound=msgspec.Struct)
_KEY_SEPARATOR = "|"


class _Record(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Base of everything stored: immutable, slotted, camelCase in JSON."""


class DeclaredDatabase(_Record, frozen=True, omit_defaults=True):
    """A database server that the inventory wants read; `engine` is mysql or mssql, `owner` who answers for it.

    `host` and `port` are the inventory's own; None where its secret holds them.
    """

    name: str
    engine: str
    owner: str | None = None
    host: str | None = None
    port: int | None = None


class ExcludedDatabase(_Record, frozen=True, omit_defaults=True):
    """A database server that the inventory names and leaves out, and why; `host` and `port` as above."""

    name: str
    engine: str
    reason: str
    host: str | None = None
    port: int | None = None


class CollectionObject(_Record, frozen=True):
    """A worker's result object in the evidence bucket; `sha256` is hex, made from the bytes that were judged."""

    key: str
    version_id: str | None
    sha256: str
    size_bytes: int


class WorkerFunction(_Record, frozen=True, kw_only=True):
    """The code of a worker as the orchestrator read it from Lambda just before it asked.

    Attributes:
        version: `$LATEST`, or a published number; code_sha256: base64, as Lambda has it.
        reason: why they could not be read; None where they were.
    """

    name: str
    version: str | None = None
    code_sha256: str | None = None
    reason: str | None = None


class DatabaseOutcome(_Record, frozen=True, kw_only=True):
    """How one database ended.

    Attributes:
        users: principals that are rows of the report; admins: those with Permission Level `Admin`.
        rows_fetched: catalogue rows that the worker read for it.
        reason: text of the ERROR row (contract.Reason); only when failed.
        detail: for people, free of secrets; only when failed.
        reported_at: when its facts were complete, or its failure was known.
        query_sha256: of each query that was run, sorted.
        server_identity: what the server says it is; two entries with the same one are one server.
    """

    name: str
    engine: str
    status: Status
    users: int = 0
    admins: int = 0
    rows_fetched: int = 0
    reason: str | None = None
    detail: str | None = None
    reported_at: str
    query_sha256: tuple[str, ...] = ()
    server_identity: str | None = None


class Outcome(_Record, frozen=True, kw_only=True, tag_field="schemaVersion", tag=RECORD_SCHEMA_VERSION):
    """The orchestrator's verdict on one target of one collection.

    Attributes:
        run_id: the run whose worker delivered, or the one that gave up.
        reason: contract.Reason, only when failed; where its databases failed for different reasons, the first's.
        attempts: invocations that were made.
        object: the object that was judged, also where it was found invalid; None where there was none.
        databases: one per database that was asked for, sorted by name.
        function: None where no worker was asked.
    """

    collection_id: str
    run_id: str
    account_id: str
    region: str
    status: Status
    reason: str | None = None
    detail: str | None = None
    attempts: int
    started_at: str
    ended_at: str
    object: CollectionObject | None = None
    databases: tuple[DatabaseOutcome, ...]
    worker_version: str | None = None
    function: WorkerFunction | None = None

    @property
    def key(self) -> str:
        """`account|region`, the partition key."""
        return self.account_id + _KEY_SEPARATOR + self.region

    def to_json(self) -> bytes:
        """Bytes to store; the same outcome always gives the same bytes."""
        return _encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a stored outcome.

        Raises:
            RecordError: where the bytes are no outcome of this schema version.
        """
        return _decode(data, cls, "outcome")


class Asked(_Record, frozen=True, kw_only=True, tag_field="schemaVersion", tag=RECORD_SCHEMA_VERSION):
    """That a worker was about to be asked: from then on it may be at work, whatever becomes of the run.

    Attributes:
        attempt: the number in the key that it will deliver under.
    """

    collection_id: str
    run_id: str
    account_id: str
    region: str
    attempt: int
    asked_at: str

    @property
    def key(self) -> str:
        """`account|region`, the partition key."""
        return self.account_id + _KEY_SEPARATOR + self.region

    def to_json(self) -> bytes:
        """Bytes to store."""
        return _encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a stored attempt.

        Raises:
            RecordError: where the bytes are no attempt of this schema version.
        """
        return _decode(data, cls, "attempt")


class InventoryVersion(_Record, frozen=True):
    """Which inventory a request was resolved from; `version` is the source's own (an S3 version id), if it has any."""

    source: str
    version: str | None
    sha256: str


class RequestedTarget(_Record, frozen=True, kw_only=True):
    """One target of a request, with what was declared for it at that moment."""

    account_id: str
    account_name: str | None = None
    region: str
    declared: tuple[DeclaredDatabase, ...]
    excluded: tuple[ExcludedDatabase, ...] = ()

    @property
    def key(self) -> str:
        """`account|region`, the partition key."""
        return self.account_id + _KEY_SEPARATOR + self.region


class Request(_Record, frozen=True, kw_only=True, tag_field="schemaVersion", tag=RECORD_SCHEMA_VERSION):
    """What one run was asked for.

    Attributes:
        requested_by: as the caller says (`alice@laptop`); executed_by: the verified caller ARN.
        accounts, regions: the filters as given; empty means all.
        full_scope: whether the targets are all of the inventory.
        inventory_targets: how many targets the inventory has; lets several runs of one collection be recognised
            as the full scope together.
    """

    collection_id: str
    run_id: str
    requested_by: str
    executed_by: str
    requested_at: str
    inventory: InventoryVersion
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    full_scope: bool
    targets: tuple[RequestedTarget, ...]
    inventory_targets: int | None = None

    def to_json(self) -> bytes:
        """Bytes to store; the same request always gives the same bytes."""
        return _encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a stored request.

        Raises:
            RecordError: where the bytes are no request of this schema version.
        """
        return _decode(data, cls, "request")


class TargetRecord(_Record, frozen=True, kw_only=True):
    """One target as a report sees it: what was declared, and the verdict, if there is one.

    Attributes:
        outcome: None where the target was asked for and no verdict exists.
        same_servers: (database, other entry) where another target's entry proved to be the same server.
    """

    account_id: str
    account_name: str | None = None
    region: str
    declared: tuple[DeclaredDatabase, ...]
    excluded: tuple[ExcludedDatabase, ...] = ()
    outcome: Outcome | None
    same_servers: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """`account|region`, the partition key."""
        return self.account_id + _KEY_SEPARATOR + self.region


def _encode(record: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def _decode(data: bytes, kind: type[_T], name: str) -> _T:
    try:
        # The tag of a struct may be missing for msgspec; a record without its version is not understood.
        if msgspec.json.decode(data, type=_Version).schema_version != RECORD_SCHEMA_VERSION:
            raise RecordError(f"the stored {name} is of another schema version than {RECORD_SCHEMA_VERSION!r}")
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"the stored {name} cannot be read: {error}") from error


class _Version(msgspec.Struct, rename="camel"):
    schema_version: str
