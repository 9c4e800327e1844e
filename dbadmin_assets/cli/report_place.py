"""Where a report lies, and how its files are read: in the evidence bucket, or in a folder of this machine."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dbadmin_assets.cli import options
from dbadmin_assets.errors import ReportError

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore


class LocalFolder:
    """A folder that was downloaded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Every file and link in it, hidden ones too."""
        entries = (entry for entry in self._path.rglob("*") if entry.is_symlink() or not entry.is_dir())
        return [entry.relative_to(self._path).as_posix() for entry in entries]

    def open(self, name: str) -> BinaryIO | None:
        """A file; None where there is none. A name of the manifest that leaves the folder is none."""
        path = self._path / name
        inside = path.resolve().is_relative_to(self._path.resolve())
        return path.open("rb") if inside and path.is_file() else None


class BucketFolder:
    """A folder in the evidence bucket; `prefix` ends with a slash."""

    def __init__(self, store: EvidenceStore, prefix: str) -> None:
        self._store, self._prefix = store, prefix

    def names(self) -> list[str]:
        """Every key below the prefix."""
        return [key.removeprefix(self._prefix) for key in self._store.keys(self._prefix)]

    def open(self, name: str) -> BinaryIO | None:
        """An object's bytes; None where there is none."""
        data = self._store.read(self._prefix + name)
        return None if data is None else io.BytesIO(data)


def open_store(given: dict[str, Any]) -> EvidenceStore:
    """The evidence bucket of a command that has the `connection` options, with credentials that AWS accepts."""
    from dbadmin_assets.resources.credentials import aws_session, verified_caller
    from dbadmin_assets.resources.evidence import EvidenceStore

    settings = options.settings_from(given, "bucket", "region")
    session = aws_session(settings)
    verified_caller(session)
    return EvidenceStore(session, **settings.required("bucket", "region"))


def find_report(store: EvidenceStore, report: str) -> tuple[str, str | None]:
    """The key prefix of `latest` or s3://bucket/reports/…/, and the manifest's sha256 where it is pinned.

    Raises:
        ReportError: there is no latest report, or the place is in another bucket.
        EvidenceError: the bucket cannot be read.
    """
    return _latest(store) if report == "latest" else (_prefix(store, report), None)


def _prefix(store: EvidenceStore, url: str) -> str:
    from dbadmin_assets.cli.summary import split_location

    prefix = split_location(url, store.bucket).removesuffix("manifest.json")
    return f"{prefix.rstrip('/')}/"


def _latest(store: EvidenceStore) -> tuple[str, str]:
    """The folder that `latest.json` names, and the sha256 of its manifest."""
    from dbadmin_assets.resources.evidence import LATEST_KEY

    data = store.read(LATEST_KEY)
    if data is None:
        raise ReportError("there is no complete report of the full scope yet", hint="db-admin-report history lists all")
    try:
        pointer = json.loads(data)
        return str(pointer["folder"]), str(pointer["manifestSha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise ReportError(f"{store.url(LATEST_KEY)} cannot be understood ({type(error).__name__})") from error
