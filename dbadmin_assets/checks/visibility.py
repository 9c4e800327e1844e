"""The check `visibility_complete`: the reader saw everything in what it read. WARN."""

import dagster as dg

from dbadmin_assets.assets.partitions import TARGETS
from dbadmin_assets.checks.by_target import ASSET, VISIBLE, evaluate
from dbadmin_assets.resources.wiring import EvidenceResource


@dg.asset_check(asset=ASSET, name=VISIBLE, partitions_def=TARGETS)
def visibility_complete(context: dg.AssetCheckExecutionContext, evidence: EvidenceResource) -> dg.AssetCheckResult:
    """Of every database that was read, the reader's rights sufficed to see everything."""
    return evaluate(context, evidence, VISIBLE)
