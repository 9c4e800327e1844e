"""Where a report lies, and how its files are read: in the evidence bucket, or in a folder of this machine."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import note
from dbadmin_assets.errors import EvidenceError, ReportError
from dbadmin_assets.review.folder import MANIFEST_NAME, is_report_folder

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.resources.packing import Stream

_ID = re.compile(r"[0-9A-Za-z_-]{8,}")
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


def local_report(report: str) -> Path | None:
    """The folder on this machine; None where `report` is for `find_report`. A folder goes before an id of its name.

    Raises:
        click.BadParameter: it can be neither.
    """
    if report in ("latest", "previous") or report.startswith("s3://"):
        return None
    path = Path(report).expanduser()
    path = path.parent if path.name == MANIFEST_NAME else path
    if report and path.is_dir():
        return path
    if _ID.fullmatch(report):
        return None
    raise click.BadParameter(
        f"there is no folder {report!r}; give s3://…, a folder, latest, or an id of 8 characters or more",
        param_hint="REPORT",
    )


def find_report(store: EvidenceStore, report: str) -> tuple[str, str | None]:
    """The key prefix of a report in the bucket, and its manifest's sha256 where it is pinned.

    Args:
        report: `latest`; s3://bucket/reports/…/, also with the name of a file in it; or an id: the collection's, a
            run's, its first 8 characters or more, or the folder's name.

    Raises:
        click.BadParameter: no report has this id, or several have; then they are listed.
        ReportError: there is no latest report, or the place is in another bucket or no place of a report.
        EvidenceError: the bucket cannot be read, or there is nothing.
    """
    if report == "latest":
        prefix, pinned = _latest(store)
    else:
        prefix, pinned = _prefix(store, report) if report.startswith("s3://") else _by_id(store, report), None
    if not is_report_folder(prefix):
        raise ReportError(f"{store.url(prefix)} is no place of a report", hint=_HISTORY)
    if not store.keys(prefix):
        raise EvidenceError(f"there is no report at {store.url(prefix)}", hint=_HISTORY)
    return prefix, pinned


def _by_id(store: EvidenceStore, wanted: str) -> str:
    """The one report that has this id; a folder's name tells 8 characters of its collection, the rest is read."""
    end = f"/{MANIFEST_NAME}"
    folders = [key.removesuffix(MANIFEST_NAME) for key in store.keys("reports/") if key.endswith(end)]
    names = {folder: folder.rsplit("/", 2)[1] for folder in folders if is_report_folder(folder)}
    found = [folder for folder, name in names.items() if name == wanted]
    if not found:
        likely = [folder for folder, name in names.items() if name.partition("-")[2] == wanted[:8]]
        found = _with_id(store, likely, wanted) or _with_id(store, names.keys() - set(likely), wanted)
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.BadParameter(f"there is no folder and no report {wanted!r}; {_HISTORY}", param_hint="REPORT")
    listed = "".join(f"\n  {store.url(folder)}" for folder in sorted(found, reverse=True))
    raise click.BadParameter(f"{len(found)} reports have the id {wanted}:{listed}", param_hint="REPORT")


def _with_id(store: EvidenceStore, folders: Iterable[str], wanted: str) -> list[str]:
    """The reports of these that were made by, or of, what has this id. One that cannot be read is said."""
    from dbadmin_assets.cli.summary import read_manifest

    def has_it(folder: str) -> bool:
        try:
            manifest = read_manifest(store, folder)
            ids = [manifest["collectionId"], manifest["runId"], *manifest["runIds"]]
            return any(name.startswith(wanted) for name in ids)
        except (EvidenceError, KeyError, TypeError, AttributeError) as error:
            note(f"{store.url(folder)} was not looked at, its manifest cannot be understood: {error}")
            return False

    folders = list(folders)
    with ThreadPoolExecutor(16) as pool:
        return [folder for folder, has in zip(folders, pool.map(has_it, folders), strict=True) if has]


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
