"""The two reports of a `diff`: found, brought to this machine, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli.download import check_report, fetch_report
from dbadmin_assets.cli.output import note
from dbadmin_assets.cli.report_place import LocalFolder, find_report, local_report, open_store
from dbadmin_assets.errors import ReportError
from dbadmin_assets.review.folder import MANIFEST_NAME, PARQUET_NAME, is_report_folder, report_folder

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.review.manifest_model import Manifest

PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class Place:
    """A report on this machine, checked: what it is called, its folder, its manifest and that one's sha256."""

    name: str
    folder: Path
    manifest: Manifest
    sha256: str


class Places:
    """Brings reports to this machine, those of the bucket into a folder that goes away.

    Args:
        given: the `connection` options; AWS is asked only where a report lies in the bucket.
        temporary: the folder that goes away.
    """

    def __init__(self, given: dict[str, Any], temporary: Path) -> None:
        self._given, self._temporary = given, temporary
        self._opened: EvidenceStore | None = None

    def both(self, before: str, after: str) -> tuple[Place, Place]:
        """The two reports; `previous` is looked for once the other one is known.

        Raises:
            BrokenEvidenceError: one of them is not what was sealed.
            ReportError: one of them is not there, or has no detail rows.
        """
        if before == after == PREVIOUS:
            raise click.BadParameter("previous of what? give the other report", param_hint="BEFORE AFTER")
        if before == PREVIOUS:
            new = self._bring(after)
            return self._previous(new), new
        old = self._bring(before)
        return old, self._previous(old) if after == PREVIOUS else self._bring(after)

    @property
    def _store(self) -> EvidenceStore:
        if self._opened is None:
            self._opened = open_store(self._given)
        return self._opened

    def _bring(self, report: str) -> Place:
        path = local_report(report)
        if path is None:
            return self._fetch(*find_report(self._store, report))
        named = path.name if is_report_folder(f"reports/2024/01/01/{path.name}/") else None
        check_report(LocalFolder(path), str(path), named)
        return _opened(str(path), path)

    def _fetch(self, prefix: str, pinned: str | None) -> Place:
        fetch_report(self._store, prefix, self._temporary, pinned_sha256=pinned, passing=True)
        return _opened(self._store.url(prefix), self._temporary / prefix.rstrip("/").rsplit("/", 1)[-1])

    def _previous(self, other: Place) -> Place:
        from dbadmin_assets.comparing import MOST_LOOKED_AT, earlier_report
        from dbadmin_assets.review.diff import scope_of

        manifest = other.manifest
        own = report_folder(manifest.ended_at, manifest.collection_id)
        search = earlier_report(self._store, own, scope_of(manifest))
        for problem in search.problems:
            note(f"passed over: {problem}")
        if search.found is None:
            some = "" if search.all_seen else f" among the newest {MOST_LOOKED_AT}"
            raise ReportError(
                f"there is no report before {other.name} that has its scope{some}",
                hint="db-admin-report history lists all; give both",
            )
        return self._fetch(search.found.folder, None)


def _opened(name: str, folder: Path) -> Place:
    """A checked folder's manifest.

    Raises:
        ReportError: it has no detail rows.
    """
    import hashlib

    from dbadmin_assets.review.manifest_model import read_sealed

    data = (folder / MANIFEST_NAME).read_bytes()
    manifest = read_sealed(data)
    if all(file.name != PARQUET_NAME for file in manifest.files):
        raise ReportError(f"{name} has no {PARQUET_NAME}: it was made by a version that wrote none")
    return Place(name, folder, manifest, hashlib.sha256(data).hexdigest())
