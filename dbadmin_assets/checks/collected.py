"""The check `collected`: no database of the target failed. ERROR."""

import dagster as dg

from dbadmin_assets.assets.partitions import TARGETS
from dbadmin_assets.checks.by_target import ASSET, COLLECTED, evaluate
from dbadmin_assets.resources.wiring import EvidenceResource


@dg.asset_check(asset=ASSET, name=COLLECTED, partitions_def=TARGETS)
def collected(context: dg.AssetCheckExecutionContext, evidence: EvidenceResource) -> dg.AssetCheckResult:
    """Every database of the target was collected."""
    return evaluate(context, evidence, COLLECTED)
