"""The check `population_balances`: every database declared is told of once, and every sum comes out."""

from __future__ import annotations

from dbadmin_assets.review.balance import imbalances
from dbadmin_assets.review.checks.judgement import Judgement, named
from dbadmin_assets.review.manifest_model import Manifest


def population_balances(manifest: Manifest) -> Judgement:
    """What `verify` forms again from the targets, here right after sealing."""
    wrong = [f"{claim}: {why}" for claim, why in imbalances(manifest) if why]
    parts = manifest.population
    counts = {
        "declared": parts.declared, "complete": parts.complete, "partial": parts.partial,
        "failed": parts.failed, "excluded": parts.excluded,
    }  # fmt: skip
    return Judgement(not wrong, "ERROR", named(wrong) or f"{parts.declared} declared databases, each told of", counts)
