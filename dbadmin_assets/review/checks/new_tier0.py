"""The check `new_tier0`: principals that are administrators now and were none in the last report. Counts, no names."""

from __future__ import annotations

import csv
import io

from dbadmin_assets.review.checks.judgement import Judgement, not_evaluated
from dbadmin_assets.review.diff.databases import pairs
from dbadmin_assets.review.diff.sides import side_of
from dbadmin_assets.review.diff.table import COLUMNS
from dbadmin_assets.review.manifest_model import Manifest

_GAINED = {"added", "escalated"}


def new_tier0(before: Manifest, after: Manifest, changes: bytes) -> Judgement:
    """Whoever is tier 0 now and was not, in the databases that both reports have read and in those that only this has.

    Args:
        changes: `changes.csv` of the later report.
    """
    if after.compared_with is None:
        return not_evaluated(after.not_compared or "the report was not compared with the last one")
    try:
        rows = list(csv.DictReader(io.StringIO(changes.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        return not_evaluated(f"changes.csv cannot be read: {error}")
    if any(set(row) != set(COLUMNS) for row in rows):
        return not_evaluated("changes.csv has other columns than those that are written")
    gained = [
        row
        for row in rows
        if _GAINED.intersection(row["Change"].split("; ")) and row["Tier After"] == "0" != row["Tier Before"]
    ]
    excluded = sum(bool(row["Excluded By Policy"]) for row in gained)
    new = [p.after for p in pairs(side_of(before), side_of(after)) if p.after and p.after.has_data and not p.compared]
    admins = sum(entry.admins for entry in new)
    counts = {
        "new_tier0": len(gained) - excluded,
        "new_tier0_excluded_by_policy": excluded,
        "admins_of_databases_without_history": admins,
    }
    told = [
        *([f"{len(gained) - excluded} new administrators"] if len(gained) > excluded else []),
        *([f"{excluded} new administrators that policy leaves out of the rows"] if excluded else []),
        *([f"{admins} administrators in {len(new)} databases that the last report has no rows of"] if admins else []),
    ]
    said = "; ".join(told) if told else "no new administrator since the last report"
    return Judgement(not told, "WARN", said + (" (db-admin-report diff names them)" if told else ""), counts)
