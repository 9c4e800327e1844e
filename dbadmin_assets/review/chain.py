"""The chain of manifests: each names its number and the sha256 of the one before, so that none can vanish unseen.

`chain/{sequence}.json` is a copy of the manifest of that number, byte for byte. It is written before the manifest's own
folder gets it, and only where no such link is yet: whoever comes second takes the next number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from dbadmin_assets.errors import EvidenceError
from dbadmin_assets.review.findings import Fetch, Finding, finding
from dbadmin_assets.review.manifest_model import Count, Sha256
from dbadmin_assets.review.times import seconds_between, utc_now

if TYPE_CHECKING:
    from dbadmin_assets.review.manifest_model import Manifest

PREFIX = "chain/"
RETENTION_DAYS = 400
"""What a bucket keeps at least (docs/operations); a link that is older may be gone without anybody's doing."""

_LINK = re.compile(r"chain/([1-9][0-9]{0,15})\.json")


def link_key(sequence: int) -> str:
    """Where a link lies."""
    return f"{PREFIX}{sequence}.json"


def newest(keys: Iterable[str]) -> int:
    """The highest number among the keys of the chain; 0 where there is no link. Other keys are no links."""
    return max((int(found[1]) for key in keys if (found := _LINK.fullmatch(key))), default=0)


class _Link(msgspec.Struct, rename="camel"):
    """The part of a manifest that makes the chain; other code versions may have other fields beside it."""

    sequence: Count
    previous_manifest_sha256: Sha256 | None
    ended_at: str


def walk(manifest: Manifest, own_sha256: str, fetch: Fetch) -> Iterator[Finding]:
    """Every link from a manifest's own back to the first, as far as they can be read.

    Args:
        own_sha256: of the manifest's bytes.
        fetch: an object's bytes by key; None where there is none.
    """
    wanted: str | None = own_sha256
    after = manifest.ended_at
    held = 0
    for sequence in range(manifest.sequence, 0, -1):
        key = link_key(sequence)
        try:
            data = fetch(key, None)
        except EvidenceError as error:
            yield Finding(key, "unread", error.message)
            break
        if data is None:
            yield _missing(key, after)
            break
        wrong, link = _compare(data, sequence, wanted)
        if wrong and sequence == manifest.sequence:
            wrong = "it is not the manifest of this report"
        if wrong:
            yield finding(key, wrong)
        else:
            held += 1
        if link is None:
            break
        wanted, after = link.previous_manifest_sha256, link.ended_at
        if wanted is None:
            if sequence > 1:
                yield finding(key, f"it names no link before it, and it is number {sequence}")
            break
    else:
        if manifest.sequence and wanted is not None:
            yield finding(link_key(1), "it names a link before it, and it is the first")
    whole = held == manifest.sequence
    yield Finding("chain", "holds" if whole else "unchecked", f"{held} of {manifest.sequence} links, from here back")


def _compare(data: bytes, sequence: int, wanted: str | None) -> tuple[str, _Link | None]:
    try:
        link = msgspec.json.decode(data, type=_Link)
    except (msgspec.MsgspecError, RecursionError) as error:
        return f"it is no manifest: {error}", None
    if hashlib.sha256(data).hexdigest() != wanted:
        return "it is not the manifest that the one after it names", link
    if link.sequence != sequence:
        return f"it says that it is number {link.sequence}", link
    return "", link


def _missing(key: str, after: str) -> Finding:
    try:
        days = seconds_between(after, utc_now()) / 86_400
    except ValueError:
        days = 0.0
    if days > RETENTION_DAYS:
        return Finding(key, "unchecked", f"it is not there; the link after it is {days:.0f} days old")
    return Finding(key, "broken", "it is not there: the chain is interrupted")
