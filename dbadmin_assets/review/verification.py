"""Does an evidence folder still say what was sealed in it? Its manifest held against itself and what lies there.

What is found to hold is held by the manifest, and the manifest by nothing but itself until it is signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

from dbadmin_assets.errors import EvidenceError
from dbadmin_assets.review.balance import imbalances, misplaced
from dbadmin_assets.review.folder import CSV_NAME, MANIFEST_NAME
from dbadmin_assets.review.manifest_model import Manifest, TargetEntry, WorkerObject, read_sealed

_AT_ONCE = 1 << 20

Verdict = Literal["holds", "broken", "unread", "unchecked"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim and what became of it.

    Attributes:
        subject: the file, object or sum, as a person looks for it.
        verdict: `unread` where it should be there to check and could not be read; `unchecked` where it need not be.
        detail: what is wrong, or what could not be checked and why; empty where it holds.
    """

    subject: str
    verdict: Verdict
    detail: str = ""


class Folder(Protocol):
    """An evidence folder, wherever it lies. Both raise EvidenceError for what cannot be read."""

    def names(self) -> list[str]:
        """Every file in it."""

    def open(self, name: str) -> BinaryIO | None:
        """A file to read and close; None where there is none."""


Fetch = Callable[[str, str | None], bytes | None]
"""Bytes of a worker's object by key and version id; None where it is gone. Raises EvidenceError."""


def verify(
    folder: Folder, fetch: Fetch | None, *, place: str | None = None, pinned_sha256: str | None = None
) -> Iterator[Finding]:
    """Check everything that can be checked, broken or not; never stops at the first.

    Args:
        fetch: how to get the worker's objects; None where the bucket is out of reach.
        place: the folder's key prefix or its last part, where it has the form of one; without the slash at the end.
        pinned_sha256: of the manifest, as `latest.json` names it.
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
        yield _finding("reports/latest.json", "it names a manifest with another sha256" if differs else "")
    try:
        manifest = read_sealed(data)
    except ValueError as error:
        yield Finding(MANIFEST_NAME, "broken", f"it is not the manifest of a report: {error}")
        return
    yield _finding(MANIFEST_NAME, misplaced(manifest, place) if place else "")
    yield from (_finding(subject, wrong) for subject, wrong in imbalances(manifest))
    yield from _files(folder, manifest)
    yield from _objects(manifest, fetch)
    yield Finding("signature", "unchecked", f"unsigned: {manifest.signature.reason}")


def _finding(subject: str, wrong: str) -> Finding:
    return Finding(subject, "broken" if wrong else "holds", wrong)


def _files(folder: Folder, manifest: Manifest) -> Iterator[Finding]:
    listed = {file.name: file for file in manifest.files}
    if len(listed) != len(manifest.files):
        yield Finding(MANIFEST_NAME, "broken", "it lists a file twice")
    if CSV_NAME not in listed:
        yield Finding(MANIFEST_NAME, "broken", f"it lists no {CSV_NAME}")
    for name, file in sorted(listed.items()):
        try:
            yield _finding(name, _changed(folder.open(name), file.size_bytes, file.sha256))
        except EvidenceError as error:
            yield Finding(name, "unread", error.message)
    try:
        unknown = set(folder.names()) - listed.keys() - {MANIFEST_NAME}
    except EvidenceError as error:
        yield Finding("other files", "unread", error.message)
        return
    yield from (Finding(name, "broken", "the manifest does not know this file") for name in sorted(unknown))


def _changed(file: BinaryIO | None, size_bytes: int, sha256: str) -> str:
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
    return _finding(item.key, wrong)


def _has_rows(target: TargetEntry) -> bool:
    return any(database.status != "failed" for database in target.databases)


def _read(folder: Folder, name: str) -> bytes | None:
    file = folder.open(name)
    if file is None:
        return None
    with file:
        return file.read()
