"""From verdicts to one evidence folder: what the report covers, the CSV, the manifest, `latest`."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from dbadmin_assets.errors import ReportError
from dbadmin_assets.resources.evidence import LATEST_KEY, EvidenceStore
from dbadmin_assets.review.consolidate import Totals, write_csv
from dbadmin_assets.review.folder import MANIFEST_NAME, latest_pointer, report_folder
from dbadmin_assets.review.manifest import ReportFile, build_manifest, canonical_json
from dbadmin_assets.review.reconciliation import reconcile
from dbadmin_assets.review.records import Outcome, Request
from dbadmin_assets.review.times import utc_now

CSV_NAME = "db-admin-report.csv"


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it lies in the bucket.

    Attributes:
        folder: key prefix, ends with a slash.
        complete: every database asked for was collected with full visibility.
        totals: the counts and the CSV's hash.
    """

    folder: str
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
    across_collections: bool = False,
) -> Report:
    """Consolidate and seal. The manifest is written last: a folder without one is no report.

    Args:
        across_collections: the requests name the targets, the outcomes may be of several collections.

    Raises:
        ReportError: where there is no target to report on.
        EvidenceError: where the folder exists already or the bucket cannot be written.
    """
    declared = [target for request in requests for target in request.targets] if across_collections else None
    records = reconcile(requests, outcomes, declared=declared)
    if not records:
        raise ReportError("there is nothing to report: no target was asked for")
    started_at = utc_now()
    with tempfile.TemporaryFile() as csv:
        totals = write_csv(store.with_objects(records), csv, flat=flat, as_of=started_at)
        ended_at = utc_now()
        manifest = build_manifest(
            requests, records, totals,
            files=[ReportFile(CSV_NAME, totals.csv_sha256, totals.csv_size_bytes)],
            collection_id=collection_id, run_id=run_id,
            started_at=started_at, ended_at=ended_at, code_version=code_version, flat=flat,
        )  # fmt: skip
        folder = report_folder(ended_at, collection_id)
        csv.seek(0)
        store.put(folder + CSV_NAME, csv, content_type="text/csv; charset=utf-8", sha256=totals.csv_sha256)
    data = canonical_json(manifest)
    store.put(folder + MANIFEST_NAME, data, content_type="application/json")
    if manifest["complete"] and manifest["scope"]["full"]:
        pointer = latest_pointer(folder, hashlib.sha256(data).hexdigest(), ended_at)
        store.put(LATEST_KEY, pointer, content_type="application/json", once=False)
    return Report(folder, bool(manifest["complete"]), totals, len(records))
