"""Do the reviews beside a report still say what was attested, and of this report? For `verify`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from dbadmin_assets.errors import BrokenEvidenceError, EvidenceError
from dbadmin_assets.review.access_review.row_ids import row_ids
from dbadmin_assets.review.attestation import REVIEWS, count, stamp
from dbadmin_assets.review.attestation_model import Attestation, read_attestation
from dbadmin_assets.review.findings import Finding, Folder, finding
from dbadmin_assets.review.manifest_model import Signed
from dbadmin_assets.review.signature import Trust, signature_problem

_FILE = re.compile(r"reviews/(?P<stamp>[0-9]{8}T[0-9]{6}Z)\.(?P<end>json|sig|xlsx|csv)")


def check_reviews(
    folder: Folder, manifest_sha256: str, *, place: str | None = None, trust: Trust | None = None
) -> Iterator[Finding]:
    """One finding per attestation, and one per file that belongs to none; none where there are no reviews.

    Args:
        manifest_sha256: of the manifest beside them.
        place: the folder's key prefix or its last part, without the slash at the end, where that is known.
        trust: the key that they must be signed with, where that is known.
    """
    try:
        names = {name for name in folder.names() if name.startswith(REVIEWS)}
    except EvidenceError as error:
        yield Finding(REVIEWS, "unread", error.message)
        return
    known: set[str] = set()
    for name in sorted(names):
        found = _FILE.fullmatch(name)
        if not found or found["end"] != "json":
            continue
        known |= {f"{REVIEWS}{found['stamp']}.{end}" for end in ("json", "sig")}
        try:
            yield _attestation(folder, name, (manifest_sha256, place), trust, known)
        except EvidenceError as error:
            damaged = isinstance(error, BrokenEvidenceError)
            yield Finding(name, "broken" if damaged else "unread", error.message)
            known |= {other for other in names if other.startswith(name.removesuffix("json"))}
    unfinished = "no attestation goes with it; if an import was broken off, import the same sheet again"
    for name in sorted(names - known):
        yield Finding(name, "broken", unfinished if _FILE.fullmatch(name) else "no review has such a file")


def _attestation(
    folder: Folder, name: str, report: tuple[str, str | None], trust: Trust | None, known: set[str]
) -> Finding:
    """The finding on one attestation of the report with this manifest, at this place; its sheet is then `known`."""
    data = _read(folder, name)
    if data is None:
        return finding(name, "it is not there")
    try:
        attestation = read_attestation(data)
    except ValueError as error:
        return finding(name, f"it is not an attestation: {error}")
    problems = list(_contradictions(attestation))
    manifest_sha256, place = report
    own = attestation.report.rstrip("/")
    if attestation.manifest_sha256 != manifest_sha256 or place not in (None, own, own.rsplit("/", 1)[-1]):
        problems.append(f"it attests another report, {own}")
    if f"{REVIEWS}{stamp(attestation.imported_at)}.json" != name:
        problems.append(f"it is the attestation of {attestation.imported_at}")
    problems += _sheet(folder, attestation, name.removesuffix("json"), known)
    signature = _read(folder, f"{name.removesuffix('json')}sig")
    if wrong := signature_problem(data, attestation.signature, signature, trust):
        problems.append(wrong)
    if problems:
        return finding(name, "; ".join(problems))
    said = attestation.signature
    return Finding(name, "holds", "" if isinstance(said, Signed) else f"unsigned: {said.reason}")


def _contradictions(attestation: Attestation) -> Iterator[str]:
    """What does not agree within the attestation."""
    rows = attestation.rows
    if attestation.counts != count(row.decision for row in rows):
        yield "its counts are not those of its rows"
    if attestation.reviewers != sorted({row.reviewer for row in rows}):
        yield "its reviewers are not those of its rows"
    ids = row_ids(attestation.manifest_sha256, rows)
    strangers = [row.row_id for row, own in zip(rows, ids, strict=True) if row.row_id != own]
    if strangers:
        yield f"rows are not of the report that it attests: {', '.join(strangers[:5])}"


def _sheet(folder: Folder, attestation: Attestation, base: str, known: set[str]) -> Iterator[str]:
    sheet = attestation.sheet
    name = REVIEWS + sheet.name
    if name not in (f"{base}xlsx", f"{base}csv"):
        yield f"{sheet.name[:100]!r} is no name for its sheet"
        return
    known.add(name)
    data = _read(folder, name)
    if data is None:
        yield f"its sheet {name} is not there"
    elif (len(data), hashlib.sha256(data).hexdigest()) != (sheet.size_bytes, sheet.sha256):
        yield f"its sheet {name} is not the one that was attested"


def _read(folder: Folder, name: str) -> bytes | None:
    file = folder.open(name)
    if file is None:
        return None
    with file:
        return file.read()
