"""How long evidence is kept: the bucket's Object Lock, and the date of each object, which only ever moves later."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dbadmin_assets.errors import EvidenceError, RetentionError

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import ObjectLockRetentionModeType
    from mypy_boto3_s3.type_defs import ObjectLockRetentionTypeDef

    from dbadmin_assets.resources.evidence import EvidenceStore


_AT_ONCE = 16
_NOT_LOCKED = ("NoSuchObjectLockConfiguration", "InvalidRequest")  # the object has no date; the bucket has no lock


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of an object, and until when it cannot be deleted.

    Attributes:
        version_id: None for the current version.
        mode: COMPLIANCE (nobody can delete it) or GOVERNANCE (some can); None where it is not locked.
        until: None where it is not locked.
    """

    key: str
    version_id: str | None
    mode: str | None = None
    until: datetime | None = None


def bucket_lock(store: EvidenceStore) -> dict[str, Any]:
    """What the bucket keeps new objects for: `mode` and `days` of Object Lock, or the `reason` why there is none."""
    try:
        answer = store.s3.get_object_lock_configuration(Bucket=store.bucket)
    except (ClientError, BotoCoreError) as error:
        code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
        absent = code == "ObjectLockConfigurationNotFoundError"
        reason = "the bucket has no Object Lock" if absent else f"it cannot be read: {code or type(error).__name__}"
        return {"mode": None, "days": None, "reason": reason}
    kept = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
    days = kept.get("Days") or 365 * kept.get("Years", 0)
    if not days:
        return {"mode": None, "days": None, "reason": "the bucket has Object Lock and no default retention"}
    return {"mode": kept.get("Mode"), "days": days, "reason": None}


def kept(store: EvidenceStore, objects: Iterable[tuple[str, str | None]]) -> list[Kept]:
    """Until when each object (key, version id) is kept, in this order.

    Raises:
        EvidenceError: one cannot be asked, or is not there.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda item: _kept(store, *item), objects))


def _kept(store: EvidenceStore, key: str, version_id: str | None) -> Kept:
    ask = partial(store.s3.get_object_retention, Bucket=store.bucket, Key=key)
    try:
        retention = (ask(VersionId=version_id) if version_id else ask())["Retention"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _NOT_LOCKED:
            return Kept(key, version_id)
        raise _error(store, "asked for its retention", key, error) from error
    except BotoCoreError as error:
        raise _error(store, "asked for its retention", key, error) from error
    return Kept(key, version_id, retention.get("Mode"), retention.get("RetainUntilDate"))


def keep_longer(store: EvidenceStore, objects: Iterable[Kept], until: datetime) -> list[Kept]:
    """Keep each object at least until that moment; those that are kept longer already are left alone.

    Raises:
        RetentionError: one is kept longer already than all are to be: that would shorten it, and nothing is changed.
        EvidenceError: one cannot be changed; those before it may have been.
    """
    found = list(objects)
    if longer := [item for item in found if item.until and item.until > until]:
        latest = max(item.until for item in longer if item.until)
        raise RetentionError(
            f"{len(longer)} of {len(found)} objects are kept until {latest:%Y-%m-%dT%H:%M:%SZ}, "
            f"which is later than {until:%Y-%m-%dT%H:%M:%SZ}: what is kept is never shortened",
            hint="give a later date",
        )
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda item: _keep_longer(store, item, until), found))


def _keep_longer(store: EvidenceStore, item: Kept, until: datetime) -> Kept:
    mode: ObjectLockRetentionModeType = "GOVERNANCE" if item.mode == "GOVERNANCE" else "COMPLIANCE"
    retention: ObjectLockRetentionTypeDef = {"Mode": mode, "RetainUntilDate": until}
    keep = partial(store.s3.put_object_retention, Bucket=store.bucket, Key=item.key, Retention=retention)
    try:
        if item.version_id:
            keep(VersionId=item.version_id)
        else:
            keep()
    except (ClientError, BotoCoreError) as error:
        raise _error(store, "kept longer", item.key, error) from error
    return Kept(item.key, item.version_id, mode, until)


def _error(store: EvidenceStore, what: str, key: str, error: ClientError | BotoCoreError) -> EvidenceError:
    said = error.response.get("Error", {}) if isinstance(error, ClientError) else {}
    text = f"{said.get('Code')}: {said.get('Message')}" if said else f"{type(error).__name__}: {error}"
    return EvidenceError(f"{store.url(key)} cannot be {what}: {text}")
