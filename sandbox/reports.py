"""Copies the evidence that a report left in the bucket to this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

EVIDENCE_FILES = (
    "db-admin-report.csv",
    "changes.csv",
    "report.json",
    "report.html",
    "report.parquet",
    "report.xlsx",
    "manifest.json",
    "manifest.sig",
)
"""What an evidence folder may hold; earlier copies of these are removed before a new one comes."""


def newest_report_prefix(s3: Any, bucket: str) -> str | None:
    """The key prefix of the newest evidence folder, which its timestamped name sorts last; None without a report."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="reports/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    folders = {key.rpartition("/")[0] + "/" for key in keys if key.count("/") >= 5}
    return max(folders, default=None)


def copy_newest_report(s3: Any, bucket: str, destination: Path) -> list[Path]:
    """Put the newest evidence folder's files into a directory, in place of what an earlier copy left there.

    Returns what was written; nothing where there is no report.
    """
    prefix = newest_report_prefix(s3, bucket)
    written: list[Path] = []
    if prefix is None:
        return written
    destination.mkdir(parents=True, exist_ok=True)
    for name in EVIDENCE_FILES:  # by name: the directory is a person's choice, and may hold other things
        (destination / name).unlink(missing_ok=True)
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        path = destination / Path(item["Key"]).name
        path.write_bytes(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
        written.append(path)
    return written
