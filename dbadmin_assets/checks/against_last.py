"""The checks of a report against the last one of its scope: `data_volume` and `new_tier0`. WARN, or ERROR."""

from collections.abc import Callable

from dbadmin_assets.checks.sealed_report import SealedReport
from dbadmin_assets.config import Settings
from dbadmin_assets.review.checks.judgement import Judgement, not_evaluated
from dbadmin_assets.review.checks.new_tier0 import new_tier0 as judge_tier0
from dbadmin_assets.review.checks.volume import Band
from dbadmin_assets.review.checks.volume import data_volume as judge_volume
from dbadmin_assets.review.manifest_model import Manifest


def data_volume(report: SealedReport, settings: Settings) -> Judgement:
    """Users and admins are within the configured band of the last report."""
    band = Band(settings.users_drop_percent, settings.admins_rise_percent, settings.least_change)
    return _against_last(report, lambda before: judge_volume(before, report.manifest, band))


def new_tier0(report: SealedReport, settings: Settings) -> Judgement:
    """Nobody became an administrator since the last report."""
    del settings
    return _against_last(report, lambda before: judge_tier0(before, report.manifest, report.changes()))


def _against_last(report: SealedReport, judge: Callable[[Manifest], Judgement]) -> Judgement:
    """Green without an earlier report; but not where there are some that had to be passed over."""
    search = report.before
    if search.problems and search.found is None:
        return not_evaluated("; ".join(search.problems))
    if search.found is None:
        return Judgement(True, "WARN", "there is no earlier report of this scope")
    return judge(search.found.manifest)
