"""The check `report_freshness`: how old the newest complete report of the full scope is."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from dbadmin_assets.review.checks.judgement import Judgement, not_evaluated
from dbadmin_assets.review.times import parse_time


def report_freshness(latest: bytes | None, now: datetime, max_age_days: int) -> Judgement:
    """Not older than so many days.

    Args:
        latest: content of `reports/latest.json`; None where there is none.
        now: aware.
    """
    if latest is None:
        return Judgement(False, "ERROR", "there is no complete report of the full scope yet")
    try:
        ended_at = parse_time(json.loads(latest)["endedAt"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return not_evaluated(f"reports/latest.json cannot be understood ({type(error).__name__})")
    age = now - ended_at
    said = f"the newest complete report of the full scope is {age.days} days old, of {max_age_days} allowed"
    fresh = timedelta(minutes=-10) <= age <= timedelta(days=max_age_days)  # a clock may be a little off
    return Judgement(fresh, "ERROR", said, {"age_days": age.days, "max_age_days": max_age_days})
