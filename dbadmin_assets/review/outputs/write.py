"""Which files a report gets beside CSV and Parquet, and what is too large for which of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from dbadmin_assets.review.folder import FILE_OF_FORMAT, HTML_NAME, JSON_NAME, PARQUET_NAME, XLSX_NAME
from dbadmin_assets.review.manifest import LeftOutFile
from dbadmin_assets.review.outputs import workbook
from dbadmin_assets.review.outputs.changes import ChangesTable
from dbadmin_assets.review.outputs.json_lines import write_json_lines
from dbadmin_assets.review.outputs.overview import Facts
from dbadmin_assets.review.outputs.page import write_page


def write_outputs(
    folder: Path, facts: Facts, parquet: Path, changes: ChangesTable | None, formats: Sequence[str]
) -> list[LeftOutFile]:
    """Make report.xlsx, and as asked for report.json and report.html.

    Args:
        folder: where the files go.
        facts: the manifest before files and signature are known.
        parquet: the detail rows.
        changes: since an earlier report; None where it was not compared.
        formats: as `--output-format` names them.

    Returns:
        What is left out, for the manifest.

    Raises:
        ValueError: for an unknown format.
    """
    if unknown := sorted(set(formats) - FILE_OF_FORMAT.keys()):
        raise ValueError(f"unknown formats: {', '.join(unknown)}; known: {', '.join(FILE_OF_FORMAT)}")
    rows = pq.read_metadata(parquet).num_rows
    if rows > workbook.MOST_ROWS:
        reasons = [f"{rows:,} rows are more than {workbook.MOST_ROWS:,}; {PARQUET_NAME} has them all"]
    else:
        reasons = workbook.write_workbook(folder / XLSX_NAME, facts, parquet, changes)
    left_out = [LeftOutFile(XLSX_NAME, reason) for reason in reasons]
    if "json" in formats:
        write_json_lines(folder / JSON_NAME, parquet)
    if "html" in formats:
        left_out += [
            LeftOutFile(HTML_NAME, reason) for reason in write_page(folder / HTML_NAME, facts, parquet, changes)
        ]
    return left_out
