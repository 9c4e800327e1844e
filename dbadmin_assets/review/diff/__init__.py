"""What changed between two sealed reports: databases first, then the principals of those that both could read.

docs/diff.md says what counts as what. No dagster, no boto3, no files but the two reports' detail rows.
"""

from dbadmin_assets.review.diff.changes import Sealed, compare
from dbadmin_assets.review.diff.model import (
    DATABASE_KINDS,
    KINDS,
    PRINCIPAL_KINDS,
    Comparison,
    DatabaseChange,
    Principal,
    PrincipalChange,
)
from dbadmin_assets.review.diff.sides import DatabaseEntry, Side, scope_of
from dbadmin_assets.review.diff.table import (
    COLUMNS,
    cautions,
    database_note,
    note_row,
    principal_note,
    rows,
    summary,
    words,
    write_csv,
)
from dbadmin_assets.review.diff.told import as_json

__all__ = [
    "COLUMNS",
    "DATABASE_KINDS",
    "KINDS",
    "PRINCIPAL_KINDS",
    "Comparison",
    "DatabaseChange",
    "DatabaseEntry",
    "Principal",
    "PrincipalChange",
    "Sealed",
    "Side",
    "as_json",
    "cautions",
    "compare",
    "database_note",
    "note_row",
    "principal_note",
    "rows",
    "scope_of",
    "summary",
    "words",
    "write_csv",
]
