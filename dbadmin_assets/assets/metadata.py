"""What Dagster keeps of outcomes and reports: counts, reasons, places. Account names are personal data, and stay out.

Every count is a plain number, so that the UI plots it.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import dagster as dg

from dbadmin_assets.reporting import Report
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.review.folder import MANIFEST_NAME
from dbadmin_assets.review.records import DatabaseOutcome, Outcome
from dbadmin_assets.review.times import parse_time, seconds_between

Metadata = dict[str, dg.MetadataValue[Any]]

# https://docs.aws.amazon.com/general/latest/gr/rande.html: each partition of AWS has a console of its own.
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_TOLD_DATABASES = 50
"""A target with more that failed or were partly visible names so many: Dagster reads metadata with every page."""


def outcome_metadata(outcome: Outcome, store: EvidenceStore) -> Metadata:
    """Of one target: the materialization of its partition."""
    metadata: Metadata = {
        "status": dg.MetadataValue.text(outcome.status),
        "collected_at": dg.MetadataValue.timestamp(parse_time(outcome.ended_at)),
        **_numbers(_database_counts(outcome.databases)),
        "duration_seconds": dg.MetadataValue.float(seconds_between(outcome.started_at, outcome.ended_at)),
        "attempts": dg.MetadataValue.int(outcome.attempts),
        "collection_id": dg.MetadataValue.text(outcome.collection_id),
    }
    if outcome.reason:
        metadata["reason"] = dg.MetadataValue.text(outcome.reason)
    if outcome.detail:
        metadata["detail"] = dg.MetadataValue.text(outcome.detail)
    if told := _not_complete(outcome.databases):
        metadata["not_complete"] = dg.MetadataValue.text(told)
    if outcome.object:
        metadata["object"] = dg.MetadataValue.url(store.url(outcome.object.key))
    return metadata


def collection_metadata(outcomes: Sequence[Outcome], duration_seconds: float) -> Metadata:
    """Of all targets of one run together: the materialization of the asset itself."""
    databases = [database for outcome in outcomes for database in outcome.databases]
    counts = {"targets": len(outcomes), "failed_targets": sum(o.status == "failed" for o in outcomes)}
    return {
        **_numbers({**counts, **_database_counts(databases)}),
        "duration_seconds": dg.MetadataValue.float(duration_seconds),
    }


def report_metadata(report: Report, store: EvidenceStore, collection: str, duration_seconds: float) -> Metadata:
    """Of one report: where its evidence is, how to get it, and its counts.

    Args:
        duration_seconds: from the request until the report was sealed.
    """
    totals = report.totals
    counts = {
        "targets": report.targets,
        "databases": totals.databases,
        "users": totals.users,
        "admins": totals.admins,
        "failed": totals.failed,
        "partial": totals.partial,
    }
    return {
        "report": dg.MetadataValue.url(store.url(report.folder)),
        "manifest": dg.MetadataValue.url(store.url(report.folder + MANIFEST_NAME)),
        "console": dg.MetadataValue.url(console_url(store, report.folder)),
        "download": dg.MetadataValue.text(f"db-admin-report download {store.url(report.folder)}"),
        "sequence": dg.MetadataValue.int(report.sequence),
        "complete": dg.MetadataValue.bool(report.complete),
        **_numbers(counts),
        "duration_seconds": dg.MetadataValue.float(duration_seconds),
        "csv_sha256": dg.MetadataValue.text(totals.csv_sha256),
        "collection_id": dg.MetadataValue.text(collection),
    }


def console_url(store: EvidenceStore, folder: str) -> str:
    """The page of a folder in the AWS console, for who is signed in to the central account."""
    meta = store.s3.meta
    console = _CONSOLES.get(meta.partition, _CONSOLES["aws"])
    return f"https://{console}/s3/buckets/{store.bucket}?region={meta.region_name}&prefix={quote(folder)}"


def _numbers(counts: Mapping[str, int]) -> Metadata:
    return {name: dg.MetadataValue.int(count) for name, count in counts.items()}


def _database_counts(databases: Sequence[DatabaseOutcome]) -> dict[str, int]:
    return {
        "databases": len(databases),
        "failed_databases": sum(d.status == "failed" for d in databases),
        "partial_databases": sum(d.status == "partial" for d in databases),
        "users": sum(d.users for d in databases),
        "admins": sum(d.admins for d in databases),
    }


def _not_complete(databases: Sequence[DatabaseOutcome]) -> str:
    """Each database that failed, and why; each that was partly visible."""
    told = [
        f"{d.name}: {d.reason or 'only partly visible; its WARNING row names the right to grant'}"
        for d in databases
        if d.status != "complete"
    ]
    more = [f"and {len(told) - _TOLD_DATABASES} more"] if len(told) > _TOLD_DATABASES else []
    return "\n".join([*told[:_TOLD_DATABASES], *more])
