"""The attestation of an access review: what was decided, of which report, by whom, and the sheet that says so."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dbadmin_assets.review.attestation_model import (
    ATTESTATION_SCHEMA_VERSION,
    Attestation,
    AttestedRow,
    Decisions,
    Previous,
    Sheet,
)
from dbadmin_assets.review.manifest_model import Signature
from dbadmin_assets.review.times import parse_time, to_text

if TYPE_CHECKING:
    from dbadmin_assets.review.access_review.check import Reviewed

REVIEWS = "reviews/"
"""Where attestations lie, below a report's folder."""
_STAMP = "%Y%m%dT%H%M%SZ"
_OF_PRINCIPAL: Final = (
    "account_id", "account_name", "region", "database_name", "database_type", "username", "principal_id",
    "role_name", "tier", "access_path", "user_status", "last_login_date",
)  # fmt: skip
ATTESTATION_KEY = re.compile(r"(?P<folder>reports/.+/)reviews/(?P<stamp>[0-9]{8}T[0-9]{6}Z)\.json")


@dataclass(frozen=True, slots=True)
class Import:
    """The circumstances of an import.

    Attributes:
        report: key prefix of the report's folder.
        imported_at: `2024-01-15T14:22:33Z`.
        executed_by: ARN of the caller as STS says it; None where nobody verified it.
        requested_by: user@host, asserted.
    """

    report: str
    manifest_sha256: str
    imported_at: str
    executed_by: str | None
    requested_by: str
    previous: Previous | None


def stamp(imported_at: str) -> str:
    """The name of a review's files, without their ends: `20240115T142233Z`."""
    return parse_time(imported_at).strftime(_STAMP)


def time_of(name: str) -> str:
    """The other direction: when the review with these files was imported.

    Raises:
        ValueError: it is no such name.
    """
    return to_text(datetime.strptime(name, _STAMP).replace(tzinfo=UTC))


def free_time(now: str, taken: Collection[str]) -> str:
    """Now, or the first second after it that no other review beside the report has taken.

    Args:
        taken: names as `stamp` makes them.
    """
    at = parse_time(now)
    while f"{at:{_STAMP}}" in taken:
        at += timedelta(seconds=1)
    return to_text(at)


def attest(
    circumstances: Import, rows: Sequence[Reviewed], *, sheet: bytes, suffix: str, signature: dict[str, str]
) -> Attestation:
    """The attestation of a sheet that was checked.

    Args:
        sheet: the file as it came back; suffix: `.xlsx` or `.csv`.
        signature: what it says of its signature.
    """
    return Attestation(
        schema_version=ATTESTATION_SCHEMA_VERSION,
        report=circumstances.report,
        manifest_sha256=circumstances.manifest_sha256,
        imported_at=circumstances.imported_at,
        executed_by=circumstances.executed_by,
        requested_by=circumstances.requested_by,
        reviewers=sorted({row.reviewer for row in rows}),
        counts=count(row.decision for row in rows),
        sheet=Sheet(
            name=f"{stamp(circumstances.imported_at)}{suffix}",
            sha256=hashlib.sha256(sheet).hexdigest(),
            size_bytes=len(sheet),
        ),
        previous=circumstances.previous,
        rows=[_attested(row) for row in rows],
        signature=msgspec.convert(signature, Signature),
    )


def count(decisions: Iterable[str]) -> Decisions:
    """The counts of an attestation, from the decision of each row."""
    decided = Counter(decisions)
    return Decisions(
        administrators=decided.total(), keep=decided["keep"], remove=decided["remove"], change=decided["change"]
    )


def _attested(row: Reviewed) -> AttestedRow:
    who: dict[str, Any] = {name: getattr(row.principal, name) for name in _OF_PRINCIPAL}
    return AttestedRow(
        row_id=row.row_id,
        inventory_owner=row.principal.owner,
        owner=row.owner,
        decision=row.decision,
        reviewer=row.reviewer,
        review_date=row.review_date,
        comment=row.comment,
        **who,
    )
