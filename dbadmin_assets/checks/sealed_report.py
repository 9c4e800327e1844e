"""The report that a check looks at, and the last one of its scope, read from the bucket when a check asks."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from dbadmin_assets.comparing import Search, earlier_report
from dbadmin_assets.errors import BrokenEvidenceError, EvidenceError
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.review.diff import scope_of
from dbadmin_assets.review.folder import CHANGES_NAME, MANIFEST_NAME
from dbadmin_assets.review.manifest_model import Manifest, read_sealed

REPORT = dg.AssetKey("db_admin_report")


@dataclass(frozen=True)
class SealedReport:
    """One report in the bucket. Everything raises EvidenceError for what cannot be read or is not what was sealed."""

    store: EvidenceStore
    folder: str

    @cached_property
    def data(self) -> bytes:
        """The bytes of its manifest."""
        found = self.store.read(self.folder + MANIFEST_NAME)
        if found is None:
            raise EvidenceError(f"{self.folder}{MANIFEST_NAME} is not there")
        return found

    @cached_property
    def manifest(self) -> Manifest:
        """Its manifest, held to its form."""
        try:
            return read_sealed(self.data)
        except ValueError as error:
            raise BrokenEvidenceError(f"{self.folder}{MANIFEST_NAME} is no manifest: {error}") from error

    @cached_property
    def before(self) -> Search:
        """The last report of its scope, found as the report itself found it."""
        return earlier_report(self.store, self.folder, scope_of(self.manifest))

    def changes(self) -> bytes:
        """Its `changes.csv`."""
        sealed = next((file for file in self.manifest.files if file.name == CHANGES_NAME), None)
        data = self.store.read(self.folder + CHANGES_NAME)
        if sealed is None or data is None:
            raise EvidenceError(f"{self.folder}{CHANGES_NAME} is not there")
        if hashlib.sha256(data).hexdigest() != sealed.sha256:
            raise BrokenEvidenceError(f"{self.folder}{CHANGES_NAME} is not what was sealed")
        return data


def report_of_run(context: dg.AssetCheckExecutionContext, store: EvidenceStore) -> SealedReport | None:
    """The report that this run made; else the newest that Dagster knows of; None where there is none."""
    made = context.instance.get_records_for_run(context.run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    found = [record.asset_materialization for record in made.records]
    latest = context.instance.get_latest_materialization_event(REPORT)
    own = [m for m in found if m is not None and m.asset_key == REPORT]
    materialization = own[-1] if own else latest.asset_materialization if latest else None
    # A person can report a materialization in the UI: it says nothing of a report.
    if materialization is None or "report" not in materialization.metadata:
        return None
    url = str(materialization.metadata["report"].value)
    return SealedReport(store, url.removeprefix(store.url("")))
