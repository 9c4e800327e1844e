"""From verdicts to one evidence folder: what the report covers, its files, the manifest, `latest`."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dbadmin_assets.comparing import changes_since_last
from dbadmin_assets.errors import ReportError
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.review.consolidate import Totals, write_csv
from dbadmin_assets.review.detail import DetailFile
from dbadmin_assets.review.folder import CHANGES_NAME, CSV_NAME, PARQUET_NAME, report_folder
from dbadmin_assets.review.manifest import ReportFile, build_manifest, with_files
from dbadmin_assets.review.outputs.changes import ChangesTable
from dbadmin_assets.review.outputs.write import write_outputs
from dbadmin_assets.review.reconciliation import reconcile
from dbadmin_assets.review.records import Outcome, Request
from dbadmin_assets.review.signature import Signer
from dbadmin_assets.review.times import utc_now
from dbadmin_assets.sealing import seal

_CONTENT_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it lies in the bucket.

    Attributes:
        folder: key prefix, ends with a slash.
        sequence: its number in the chain of manifests.
        complete: every database asked for was collected with full visibility.
        totals: the counts and the CSV's hash.
    """

    folder: str
    sequence: int
    complete: bool
    totals: Totals
    targets: int


def make_report(
    store: EvidenceStore,
    requests: Sequence[Request],
    outcomes: Sequence[Outcome],
    *,
    collection_id: str,
    run_id: str,
    flat: bool,
    code_version: str,
    formats: Sequence[str] = (),
    signer: Signer | None = None,
    across_collections: bool = False,
) -> Report:
    """Consolidate and seal. The manifest is written last: a folder without one is no report.

    Args:
        formats: what was asked for beside what every folder has, as `--output-format` names them.
        signer: signs the manifest; None where no key is configured.
        across_collections: the requests name the targets, the outcomes may be of several collections.

    Raises:
        ReportError: where there is no target to report on.
        SigningError: where the signing key cannot be used.
        EvidenceError: where the folder exists already or the bucket cannot be written.
    """
    declared = [target for request in requests for target in request.targets] if across_collections else None
    records = reconcile(requests, outcomes, declared=declared)
    if not records:
        raise ReportError("there is nothing to report: no target was asked for")
    started_at = utc_now()
    with tempfile.TemporaryDirectory(prefix="db-admin-report-") as temporary:
        work = Path(temporary)
        files = work / "report"
        files.mkdir()
        with (files / CSV_NAME).open("wb") as csv, DetailFile(files / PARQUET_NAME) as details:
            totals = write_csv(store.with_objects(records), csv, details=details, flat=flat, as_of=started_at)
        ended_at = utc_now()
        facts = build_manifest(
            requests, records, totals,
            collection_id=collection_id, run_id=run_id,
            started_at=started_at, ended_at=ended_at, code_version=code_version, flat=flat,
        )  # fmt: skip
        last = changes_since_last(store, facts, files / PARQUET_NAME, work)
        last.write_csv(files / CHANGES_NAME)
        changes = ChangesTable(last.note, last.columns, last.rows)
        facts |= {"comparedWith": last.compared_with, "notCompared": last.reason}
        left_out = write_outputs(files, facts, files / PARQUET_NAME, changes, formats)
        manifest = with_files(facts, _described(files), left_out)
        folder = report_folder(ended_at, collection_id)
        for file in manifest["files"]:
            path = files / file["name"]
            store.put_file(folder + path.name, path, content_type=_CONTENT_TYPES[path.suffix], sha256=file["sha256"])
    manifest = seal(store, signer, folder, manifest)
    return Report(folder, manifest["sequence"], bool(manifest["complete"]), totals, len(records))


def _described(folder: Path) -> list[ReportFile]:
    """Every file of a folder, sorted by name."""
    described = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        described.append(ReportFile(path.name, sha256, path.stat().st_size))
    return described
