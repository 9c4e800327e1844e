"""The check `collected`: no database of the target failed. ERROR."""

import dagster as dg

from dbadmin_assets.assets.partitions import TARGETS
from dbadmin_assets.checks.by_target import ASSET, COLLECTED, verdicts
from dbadmin_assets.checks.evaluation import check_result
from dbadmin_assets.resources.wiring import EvidenceResource
from dbadmin_assets.review.checks import targets


@dg.asset_check(asset=ASSET, name=COLLECTED, partitions_def=TARGETS)
def collected(context: dg.AssetCheckExecutionContext, evidence: EvidenceResource) -> dg.AssetCheckResult:
    """Every database of the target was collected."""
    return check_result(ASSET, COLLECTED, targets.collected(*verdicts(context, evidence)))
