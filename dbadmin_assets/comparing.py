"""From a new report to what changed since the last one of its scope: finding that one, checking it, comparing.

A report that is broken or cannot be read never stops a new one. It is said, for whoever broke it may have had a reason.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbadmin_assets.errors import BrokenEvidenceError, EvidenceError
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.review.balance import imbalances, misplaced
from dbadmin_assets.review.chain import link_key
from dbadmin_assets.review.diff import COLUMNS, Sealed, compare, note_row, rows, scope_of, write_csv
from dbadmin_assets.review.errors import ReviewError
from dbadmin_assets.review.folder import MANIFEST_NAME, PARQUET_NAME, is_report_folder, report_folder
from dbadmin_assets.review.manifest_model import Manifest, read_sealed

MOST_LOOKED_AT = 50
"""Manifests that are read to find one of the same scope: a new report must not wait for the whole history."""

_MOST_NAMED = 3
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier report; `sha256` is its manifest's."""

    folder: str
    manifest: Manifest
    sha256: str


@dataclass(frozen=True, slots=True)
class Search:
    """What was found among the reports before one; `problems` names those that had to be passed over, and why."""

    found: Earlier | None
    problems: tuple[str, ...]
    all_seen: bool


@dataclass(frozen=True, slots=True)
class LastReport:
    """What changed since the last report of this scope, for the evidence folder.

    Attributes:
        note: one sentence for people.
        columns, rows: the table of `changes.csv` and of the workbook; raw text, the note is its first row.
        compared_with: for the manifest: `folder`, `manifestSha256`, `counts` by kind; None where nothing was compared.
        reason: why nothing was compared; None where it was.
    """

    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    compared_with: dict[str, Any] | None
    reason: str | None

    def write_csv(self, path: Path) -> None:
        """Write `changes.csv`."""
        with path.open("wb") as out:
            write_csv(out, self.rows)


def changes_since_last(store: EvidenceStore, facts: Mapping[str, Any], details: Path, work: Path) -> LastReport:
    """Compare a report that is about to be sealed with the newest earlier one of its scope, complete or not.

    Args:
        facts: what `build_manifest` made; `files` and `signature` are not read.
        details: the new `report.parquet`.
        work: a folder to work in; nothing of this stays there.
    """
    passed_over: tuple[str, ...] = ()
    try:
        search = earlier_report(store, report_folder(facts["endedAt"], facts["collectionId"]), scope_of(facts))
        passed_over = search.problems
        if search.found is None:
            some = "" if search.all_seen else f" among the newest {MOST_LOOKED_AT}"
            return _nothing(f"there is no earlier report of this scope{some}", passed_over)
        return _compared(store, search.found, Sealed(facts, details), work, passed_over)
    except (EvidenceError, ReviewError, OSError) as error:
        return _nothing(f"the last report could not be compared: {error}", passed_over)


def earlier_report(store: EvidenceStore, folder: str, scope: tuple[Any, ...]) -> Search:
    """The newest report before one that has this scope.

    Args:
        folder: key prefix of the one that it must be before; a folder's name begins with its time.
        scope: as `scope_of` tells it.

    Raises:
        EvidenceError: the bucket cannot be listed.
    """
    own = _name(folder)
    folders = [key.removesuffix(MANIFEST_NAME) for key in store.keys("reports/") if key.endswith(f"/{MANIFEST_NAME}")]
    earlier = sorted((f for f in folders if is_report_folder(f) and _name(f) < own), key=_name, reverse=True)
    problems: list[str] = []
    for candidate in earlier[:MOST_LOOKED_AT]:
        try:
            found = _read(store, candidate)
        except EvidenceError as error:
            problems.append(error.message)
            continue
        if scope_of(found.manifest) == scope:
            return Search(found, tuple(problems), all_seen=False)
    return Search(None, tuple(problems), all_seen=len(earlier) <= MOST_LOOKED_AT)


def _name(folder: str) -> str:
    return folder.rstrip("/").rsplit("/", 1)[-1]


def _read(store: EvidenceStore, folder: str) -> Earlier:
    data = store.read(folder + MANIFEST_NAME)
    if data is None:
        raise EvidenceError(f"{folder}{MANIFEST_NAME} is not there any more")
    try:
        manifest = read_sealed(data)
    except ValueError as error:
        raise BrokenEvidenceError(f"{folder}{MANIFEST_NAME} is not the manifest of a report: {error}") from error
    if wrong := misplaced(manifest, folder.rstrip("/")):
        raise BrokenEvidenceError(f"{folder}{MANIFEST_NAME}: {wrong}")
    if store.read(link_key(manifest.sequence)) != data:  # a report that somebody laid there would hide what changed
        raise BrokenEvidenceError(f"{folder}{MANIFEST_NAME} is not {link_key(manifest.sequence)} of the chain")
    return Earlier(folder, manifest, hashlib.sha256(data).hexdigest())


def _compared(store: EvidenceStore, last: Earlier, new: Sealed, work: Path, passed_over: tuple[str, ...]) -> LastReport:
    with tempfile.TemporaryDirectory(prefix="last-report-", dir=work) as temporary:
        details = _fetched(store, last, Path(temporary))
        comparison = compare(Sealed(last.manifest, details), new)
        note = _sentence(f"compared with {last.folder}, sealed at {last.manifest.ended_at}", passed_over)
        table = tuple(rows(comparison, note=note))
    counts = comparison.counts()
    entry = {"folder": last.folder, "manifestSha256": last.sha256, "counts": counts}
    return LastReport(note, COLUMNS, table, entry, None)


def _fetched(store: EvidenceStore, last: Earlier, to: Path) -> Path:
    """The report's detail rows on this machine, checked."""
    if wrong := [f"{subject}: {why}" for subject, why in imbalances(last.manifest) if why]:
        raise BrokenEvidenceError(f"{last.folder} does not hold: {'; '.join(wrong)}")
    sealed = next((file for file in last.manifest.files if file.name == PARQUET_NAME), None)
    if sealed is None:
        raise EvidenceError(f"{last.folder} has no {PARQUET_NAME}")
    path = to / PARQUET_NAME
    fetched = store.fetch(last.folder + PARQUET_NAME)
    if fetched is None:
        raise BrokenEvidenceError(f"{last.folder}{PARQUET_NAME} is not there any more")
    data, found = fetched
    if found.sha256 != sealed.sha256:
        raise BrokenEvidenceError(f"{last.folder}{PARQUET_NAME} is not what was sealed: its sha256 is another")
    path.write_bytes(data)
    return path


def _nothing(reason: str, passed_over: tuple[str, ...]) -> LastReport:
    reason = _sentence(reason, passed_over)
    return LastReport(reason, COLUMNS, (note_row(reason),), None, reason)


def _sentence(text: str, passed_over: tuple[str, ...]) -> str:
    """With what was passed over; cut, for it may quote what somebody put there."""
    told = [text, *(f"passed over: {problem[:_LONGEST]}" for problem in passed_over[:_MOST_NAMED])]
    more = len(passed_over) - _MOST_NAMED
    return "; ".join([*told, f"and {more} more"] if more > 0 else told)
