"""A report that a review is about: found, verified, and its principals; in the bucket or in a local folder."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbadmin_assets.cli import options
from dbadmin_assets.cli.report_place import BucketFolder, LocalFolder, find_report, local_report
from dbadmin_assets.errors import BrokenEvidenceError, EvidenceError
from dbadmin_assets.review.folder import MANIFEST_NAME, PARQUET_NAME, is_report_folder, report_folder

if TYPE_CHECKING:
    import boto3

    from dbadmin_assets.config import Settings
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.review.access_review.principals import Principal
    from dbadmin_assets.review.manifest_model import Manifest
    from dbadmin_assets.review.signature import Trust
    from dbadmin_assets.review.verification import Folder


@dataclass(frozen=True, slots=True)
class Connection:
    """The evidence bucket, and who asks. `caller` is an ARN, as STS says it."""

    settings: Settings
    session: boto3.Session
    caller: str
    store: EvidenceStore


@dataclass(frozen=True)
class OpenReport:
    """A report that holds.

    Attributes:
        place: where it lies, for people.
        key_prefix: where it lies, or lay, in the bucket.
        connection: None for a folder of this machine, which then is `path`.
    """

    place: str
    key_prefix: str
    folder: Folder
    manifest: Manifest
    manifest_sha256: str
    connection: Connection | None
    path: Path | None

    @cached_property
    def principals(self) -> list[Principal]:
        """Every row, without those that a policy excludes.

        Raises:
            EvidenceError: the report has no detail rows, or they cannot be read.
            BrokenEvidenceError: they are not what was sealed.
        """
        from dbadmin_assets.review.access_review.principals import principals

        sealed = {file.name: file.sha256 for file in self.manifest.files}
        if PARQUET_NAME not in sealed:
            raise EvidenceError(f"{self.place} has no {PARQUET_NAME}: an older version made it", hint="make a new one")
        data = _read(self.folder, PARQUET_NAME)
        if data is None or hashlib.sha256(data).hexdigest() != sealed[PARQUET_NAME]:
            raise BrokenEvidenceError(f"{PARQUET_NAME} of {self.place} is not what was sealed")
        with tempfile.TemporaryDirectory(prefix="db-admin-report-") as temporary:
            path = Path(temporary, PARQUET_NAME)
            path.write_bytes(data)
            return list(principals(path))

    @cached_property
    def administrators(self) -> list[Principal]:
        """The rows whose permission level is Admin: as many as the manifest counts.

        Raises:
            BrokenEvidenceError: they are not as many.
        """
        found = [row for row in self.principals if row.is_admin]
        if len(found) != self.manifest.counts.admins:
            raise BrokenEvidenceError(
                f"{self.place}: {PARQUET_NAME} has {len(found)} administrators, "
                f"the manifest counts {self.manifest.counts.admins}"
            )
        return found

    @property
    def unseen(self) -> list[str]:
        """The databases of which the report may not know every administrator: failed, or only partly visible."""
        return [
            f"{target.account_id} {target.region} {database.name} ({database.status})"
            for target in self.manifest.targets
            for database in target.databases
            if database.status != "complete"
        ]


def connect(given: dict[str, Any]) -> Connection:
    """The evidence bucket of a command that has the `connection` options."""
    from dbadmin_assets.resources.credentials import aws_session, verified_caller
    from dbadmin_assets.resources.evidence import EvidenceStore

    settings = options.settings_from(given, "bucket", "region")
    session = aws_session(settings)
    caller = verified_caller(session)["arn"]
    return Connection(settings, session, caller, EvidenceStore(session, **settings.required("bucket", "region")))


def open_report(given: dict[str, Any], report: str) -> OpenReport:
    """A report of the bucket, or a downloaded folder, checked as `verify` does.

    Raises:
        BrokenEvidenceError: it is not what was sealed.
        EvidenceError: it cannot be read.
    """
    path = local_report(report)
    if path is None:
        connection = connect(given)
        prefix, pinned = find_report(connection.store, report)
        place, folder = connection.store.url(prefix), BucketFolder(connection.store, prefix)
        trust = _trust(connection.settings)
        manifest, sha256 = _verified(place, folder, place=prefix.rstrip("/"), pinned_sha256=pinned, trust=trust)
        return OpenReport(place, prefix, folder, manifest, sha256, connection, None)
    path = path.resolve()
    named = path.name if is_report_folder(f"reports/2024/01/01/{path.name}/") else None
    local = LocalFolder(path)
    manifest, sha256 = _verified(str(path), local, place=named, trust=_trust(options.settings_from(given)))
    prefix = report_folder(manifest.ended_at, manifest.collection_id)
    return OpenReport(str(path), prefix, local, manifest, sha256, None, path)


def _trust(settings: Settings) -> Trust | None:
    """The key that is pinned in the settings; nobody is asked for another."""
    from dbadmin_assets.review.signature import Trust

    pinned = settings.signing_fingerprint
    return Trust("the fingerprint of the settings", pinned) if pinned else None


def _verified(where: str, folder: Folder, **known: Any) -> tuple[Manifest, str]:
    """The manifest of a report that holds. Its reviews are not the report: they are looked at when they are used."""
    from dbadmin_assets.review.attestation import REVIEWS
    from dbadmin_assets.review.manifest_model import read_sealed
    from dbadmin_assets.review.verification import verify

    findings = [finding for finding in verify(folder, None, **known) if not finding.subject.startswith(REVIEWS)]
    if broken := [f"{finding.subject}: {finding.detail}" for finding in findings if finding.verdict == "broken"]:
        hint = f"db-admin-report verify {where} lists every check"
        raise BrokenEvidenceError(f"{where} is not what was sealed: {'; '.join(broken)}", hint=hint)
    if unread := [finding.detail for finding in findings if finding.verdict == "unread"]:
        raise EvidenceError("; ".join(unread))
    data = _read(folder, MANIFEST_NAME)
    if data is None:
        raise EvidenceError(f"{where} has no {MANIFEST_NAME} any more")
    try:
        return read_sealed(data), hashlib.sha256(data).hexdigest()
    except ValueError as error:  # it was changed since it was verified
        raise BrokenEvidenceError(f"{where} is not what was sealed: {MANIFEST_NAME}: {error}") from error


def _read(folder: Folder, name: str) -> bytes | None:
    file = folder.open(name)
    if file is None:
        return None
    with file:
        return file.read()
