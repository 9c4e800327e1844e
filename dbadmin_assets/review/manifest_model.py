"""What a manifest may hold, field by field, for who reads one that somebody may have changed (docs/formats.md)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from dbadmin_assets.review.coverage import LookStatus
from dbadmin_assets.review.manifest import MANIFEST_SCHEMA_VERSION, canonical_json
from dbadmin_assets.review.records import Status

Count = Annotated[int, Meta(ge=0)]
Sequence = Annotated[int, Meta(ge=1)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Keys as docs/formats.md writes them."""


class Scope(_Part, frozen=True, kw_only=True):
    full: bool
    accounts: list[str]
    regions: list[str]
    flat: bool


class Inventory(_Part, frozen=True, kw_only=True):
    source: str
    version: str | None
    sha256: Sha256


class AskedFor(_Part, frozen=True, kw_only=True):
    run_id: str
    requested_by: str
    executed_by: str
    requested_at: str
    inventory: Inventory
    accounts: list[str]
    regions: list[str]
    full_scope: bool


class Population(_Part, frozen=True, kw_only=True):
    declared: Count
    complete: Count
    partial: Count
    failed: Count
    excluded: Count


class Counts(_Part, frozen=True, kw_only=True):
    targets: Count
    users: Count
    admins: Count
    excluded_principals: Count
    changed_cells: Count


class CollectionAge(_Part, frozen=True, kw_only=True):
    collection_id: str
    oldest_ended_at: str
    age_seconds: int


class Database(_Part, frozen=True, kw_only=True):
    name: str
    database_type: str
    status: Status
    reason: str | None
    detail: str | None
    warning: str | None
    owner: str | None
    server_identity: str | None
    users: Count
    admins: Count
    rows_fetched: Count
    reported_at: str
    query_sha256: list[Sha256]
    excluded_principals: list[str]


class LeftOut(_Part, frozen=True, kw_only=True):
    name: str
    database_type: str
    reason: str


class WorkerObject(_Part, frozen=True, kw_only=True):
    key: str
    version_id: str | None
    sha256: Sha256
    size_bytes: Count


class Function(_Part, frozen=True, kw_only=True):
    name: str
    version: str | None
    code_sha256: str | None
    reason: str | None


class TargetEntry(_Part, frozen=True, kw_only=True):
    account_id: str
    account_name: str | None
    region: str
    status: Status
    databases: list[Database]
    excluded: list[LeftOut]
    collection_id: str | None
    object: WorkerObject | None
    run_id: str | UnsetType = UNSET
    reason: str | UnsetType | None = UNSET
    detail: str | UnsetType | None = UNSET
    attempts: Count | UnsetType = UNSET
    started_at: str | UnsetType = UNSET
    ended_at: str | UnsetType = UNSET
    age_seconds: int | UnsetType = UNSET
    worker_version: str | UnsetType | None = UNSET
    function: Function | UnsetType | None = UNSET


class NotDeclared(_Part, frozen=True, kw_only=True):
    account_id: str
    region: str
    name: str


class Looked(_Part, frozen=True, kw_only=True):
    account_id: str
    region: str
    status: LookStatus
    reason: str | None
    found: Count
    known: Count


class Undeclared(_Part, frozen=True, kw_only=True):
    account_id: str
    region: str
    identifier: str
    engine: str
    product: str
    state: str
    host: str | None
    port: int | None


class Gone(_Part, frozen=True, kw_only=True):
    account_id: str
    region: str
    name: str
    host: str


class Discovered(_Part, frozen=True, kw_only=True):
    complete: bool
    targets: list[Looked]
    undeclared: list[Undeclared]
    gone: list[Gone]


class SealedFile(_Part, frozen=True, kw_only=True):
    name: str
    sha256: Sha256
    size_bytes: Count


class ComparedWith(_Part, frozen=True, kw_only=True):
    folder: str
    manifest_sha256: Sha256
    counts: dict[str, Count]


class LeftOutFile(_Part, frozen=True, kw_only=True):
    name: str
    reason: str


class Unsigned(_Part, frozen=True, kw_only=True, tag_field="status", tag="unsigned"):
    reason: str


class Signed(_Part, frozen=True, kw_only=True, tag_field="status", tag="signed"):
    key_arn: str
    algorithm: Literal["ECDSA_SHA_256"]
    public_key: str
    fingerprint: Sha256


Signature = Signed | Unsigned


class WithoutReport(_Part, frozen=True, kw_only=True):
    collection_id: str
    requested_at: str


class Retention(_Part, frozen=True, kw_only=True):
    mode: str | None
    days: int | None
    reason: str | None


class Manifest(_Part, frozen=True, kw_only=True):
    schema_version: str
    complete: bool
    collection_id: str
    run_id: str
    run_ids: list[str]
    started_at: str
    ended_at: str
    code_version: str
    scope: Scope
    requests: list[AskedFor]
    population: Population
    counts: Counts
    collections: list[CollectionAge]
    targets: list[TargetEntry]
    not_declared: list[NotDeclared]
    discovered: Discovered | UnsetType = UNSET  # reports from before there was one have none
    outside_the_population: list[str]
    files: list[SealedFile]
    left_out: list[LeftOutFile]
    compared_with: ComparedWith | None
    not_compared: str | None
    sequence: Sequence
    previous_manifest_sha256: Sha256 | None
    without_report: list[WithoutReport]
    retention: Retention
    signature: Signature


class _Version(msgspec.Struct, rename="camel"):
    schema_version: Any


def read_sealed(data: bytes) -> Manifest:
    """A manifest, held to its form byte for byte.

    Raises:
        ValueError: it is none of this schema version, or its bytes are not those that are written.
    """
    try:
        version = msgspec.json.decode(data, type=_Version).schema_version
        if version != MANIFEST_SCHEMA_VERSION:
            raise ValueError(f"schemaVersion {version!r}, not {MANIFEST_SCHEMA_VERSION!r}")
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if canonical_json(msgspec.to_builtins(manifest)) != data:
        raise ValueError("its bytes are not those that are written: reordered, reformatted or with a key twice")
    return manifest
