"""Where a report lies in the evidence bucket, and the pointer to the newest complete one."""

from __future__ import annotations

import json
import re

from dbadmin_assets.review.times import parse_time

CSV_NAME = "db-admin-report.csv"
PARQUET_NAME = "report.parquet"
XLSX_NAME = "report.xlsx"
JSON_NAME = "report.json"
HTML_NAME = "report.html"
CHANGES_NAME = "changes.csv"
MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.sig"
FILE_OF_FORMAT = {"csv": CSV_NAME, "json": JSON_NAME, "parquet": PARQUET_NAME, "xlsx": XLSX_NAME, "html": HTML_NAME}
"""The file that `--output-format` asks for. CSV, Parquet and xlsx are in every folder."""

_FOLDER = re.compile(r"reports/[0-9]{4}/[0-9]{2}/[0-9]{2}/[0-9]{8}T[0-9]{6}Z-[0-9A-Za-z_-]{1,8}/")


def is_report_folder(prefix: str) -> bool:
    """Whether a key prefix has the form that `report_folder` makes; nothing else may be taken for a report."""
    return _FOLDER.fullmatch(prefix) is not None


def report_folder(ended_at: str, collection_id: str) -> str:
    """Key prefix of a report: `reports/2024/01/15/20240115T142233Z-1a2b3c4d/`.

    Args:
        ended_at: when the report was finished, `2024-01-15T14:22:33Z`.

    Raises:
        ValueError: for a time of another form.
    """
    at = parse_time(ended_at)
    return f"reports/{at:%Y/%m/%d}/{at:%Y%m%dT%H%M%SZ}-{collection_id[:8]}/"


def latest_pointer(folder: str, manifest_sha256: str, ended_at: str, sequence: int) -> bytes:
    """Content of `reports/latest.json`.

    Args:
        folder: key prefix of the report.
        manifest_sha256: hex digest of its manifest.json, so that the pointer names one report and no other.
        ended_at: when the report was finished.
        sequence: its number in the chain; the pointer never goes back.
    """
    pointer = {
        "schemaVersion": "1",
        "folder": folder,
        "manifest": f"{folder}{MANIFEST_NAME}",
        "manifestSha256": manifest_sha256,
        "endedAt": ended_at,
        "sequence": sequence,
    }
    return json.dumps(pointer, indent=1).encode() + b"\n"
