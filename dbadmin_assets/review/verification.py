"""Does an evidence folder still say what was sealed in it? Every claim of its manifest held against what lies there.

What is found to hold is held by the manifest, and the manifest by nothing but itself until it is signed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, Protocol

from dbadmin_assets.review.manifest import MANIFEST_SCHEMA_VERSION, canonical_json

MANIFEST_NAME = "manifest.json"
_AT_ONCE = 1 << 20

Verdict = Literal["holds", "broken", "unchecked"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim and what became of it.

    Attributes:
        subject: the file, object or sum, as a person looks for it.
        detail: what is wrong, or what could not be checked and why; empty where it holds.
    """

    subject: str
    verdict: Verdict
    detail: str = ""


class Folder(Protocol):
    """An evidence folder, wherever it lies."""

    def names(self) -> list[str]:
        """Every file in it."""

    def open(self, name: str) -> BinaryIO | None:
        """A file to read and close; None where there is none."""


Fetch = Callable[[str, str | None], bytes | None]
"""Bytes of a worker's object by key and version id; None where it is gone."""


def verify(folder: Folder, fetch: Fetch | None, *, pinned_sha256: str | None = None) -> Iterator[Finding]:
    """Check everything that can be checked, broken or not; never stops at the first.

    Args:
        fetch: how to get the worker's objects; None where the bucket is out of reach.
        pinned_sha256: of the manifest, as `latest.json` names it.
    """
    data = _read(folder, MANIFEST_NAME)
    if data is None:
        yield Finding(MANIFEST_NAME, "broken", "it is not there: without it, the folder is no report")
        return
    if pinned_sha256 and hashlib.sha256(data).hexdigest() != pinned_sha256:
        yield Finding("reports/latest.json", "broken", "it names a manifest with another sha256")
    try:
        manifest = _manifest(data)
        checks = [*_sums(manifest), *_files(folder, manifest), *_objects(manifest, fetch), _signature(manifest)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        yield Finding(MANIFEST_NAME, "broken", f"it is not the manifest of a report: {type(error).__name__} {error}")
        return
    yield Finding(MANIFEST_NAME, "holds")
    yield from checks


def _manifest(data: bytes) -> dict[str, Any]:
    manifest = json.loads(data)
    if manifest["schemaVersion"] != MANIFEST_SCHEMA_VERSION:
        raise ValueError(f"schemaVersion {manifest['schemaVersion']!r}, not {MANIFEST_SCHEMA_VERSION!r}")
    if canonical_json(manifest) != data:
        raise ValueError("its bytes are not those that are written: reordered, reformatted or with a key twice")
    return dict(manifest)


def _sums(manifest: dict[str, Any]) -> Iterator[Finding]:
    """The population balances, and every total is the sum of what it totals."""
    said, counts = manifest["population"], manifest["counts"]
    databases = [database for target in manifest["targets"] for database in target["databases"]]
    found = {status: sum(d["status"] == status for d in databases) for status in ("complete", "partial", "failed")}
    found["excluded"] = sum(len(target["excluded"]) for target in manifest["targets"])
    found["declared"] = sum(found.values())
    yield _equal("population", said, found)
    told = {name: counts[name] for name in ("targets", "users", "admins")}
    summed = {name: sum(d[name] for d in databases) for name in ("users", "admins")}
    yield _equal("counts", told, {"targets": len(manifest["targets"]), **summed})
    complete = found["complete"] > 0 and found["complete"] == len(databases)
    yield _equal("complete", manifest["complete"], complete)


def _equal(subject: str, said: object, found: object) -> Finding:
    if said == found:
        return Finding(subject, "holds")
    return Finding(subject, "broken", f"the manifest says {said}, its targets come to {found}")


def _files(folder: Folder, manifest: dict[str, Any]) -> Iterator[Finding]:
    listed = {file["name"]: file for file in manifest["files"]}
    if len(listed) != len(manifest["files"]):
        yield Finding(MANIFEST_NAME, "broken", "it lists a file twice")
    for name, file in sorted(listed.items()):
        yield _file(folder, name, file["sha256"], file["sizeBytes"])
    for name in sorted(set(folder.names()) - listed.keys() - {MANIFEST_NAME}):
        yield Finding(name, "broken", "the manifest does not know this file")


def _file(folder: Folder, name: str, sha256: str, size_bytes: int) -> Finding:
    file = folder.open(name)
    if file is None:
        return Finding(name, "broken", "it is not there")
    digest, size = hashlib.sha256(), 0
    with file:
        while data := file.read(_AT_ONCE):
            digest.update(data)
            size += len(data)
    return _compared(name, (size, digest.hexdigest()), (size_bytes, sha256))


def _compared(subject: str, found: tuple[int, str], said: tuple[int, str]) -> Finding:
    if found == said:
        return Finding(subject, "holds")
    if found[0] != said[0]:
        return Finding(subject, "broken", f"it has {found[0]} bytes, {said[0]} were sealed")
    return Finding(subject, "broken", "its sha256 is not the one that was sealed")


def _objects(manifest: dict[str, Any], fetch: Fetch | None) -> Iterator[Finding]:
    """The worker's objects that the rows were made of."""
    objects = [target["object"] for target in manifest["targets"] if target["object"]]
    if fetch is None:
        if objects:
            yield Finding("worker objects", "unchecked", f"{len(objects)} lie in the evidence bucket, not here")
        return
    for item in objects:
        data = fetch(item["key"], item["versionId"])
        if data is None:
            yield Finding(item["key"], "broken", "it is not there any more")
            continue
        found = (len(data), hashlib.sha256(data).hexdigest())
        yield _compared(item["key"], found, (item["sizeBytes"], item["sha256"]))


def _signature(manifest: dict[str, Any]) -> Finding:
    signature = manifest["signature"]
    if signature["status"] != "unsigned":
        return Finding("signature", "broken", f"status {signature['status']!r} is not known to this version")
    return Finding("signature", "unchecked", f"unsigned: {signature['reason']}")


def _read(folder: Folder, name: str) -> bytes | None:
    file = folder.open(name)
    if file is None:
        return None
    with file:
        return file.read()
