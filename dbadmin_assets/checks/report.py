"""The checks of `db_admin_report`, in one step: the manifest is read once, and steps cost more than these checks.

They run in the job and from the UI alike. None of them raises: a report that is sealed must not become a failed run
because a check could not read it; that is a red check.
"""

from collections.abc import Callable, Iterator, Mapping

import dagster as dg

from dbadmin_assets.checks.against_last import data_volume, new_tier0
from dbadmin_assets.checks.evaluation import check_result
from dbadmin_assets.checks.freshness import FRESHNESS, report_freshness
from dbadmin_assets.checks.sealed_report import REPORT, SealedReport, report_of_run
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import EvidenceError
from dbadmin_assets.resources.wiring import EvidenceResource
from dbadmin_assets.review.checks.inventory_match import inventory_matches
from dbadmin_assets.review.checks.judgement import Judgement, not_evaluated
from dbadmin_assets.review.checks.population import population_balances
from dbadmin_assets.review.errors import ReviewError

Check = Callable[[SealedReport, Settings], Judgement]

CHECKS: Mapping[str, tuple[str, Check]] = {
    "population_balances": (
        "Every declared database is told of once, and every sum of the manifest comes out. ERROR.",
        lambda report, _: population_balances(report.manifest),
    ),
    "data_volume": ("Users and admins are within the configured band of the last report. WARN.", data_volume),
    "new_tier0": ("Nobody became an administrator since the last report. WARN.", new_tier0),
    "inventory_matches": (
        "Nothing is there that the inventory does not declare, and nothing declared is gone. WARN.",
        lambda report, _: inventory_matches(report.manifest),
    ),
    FRESHNESS: (
        "The newest complete report of the full scope is not too old; a sensor looks every hour. ERROR.",
        lambda report, settings: report_freshness(report.store, settings),
    ),
}


# Dagster wants the names of ops and jobs to differ.
@dg.multi_asset_check(
    name="report_checks",
    specs=[dg.AssetCheckSpec(name, asset=REPORT, description=meaning) for name, (meaning, _) in CHECKS.items()],
    can_subset=True,
)
def report_checks(context: dg.AssetCheckExecutionContext, evidence: EvidenceResource) -> Iterator[dg.AssetCheckResult]:
    """What must hold of a sealed report."""
    report = report_of_run(context, evidence.store())
    for key in sorted(context.selected_asset_check_keys, key=lambda key: list(CHECKS).index(key.name)):
        yield check_result(REPORT, key.name, judged(key.name, report, evidence.aws.settings))


def judged(name: str, report: SealedReport | None, settings: Settings) -> Judgement:
    """One check of a report; what it cannot read makes it red."""
    if report is None:
        return not_evaluated("Dagster knows of no report yet")
    try:
        return CHECKS[name][1](report, settings)
    except (EvidenceError, ReviewError) as error:
        return not_evaluated(str(error))
