"""From a judgement to what Dagster stores of a check."""

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from dbadmin_assets.review.checks.judgement import Judgement


def check_result(asset: dg.AssetKey, name: str, judged: Judgement) -> dg.AssetCheckResult:
    """The result that the body of a check returns."""
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=judged.passed,
        severity=dg.AssetCheckSeverity(judged.severity),
        description=judged.said,
        metadata=dict(judged.counts),
    )


def check_evaluation(
    asset: dg.AssetKey,
    name: str,
    judged: Judgement,
    partition: str | None = None,
    of: AssetCheckEvaluationTargetMaterializationData | None = None,
) -> dg.AssetCheckEvaluation:
    """The event that an asset yields, or a sensor reports, without a check being executed; `of` what it is of."""
    return dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=name,
        passed=judged.passed,
        severity=dg.AssetCheckSeverity(judged.severity),
        description=judged.said,
        metadata=dict(judged.counts),
        partition=partition,
        target_materialization_data=of,
    )
