"""The check `report_freshness`, in runs and by the clock (sensors/freshness.py): a report too old is an ERROR."""

from datetime import UTC, datetime

from dbadmin_assets.config import Settings
from dbadmin_assets.errors import EvidenceError
from dbadmin_assets.resources.evidence import LATEST_KEY, EvidenceStore
from dbadmin_assets.review.checks import freshness
from dbadmin_assets.review.checks.judgement import Judgement, not_evaluated

FRESHNESS = "report_freshness"


def report_freshness(store: EvidenceStore, settings: Settings) -> Judgement:
    """The newest complete report of the full scope is not older than `report_max_age_days`."""
    try:
        latest = store.read(LATEST_KEY)
    except EvidenceError as error:
        return not_evaluated(error.message)
    return freshness.report_freshness(latest, datetime.now(UTC), settings.report_max_age_days)
