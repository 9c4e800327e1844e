"""What an attestation may hold, field by field, and its strict reader (docs/formats.md)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from dbadmin_assets.review.manifest_model import Count, Sha256, Signature

ATTESTATION_SCHEMA_VERSION = "1"

RowId = Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
Time = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
Day = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Decision = Literal["keep", "remove", "change"]
NotEmpty = Annotated[str, Meta(min_length=1)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Keys as docs/formats.md writes them."""


class Decisions(_Part, frozen=True, kw_only=True):
    administrators: Count
    keep: Count
    remove: Count
    change: Count


class Sheet(_Part, frozen=True, kw_only=True):
    name: str
    sha256: Sha256
    size_bytes: Count


class Previous(_Part, frozen=True, kw_only=True):
    key: str
    sha256: Sha256


class AttestedRow(_Part, frozen=True, kw_only=True):
    row_id: RowId
    account_id: str
    account_name: str | None
    region: str
    database_name: str
    database_type: str
    username: str
    principal_id: str
    role_name: str
    tier: str
    access_path: str | None
    user_status: str
    last_login_date: str
    inventory_owner: str | None
    owner: str
    decision: Decision
    reviewer: NotEmpty
    review_date: Day
    comment: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The same principal in every report."""
        return (self.account_id, self.region, self.database_name, self.principal_id)


class Attestation(_Part, frozen=True, kw_only=True):
    schema_version: str
    report: str
    manifest_sha256: Sha256
    imported_at: Time
    executed_by: str | None
    requested_by: str
    reviewers: list[str]
    counts: Decisions
    sheet: Sheet
    previous: Previous | None
    rows: list[AttestedRow]
    signature: Signature


class _Version(msgspec.Struct, rename="camel"):
    schema_version: Any


def attestation_bytes(attestation: Attestation) -> bytes:
    """The bytes that are stored, hashed and signed: sorted keys, ASCII, two blanks of indent, a newline at the end."""
    plain = msgspec.to_builtins(attestation)
    return json.dumps(plain, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False).encode() + b"\n"


def read_attestation(data: bytes) -> Attestation:
    """An attestation, held to its form byte for byte.

    Raises:
        ValueError: it is none of this schema version, or its bytes are not those that are written.
    """
    try:
        version = msgspec.json.decode(data, type=_Version).schema_version
        if version != ATTESTATION_SCHEMA_VERSION:
            raise ValueError(f"schemaVersion {version!r}, not {ATTESTATION_SCHEMA_VERSION!r}")
        attestation = msgspec.json.decode(data, type=Attestation)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if attestation_bytes(attestation) != data:
        raise ValueError("its bytes are not those that are written: reordered, reformatted or with a key twice")
    return attestation
