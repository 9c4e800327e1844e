"""What changed since an earlier report, as a table ready to be shown. Nothing about how it is found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChangesTable:
    """Changes between two reports.

    Attributes:
        note: which report it was compared with, and what could not be compared.
        columns: titles.
        rows: raw text, as many cells as columns; None is an empty cell.
    """

    note: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str | None]]
