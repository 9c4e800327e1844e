"""Checks of targets, from the verdicts: every database was collected; everything there was visible."""

from __future__ import annotations

from collections.abc import Sequence

from dbadmin_assets.review.checks.judgement import Judgement
from dbadmin_assets.review.records import Outcome


def collected(outcomes: Sequence[Outcome], missing: int = 0) -> Judgement:
    """No database failed, and every target has a verdict.

    Args:
        missing: targets that should have a verdict and have none.
    """
    failed = sum(d.status == "failed" for o in outcomes for d in o.databases)
    counts = {"targets": len(outcomes) + missing, "targets_without_verdict": missing, "failed_databases": failed}
    reasons = sorted({d.reason for o in outcomes for d in o.databases if d.status == "failed" and d.reason})
    told = [f"{failed} databases failed" + (f": {', '.join(reasons)}" if reasons else "")] if failed else []
    told += [f"{missing} targets have no verdict"] if missing else []
    return Judgement(not told, "ERROR", "; ".join(told) or "every database was collected", counts)


def fully_visible(outcomes: Sequence[Outcome]) -> Judgement:
    """Of every database that was read, the reader saw everything; one that failed is the other check's matter."""
    partial = sum(d.status == "partial" for o in outcomes for d in o.databases)
    said = f"{partial} databases were only partly visible" if partial else "everything was visible where it was read"
    return Judgement(partial == 0, "WARN", said, {"targets": len(outcomes), "partial_databases": partial})
