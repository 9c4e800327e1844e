"""The check `collected`: a target's databases were all collected, with full visibility.

An unpartitioned run collects any set of targets, which no partition range could name: there the asset itself
yields one evaluation per target. A partitioned run (UI, backfill) executes the body below as well; it must
come to the same answer, from the verdicts in S3, for a body that merely said yes would turn a failed
partition green.
"""

import dagster as dg

from dbadmin_assets.assets.partitions import TARGETS
from dbadmin_assets.assets.run_scope import collection_id
from dbadmin_assets.resources.wiring import EvidenceResource
from dbadmin_assets.review.records import Outcome
from worker_lambda.contract import outcome_key

ASSET = dg.AssetKey("account_collections")
CHECK = "collected"


def result(outcomes: list[Outcome], missing: int = 0) -> dg.AssetCheckResult:
    """Passed when every target is complete; ERROR when a database failed, WARN when one was partly visible.

    Args:
        outcomes: the verdicts that the check is about.
        missing: targets that should have a verdict and have none.
    """
    failed = sum(d.status == "failed" for o in outcomes for d in o.databases)
    partial = sum(d.status == "partial" for o in outcomes for d in o.databases)
    not_complete = sum(o.status != "complete" for o in outcomes) + missing
    only_partly_visible = failed == 0 and missing == 0
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=ASSET,
        passed=not_complete == 0,
        severity=dg.AssetCheckSeverity.WARN if only_partly_visible else dg.AssetCheckSeverity.ERROR,
        metadata={
            "targets": len(outcomes) + missing,
            "targets_without_verdict": missing,
            "failed_databases": failed,
            "partial_databases": partial,
        },
    )


def evaluation(outcome: Outcome) -> dg.AssetCheckEvaluation:
    """The same for one target, as the asset yields it."""
    found = result([outcome])
    return dg.AssetCheckEvaluation(
        asset_key=ASSET,
        check_name=CHECK,
        passed=found.passed,
        severity=found.severity,
        metadata=found.metadata,
        description=outcome.reason,
        partition=outcome.key,
    )


@dg.asset_check(asset=ASSET, name=CHECK, partitions_def=TARGETS)
def collected(context: dg.AssetCheckExecutionContext, evidence: EvidenceResource) -> dg.AssetCheckResult:
    """Every database of the target was collected, with full visibility."""
    collection = collection_id(context.run)
    keys = [outcome_key(collection, *key.split("|")) for key in context.partition_keys]
    outcomes = evidence.store().outcomes(keys)
    return result(outcomes, missing=len(keys) - len(outcomes))
