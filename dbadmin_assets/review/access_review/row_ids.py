"""What ties a row of a sheet to one principal of one report."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

Key = tuple[str, str, str, str]
"""account_id, region, database_name, principal_id: the same principal in every report."""


class HasKey(Protocol):
    """A principal of a report, or what an attestation says of one."""

    @property
    def key(self) -> Key:
        """What it keeps from report to report."""


def row_ids(manifest_sha256: str, rows: Iterable[HasKey]) -> list[str]:
    """What ties each row to this very report: 16 hex digits.

    Two rows can have one key: `'a@b'@'c'` and `'a'@'b@c'` read the same. The id of the second says that it is that.
    """
    seen: Counter[Key] = Counter()
    ids = []
    for row in rows:
        ids.append(row_id(manifest_sha256, row.key, seen[row.key]))
        seen[row.key] += 1
    return ids


def row_id(manifest_sha256: str, key: Key, before: int = 0) -> str:
    """The id of one row; `before`: how many rows of the same key come first."""
    named = [manifest_sha256, *key, *([before] if before else [])]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]
