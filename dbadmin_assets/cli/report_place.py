"""Where a report lies, and how its files are read: in the evidence bucket, or in a folder of this machine."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dbadmin_assets.cli import options
from dbadmin_assets.errors import EvidenceError, ReportError
from dbadmin_assets.review.folder import is_report_folder

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.resources.packing import Stream

_SHA256 = re.compile("[0-9a-f]{64}")
_HISTORY = "db-admin-report history lists all"


class LocalFolder:
    """A folder that was downloaded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Every file and link in it, hidden ones too.

        Raises:
            EvidenceError: a folder in it cannot be listed.
        """
        names = []
        try:
            for parent, folders, files in os.walk(self._path, onerror=_raise):
                links = [name for name in folders if Path(parent, name).is_symlink()]
                names += [Path(parent, name).relative_to(self._path).as_posix() for name in (*files, *links)]
        except OSError as error:
            raise EvidenceError(f"{self._path} cannot be listed: {error.strerror}") from error
        return names

    def open(self, name: str) -> BinaryIO | None:
        """A file; None where there is none. A name of the manifest that leaves the folder is none.

        Raises:
            EvidenceError: it cannot be read.
        """
        path = self._path / name
        try:
            inside = path.resolve().is_relative_to(self._path.resolve())
            return path.open("rb") if inside and path.is_file() else None
        except (ValueError, RuntimeError):  # no file can have that name, or it is a link to itself
            return None
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
                return None
            raise EvidenceError(f"{path} cannot be read: {error.strerror}") from error


def _raise(error: OSError) -> None:
    raise error


class BucketFolder:
    """A folder in the evidence bucket; `prefix` ends with a slash."""

    def __init__(self, store: EvidenceStore, prefix: str) -> None:
        self._store, self._prefix = store, prefix

    def names(self) -> list[str]:
        """Every key below the prefix."""
        return [key.removeprefix(self._prefix) for key in self._store.keys(self._prefix)]

    def open(self, name: str) -> Stream | None:
        """An object to read; None where there is none."""
        return self._store.open(self._prefix + name)


def open_store(given: dict[str, Any]) -> EvidenceStore:
    """The evidence bucket of a command that has the `connection` options, with credentials that AWS accepts."""
    from dbadmin_assets.resources.credentials import aws_session, verified_caller
    from dbadmin_assets.resources.evidence import EvidenceStore

    settings = options.settings_from(given, "bucket", "region")
    session = aws_session(settings)
    verified_caller(session)
    return EvidenceStore(session, **settings.required("bucket", "region"))


def find_report(store: EvidenceStore, report: str) -> tuple[str, str | None]:
    """The key prefix of a report in the bucket, and its manifest's sha256 where it is pinned.

    Args:
        report: `latest`, or s3://bucket/reports/…/, also with the name of a file in it.

    Raises:
        ReportError: there is no latest report, or the place is in another bucket or no place of a report.
        EvidenceError: the bucket cannot be read, or there is nothing.
    """
    prefix, pinned = _latest(store) if report == "latest" else (_prefix(store, report), None)
    if not is_report_folder(prefix):
        raise ReportError(f"{store.url(prefix)} is no place of a report", hint=_HISTORY)
    if not store.keys(prefix):
        raise EvidenceError(f"there is no report at {store.url(prefix)}", hint=_HISTORY)
    return prefix, pinned


def _prefix(store: EvidenceStore, url: str) -> str:
    from dbadmin_assets.cli.summary import split_location

    folder, _, name = split_location(f"{url}/" if url == f"s3://{store.bucket}" else url, store.bucket).rpartition("/")
    return f"{folder}/" if not name or "." in name else f"{folder}/{name}/"


def _latest(store: EvidenceStore) -> tuple[str, str]:
    """The folder that `latest.json` names, and the sha256 of its manifest."""
    from dbadmin_assets.resources.evidence import LATEST_KEY

    data = store.read(LATEST_KEY)
    if data is None:
        raise ReportError("there is no complete report of the full scope yet", hint=_HISTORY)
    try:
        pointer = json.loads(data)
        folder, sha256 = pointer["folder"], pointer["manifestSha256"]
        if not isinstance(folder, str) or not _SHA256.fullmatch(sha256):
            raise ValueError("no folder or no sha256")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReportError(f"{store.url(LATEST_KEY)} cannot be understood ({type(error).__name__})") from error
    return folder, sha256
