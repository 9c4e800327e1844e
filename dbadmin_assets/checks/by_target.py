"""What the checks of `account_collections` share.

An unpartitioned run collects any set of targets, which no partition range could name: there the asset itself
yields one evaluation per target and check, and one of all targets together. In a partitioned run (UI, backfill)
the bodies of the checks are executed; what they return is of the run's one partition, or of its whole range, so
for a range they log the evaluation of each partition as well, with the materialization that it is of: without it
the UI has no colour for the partition. (After an unpartitioned run it has none: Dagster ends that with a
materialization of the asset as a whole, which every evaluation of the run precedes.)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from dbadmin_assets.assets.run_scope import collection_id, latest_materializations
from dbadmin_assets.checks.evaluation import check_evaluation, check_result
from dbadmin_assets.resources.wiring import EvidenceResource
from dbadmin_assets.review.checks import targets
from dbadmin_assets.review.checks.judgement import Judgement
from dbadmin_assets.review.records import Outcome
from worker_lambda.contract import outcome_key

ASSET = dg.AssetKey("account_collections")
COLLECTED = "collected"
VISIBLE = "visibility_complete"
CHECKS: Mapping[str, Callable[[Sequence[Outcome], int], Judgement]] = {
    COLLECTED: targets.collected,
    VISIBLE: lambda outcomes, _: targets.fully_visible(outcomes),
}
"""By name, what judges the outcomes and the number of targets without one."""


def evaluations(outcome: Outcome) -> Iterator[dg.AssetCheckEvaluation]:
    """Every check of one target, as the asset yields them."""
    for name, judge in CHECKS.items():
        yield check_evaluation(ASSET, name, judge([outcome], 0), outcome.key)


def evaluations_of_all(outcomes: Sequence[Outcome]) -> Iterator[dg.AssetCheckEvaluation]:
    """Every check of all targets of a run together, as the asset yields them last: Dagster shows the latest first."""
    for name, judge in CHECKS.items():
        yield check_evaluation(ASSET, name, judge(outcomes, 0))


def evaluate(context: dg.AssetCheckExecutionContext, evidence: EvidenceResource, name: str) -> dg.AssetCheckResult:
    """The body of a check, from the verdicts of the run's partitions; a partition that has none fails `collected`."""
    keys, collection, judge = list(context.partition_keys), collection_id(context.run), CHECKS[name]
    outcomes = {o.key: o for o in evidence.store().outcomes(outcome_key(collection, *key.split("|")) for key in keys)}
    if not context.has_partition_key:
        made = materializations(context.instance, keys)
        for key in keys:
            found = [outcomes[key]] if key in outcomes else []
            judged = judge(found, 1 - len(found))
            # It takes these as well, whatever its annotation says.
            context.op_execution_context.log_event(
                check_evaluation(ASSET, name, judged, key, made.get(key))  # type: ignore[arg-type]
            )
    return check_result(ASSET, name, judge(list(outcomes.values()), len(keys) - len(outcomes)))


def materializations(
    instance: dg.DagsterInstance, keys: Sequence[str]
) -> dict[str, AssetCheckEvaluationTargetMaterializationData]:
    """The latest materialization of each partition that has one."""
    return {
        key: AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for key, record in latest_materializations(instance, ASSET, keys).items()
    }
