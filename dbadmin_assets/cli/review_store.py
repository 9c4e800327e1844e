"""Where attestations lie and how one is written: the sheet first, then what attests it, then its signature."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dbadmin_assets.cli.review_report import Connection, OpenReport
from dbadmin_assets.errors import EvidenceError, ReportError
from dbadmin_assets.review.folder import is_report_folder

if TYPE_CHECKING:
    from dbadmin_assets.review.access_review.check import Reviewed
    from dbadmin_assets.review.attestation import Import
    from dbadmin_assets.review.attestation_model import Attestation
    from dbadmin_assets.review.signature import Signer

_CONTENT_TYPES = {
    ".json": "application/json",
    ".sig": "application/octet-stream",
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

_UNSIGNED = "no signing key is configured (signing_key, DBADMIN_SIGNING_KEY)"
_LOCAL = "it was imported into a local folder"


@dataclass(frozen=True, slots=True)
class Stored:
    """An attestation as it lies there."""

    key: str
    sha256: str
    attestation: Attestation


def open_signer(connection: Connection | None) -> Signer | None:
    """The key that seals evidence; None where none is configured, or nobody was asked.

    Raises:
        SigningError: it cannot be used.
    """
    if connection is None:
        return None
    from dbadmin_assets.resources import signing

    return signing.open_signer(connection.session, connection.settings)


def newest(report: OpenReport, *, of_report_only: bool = False) -> Stored | None:
    """The newest attestation: of any report in the bucket, or of this one; in a local folder, of that folder.

    Raises:
        EvidenceError: it cannot be read, or is none.
    """
    key = _newest_key(report, report.key_prefix if of_report_only else "reports/")
    return _stored(report, key) if key else None


def _newest_key(report: OpenReport, prefix: str) -> str | None:
    from dbadmin_assets.review.attestation import ATTESTATION_KEY

    if report.connection is None:
        keys = [report.key_prefix + name for name in report.folder.names()]
    else:
        keys = report.connection.store.keys(prefix)
    found = [match for key in keys if (match := ATTESTATION_KEY.fullmatch(key)) and is_report_folder(match["folder"])]
    return max(found, key=lambda match: (match["stamp"], match[0]))[0] if found else None


def _stored(report: OpenReport, key: str) -> Stored:
    from dbadmin_assets.review.attestation_model import read_attestation

    data = _bytes(report, key)
    if data is None:
        raise EvidenceError(f"{key} is not there any more")
    try:
        return Stored(key, hashlib.sha256(data).hexdigest(), read_attestation(data))
    except ValueError as error:
        hint = "db-admin-report verify checks it; export --no-previous leaves it aside"
        raise EvidenceError(f"{key} is not an attestation: {error}", hint=hint) from error


def _bytes(report: OpenReport, key: str) -> bytes | None:
    if report.connection is not None:
        return report.connection.store.read(key)
    file = report.folder.open(key.removeprefix(report.key_prefix))
    if file is None:
        return None
    with file:
        return file.read()


def store_review(
    report: OpenReport, rows: list[Reviewed], *, sheet: bytes, suffix: str, requested_by: str
) -> tuple[str, Attestation]:
    """Attest a checked sheet: where the attestation lies, and what it says.

    An import that was broken off is finished when the same sheet comes again.

    Raises:
        SheetError: this very sheet was imported already.
        EvidenceError: the bucket cannot be written.
        ReportError: the folder cannot be written.
    """
    from dbadmin_assets.review.attestation import REVIEWS, attest, free_time, stamp
    from dbadmin_assets.review.attestation_model import attestation_bytes
    from dbadmin_assets.review.signature import unsigned_section
    from dbadmin_assets.review.times import utc_now

    signer = open_signer(report.connection)
    names = {name for name in report.folder.names() if name.startswith(REVIEWS)}
    imported_at = _begun(report, names, sheet, suffix) or free_time(utc_now(), {Path(name).stem for name in names})
    base = REVIEWS + stamp(imported_at)
    begun = f"{base}.json" in names
    if begun:
        attestation = _without_its_signature(report, base, names, signer)
    else:
        section = signer.section() if signer else unsigned_section(_UNSIGNED if report.connection else _LOCAL)
        circumstances = _circumstances(report, imported_at, requested_by)
        attestation = attest(circumstances, rows, sheet=sheet, suffix=suffix, signature=section)
    data = attestation_bytes(attestation)
    signature = signer.sign(data) if signer else None
    if base + suffix not in names:
        _write(report, base + suffix, sheet)
    if not begun:
        _write(report, base + ".json", data)
    if signature is not None:
        _write(report, base + ".sig", signature)
    return f"{report.place.rstrip('/')}/{base}.json", attestation


def _circumstances(report: OpenReport, imported_at: str, requested_by: str) -> Import:
    from dbadmin_assets.review.attestation import Import
    from dbadmin_assets.review.attestation_model import Previous

    key = _newest_key(report, "reports/")
    before = _bytes(report, key) if key else None  # named as it lies there: a damaged one must not stop this one
    previous = Previous(key=key, sha256=hashlib.sha256(before).hexdigest()) if key and before is not None else None
    return Import(
        report=report.key_prefix,
        manifest_sha256=report.manifest_sha256,
        imported_at=imported_at,
        executed_by=report.connection.caller if report.connection else None,
        requested_by=requested_by,
        previous=previous,
    )


def _without_its_signature(report: OpenReport, base: str, names: set[str], signer: Signer | None) -> Attestation:
    """The attestation of an import that was broken off before its signature was written."""
    from dbadmin_assets.review.access_review.errors import SheetError
    from dbadmin_assets.review.manifest_model import Signed

    attestation = _stored(report, f"{report.key_prefix}{base}.json").attestation
    said = attestation.signature
    if not isinstance(said, Signed) or f"{base}.sig" in names:
        raise SheetError([f"it was imported already: {report.place.rstrip('/')}/{base}.json"])
    if signer is None or signer.section()["fingerprint"] != said.fingerprint:
        raise EvidenceError(f"{base}.json still lacks its signature by {said.key_arn}, which is not the key here")
    return attestation


def _begun(report: OpenReport, names: set[str], sheet: bytes, suffix: str) -> str | None:
    """The time of an import of this very sheet, finished or not; None where there is none."""
    from dbadmin_assets.review.attestation import REVIEWS, time_of

    for name in sorted(names):
        if name.endswith(suffix) and _bytes(report, report.key_prefix + name) == sheet:
            with contextlib.suppress(ValueError):  # a stray file
                return time_of(name.removeprefix(REVIEWS).removesuffix(suffix))
    return None


def _write(report: OpenReport, name: str, data: bytes) -> None:
    """Once, and never over something else."""
    if report.connection is not None:
        content_type = _CONTENT_TYPES[Path(name).suffix]
        report.connection.store.put(report.key_prefix + name, data, content_type=content_type)
        return
    assert report.path is not None  # noqa: S101 - what is not in the bucket is in a folder
    path = report.path / name
    try:
        path.parent.mkdir(exist_ok=True)
        if not (path.is_file() and path.read_bytes() == data):
            with path.open("xb") as file:
                file.write(data)
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror}") from error
