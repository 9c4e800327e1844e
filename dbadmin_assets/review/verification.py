"""Does an evidence folder still say what was sealed in it? Its manifest held against itself and what lies there.

What is found to hold is held by the manifest, and the manifest by its signature and by the chain it is in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from dbadmin_assets.errors import BrokenEvidenceError, EvidenceError
from dbadmin_assets.review.attestation import REVIEWS
from dbadmin_assets.review.attestation_check import check_reviews
from dbadmin_assets.review.balance import imbalances, misplaced
from dbadmin_assets.review.chain import walk
from dbadmin_assets.review.findings import Fetch, Finding, Folder, Readable, finding
from dbadmin_assets.review.folder import CSV_NAME, MANIFEST_NAME, SIGNATURE_NAME
from dbadmin_assets.review.manifest_model import Manifest, Signed, TargetEntry, WorkerObject, read_sealed
from dbadmin_assets.review.signature import Trust, signature_problem

__all__ = ["Fetch", "Finding", "Folder", "verify"]

_AT_ONCE = 1 << 20


def verify(
    folder: Folder,
    fetch: Fetch | None,
    *,
    place: str | None = None,
    pinned_sha256: str | None = None,
    trust: Trust | None = None,
) -> Iterator[Finding]:
    """Check everything that can be checked, broken or not; never stops at the first.

    Args:
        fetch: how to get the workers' objects and the chain; None where the bucket is out of reach.
        place: the folder's key prefix or its last part, where it has the form of one; without the slash at the end.
        pinned_sha256: of the manifest, as `latest.json` names it.
        trust: the key that it must be signed with, where that is known from somewhere else.
    """
    try:
        data = _read(folder, MANIFEST_NAME)
    except EvidenceError as error:
        yield Finding(MANIFEST_NAME, "unread", error.message)
        return
    if data is None:
        yield Finding(MANIFEST_NAME, "broken", "it is not there: without it, the folder is no report")
        return
    if pinned_sha256 is not None:
        differs = hashlib.sha256(data).hexdigest() != pinned_sha256
        yield finding("reports/latest.json", "it names a manifest with another sha256" if differs else "")
    try:
        manifest = read_sealed(data)
    except ValueError as error:
        yield Finding(MANIFEST_NAME, "broken", f"it is not the manifest of a report: {error}")
        return
    yield finding(MANIFEST_NAME, misplaced(manifest, place) if place else "")
    yield from (finding(subject, wrong) for subject, wrong in imbalances(manifest))
    yield from _files(folder, manifest)
    yield from check_reviews(folder, hashlib.sha256(data).hexdigest(), place=place, trust=trust)
    yield from _objects(manifest, fetch)
    yield _signature(folder, manifest, data, trust)
    if fetch is None:
        yield Finding("chain", "unchecked", f"number {manifest.sequence}; it lies in the evidence bucket, not here")
    else:
        yield from walk(manifest, hashlib.sha256(data).hexdigest(), fetch)


def _signature(folder: Folder, manifest: Manifest, data: bytes, trust: Trust | None) -> Finding:
    said = manifest.signature
    try:
        signature = _read(folder, SIGNATURE_NAME)
    except EvidenceError as error:
        return Finding(SIGNATURE_NAME, "unread", error.message)
    if wrong := signature_problem(data, said, signature, trust):
        return Finding(SIGNATURE_NAME, "broken", wrong)
    if not isinstance(said, Signed):
        return Finding("signature", "unchecked", f"unsigned: {said.reason}")
    if trust is None:
        return Finding(SIGNATURE_NAME, "unchecked", f"it holds for a key that nobody vouches for: {said.fingerprint}")
    return Finding(SIGNATURE_NAME, "holds", f"signed with the key of {trust.source}")


def _files(folder: Folder, manifest: Manifest) -> Iterator[Finding]:
    listed = {file.name: file for file in manifest.files}
    if len(listed) != len(manifest.files):
        yield Finding(MANIFEST_NAME, "broken", "it lists a file twice")
    if CSV_NAME not in listed:
        yield Finding(MANIFEST_NAME, "broken", f"it lists no {CSV_NAME}")
    for name, file in sorted(listed.items()):
        try:
            yield finding(name, _changed(folder.open(name), file.size_bytes, file.sha256))
        except BrokenEvidenceError as error:
            yield finding(name, error.message)
        except EvidenceError as error:
            yield Finding(name, "unread", error.message)
    try:
        unknown = set(folder.names()) - listed.keys() - {MANIFEST_NAME, SIGNATURE_NAME}
    except EvidenceError as error:
        yield Finding("other files", "unread", error.message)
        return
    unknown = {name for name in unknown if not name.startswith(REVIEWS)}  # check_reviews knows them
    yield from (Finding(name, "broken", "the manifest does not know this file") for name in sorted(unknown))


def _changed(file: Readable | None, size_bytes: int, sha256: str) -> str:
    """What is wrong with a file; empty where nothing is."""
    if file is None:
        return "it is not there"
    digest, size = hashlib.sha256(), 0
    with file:
        while data := file.read(_AT_ONCE):
            digest.update(data)
            size += len(data)
    return _compared((size, digest.hexdigest()), (size_bytes, sha256))


def _compared(found: tuple[int, str], said: tuple[int, str]) -> str:
    if found[0] != said[0]:
        return f"it has {found[0]} bytes, {said[0]} were sealed"
    return "" if found == said else "its sha256 is not the one that was sealed"


def _objects(manifest: Manifest, fetch: Fetch | None) -> Iterator[Finding]:
    """The worker's objects that the rows were made of."""
    behind = 0
    for target in manifest.targets:
        if target.object is not None:
            behind += 1
            if fetch is not None:
                yield _object(target, target.object, fetch)
        elif _has_rows(target):
            name = f"{target.account_id} {target.region}"
            yield Finding(name, "broken", "it has data, and no worker's object is named that it was made of")
    if fetch is None and behind:
        yield Finding("worker objects", "unchecked", f"{behind} lie in the evidence bucket, not here")


def _object(target: TargetEntry, item: WorkerObject, fetch: Fetch) -> Finding:
    try:
        data = fetch(item.key, item.version_id)
    except EvidenceError as error:
        return Finding(item.key, "unread", error.message)
    if data is None:
        wrong = "it is not there any more"
    else:
        wrong = _compared((len(data), hashlib.sha256(data).hexdigest()), (item.size_bytes, item.sha256))
    if wrong and not _has_rows(target):
        return Finding(item.key, "unchecked", f"{wrong}; no row was made of it")
    return finding(item.key, wrong)


def _has_rows(target: TargetEntry) -> bool:
    return any(database.status != "failed" for database in target.databases)


def _read(folder: Folder, name: str) -> bytes | None:
    file = folder.open(name)
    if file is None:
        return None
    with file:
        return file.read()
