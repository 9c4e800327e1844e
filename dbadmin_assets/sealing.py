"""The last stage: a finished report gets its number, its signature and its place in the chain, then its manifest.

The link in the chain comes first and can be written by one report only, so that reports made at once cannot fork it.
The manifest in the report's own folder comes last: a run that dies leaves no folder that could be taken for a report.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from dbadmin_assets.errors import AlreadyThereError, EvidenceError
from dbadmin_assets.resources.evidence import LATEST_KEY, EvidenceStore
from dbadmin_assets.resources.retention import bucket_lock
from dbadmin_assets.review.chain import PREFIX, link_key, newest
from dbadmin_assets.review.folder import MANIFEST_NAME, SIGNATURE_NAME, latest_pointer
from dbadmin_assets.review.manifest import canonical_json, sealed
from dbadmin_assets.review.signature import Signer, unsigned_section
from dbadmin_assets.review.times import parse_time, to_text

UNSIGNED = "no signing key is configured (signing_key, DBADMIN_SIGNING_KEY)"

_MOST_TRIES = 1000  # each time, another report was faster
_LONGEST_RUN = timedelta(days=1)
_REQUEST = re.compile(r"requests/(?P<collection>[^/]+)/[^/]+\.json")
_MANIFEST = re.compile(r"reports/[0-9/]+/[0-9TZ]+-(?P<collection>[^/]+)/manifest\.json")


class _Before(msgspec.Struct, rename="camel"):
    """What is read of the newest link; it may be of another code version."""

    ended_at: str


class _Sealed(msgspec.Struct, rename="camel"):
    """What is read of a manifest that lies in a report's folder; anybody may have put it there."""

    collection_id: str
    sequence: int


class _Pointer(msgspec.Struct, rename="camel"):
    """What is read of `latest.json`."""

    sequence: int
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class _Head:
    """The newest link of the chain; number 0 where there is none."""

    sequence: int = 0
    sha256: str | None = None
    sealed_at: datetime | None = None


def seal(store: EvidenceStore, signer: Signer | None, folder: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write link, signature and manifest of a report whose files lie in their folder already.

    Args:
        signer: None where nothing is signed.
        manifest: of `build_manifest`.

    Returns:
        The manifest as it was sealed.

    Raises:
        SigningError: the key cannot be used. EvidenceError: the bucket cannot be read or written.
    """
    retention = bucket_lock(store)
    for _ in range(_MOST_TRIES):
        head = _head(store)
        made = sealed(
            manifest,
            sequence=head.sequence + 1,
            previous_sha256=head.sha256,
            without_report=_without_report(store, head, manifest["collectionId"]),
            retention=retention,
            signature=signer.section() if signer else unsigned_section(UNSIGNED),
        )
        data = canonical_json(made)
        signature = signer.sign(data) if signer else None
        try:
            store.put(link_key(made["sequence"]), data, content_type="application/json")
            break
        except AlreadyThereError:
            continue
    else:
        raise EvidenceError(f"{store.url(PREFIX)}: other reports were faster each of {_MOST_TRIES} times")
    if signature is not None:
        store.put(folder + SIGNATURE_NAME, signature, content_type="application/octet-stream")
    store.put(folder + MANIFEST_NAME, data, content_type="application/json")
    if made["complete"] and made["scope"]["full"]:
        _point_to(store, folder, hashlib.sha256(data).hexdigest(), made)
    return made


def _head(store: EvidenceStore) -> _Head:
    written = store.times(PREFIX)
    sequence = newest(written)
    if not sequence:
        return _Head()
    key = link_key(sequence)
    data = store.read(key)
    if data is None:
        raise EvidenceError(f"{store.url(key)} is listed and cannot be found")
    try:
        before = msgspec.json.decode(data, type=_Before)
        ended_at = parse_time(before.ended_at)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise EvidenceError(f"{store.url(key)} is no manifest, so nothing can be chained to it: {error}") from error
    # Its own time is the word of who wrote it: one of the future would hide every request before that.
    return _Head(sequence, hashlib.sha256(data).hexdigest(), min(ended_at, written[key]))


def _without_report(store: EvidenceStore, head: _Head, own: str) -> list[dict[str, str]]:
    """Collections that were asked for since a day before the last link and have no report: nobody reruns unseen."""
    since = head.sealed_at - _LONGEST_RUN if head.sealed_at else None
    manifests: defaultdict[str, list[str]] = defaultdict(list)
    for key in store.keys("reports/"):
        if found := _MANIFEST.fullmatch(key):
            manifests[found["collection"]].append(key)
    asked: dict[str, str] = {}
    for key, written_at in store.times("requests/").items():
        found = _REQUEST.fullmatch(key)
        if found is None or (since and written_at < since):
            continue
        collection, at = found["collection"], to_text(written_at)
        if collection != own:
            asked[collection] = min(at, asked.get(collection, at))
    for collection in list(asked):
        if any(_is_sealed(store, key, collection) for key in manifests[collection[:8]]):
            del asked[collection]
    return [
        {"collectionId": name, "requestedAt": at} for name, at in sorted(asked.items(), key=lambda item: item[::-1])
    ]


def _is_sealed(store: EvidenceStore, key: str, collection: str) -> bool:
    """Whether a manifest is that of a collection, and a link of the chain: a name alone is easily made."""
    data = store.read(key)
    try:
        found = msgspec.json.decode(data or b"", type=_Sealed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return found.collection_id == collection and store.read(link_key(found.sequence)) == data


def _point_to(store: EvidenceStore, folder: str, sha256: str, manifest: dict[str, Any]) -> None:
    """Move `latest` on, never back: a report that was overtaken while it was sealed leaves it."""
    sequence = manifest["sequence"]

    def moved_on(before: bytes | None) -> bytes | None:
        if before is not None and _is_later(store, before, sequence):
            return None
        return latest_pointer(folder, sha256, manifest["endedAt"], sequence)

    store.replace(LATEST_KEY, moved_on)


def _is_later(store: EvidenceStore, pointer: bytes, sequence: int) -> bool:
    """Whether a pointer names a later report of the chain. One that does not is replaced; the bucket keeps it."""
    try:
        found = msgspec.json.decode(pointer, type=_Pointer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    link = store.read(link_key(found.sequence)) if found.sequence > sequence else None
    return link is not None and hashlib.sha256(link).hexdigest() == found.manifest_sha256
