"""What the checks of `account_collections` share.

An unpartitioned run collects any set of targets, which no partition range could name: there the asset itself
yields one evaluation per target and check, and one of all targets together. A partitioned run (UI, backfill)
executes the bodies of the checks as well; they must come to the same answer, from the verdicts in S3, for a body
that merely said yes would turn a failed partition green.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from dbadmin_assets.assets.run_scope import collection_id
from dbadmin_assets.checks.evaluation import check_evaluation
from dbadmin_assets.resources.wiring import EvidenceResource
from dbadmin_assets.review.checks import targets
from dbadmin_assets.review.records import Outcome
from worker_lambda.contract import outcome_key

ASSET = dg.AssetKey("account_collections")
COLLECTED = "collected"
VISIBLE = "visibility_complete"


def evaluations(outcome: Outcome) -> Iterator[dg.AssetCheckEvaluation]:
    """Every check of one target, as the asset yields them."""
    yield check_evaluation(ASSET, COLLECTED, targets.collected([outcome]), outcome.key)
    yield check_evaluation(ASSET, VISIBLE, targets.fully_visible([outcome]), outcome.key)


def evaluations_of_all(outcomes: Sequence[Outcome]) -> Iterator[dg.AssetCheckEvaluation]:
    """Every check of all targets of a run together, as the asset yields them last: Dagster shows the latest first."""
    yield check_evaluation(ASSET, COLLECTED, targets.collected(outcomes))
    yield check_evaluation(ASSET, VISIBLE, targets.fully_visible(outcomes))


def verdicts(context: dg.AssetCheckExecutionContext, evidence: EvidenceResource) -> tuple[list[Outcome], int]:
    """The verdicts of the run's partitions, and how many of them have none."""
    collection = collection_id(context.run)
    keys = [outcome_key(collection, *key.split("|")) for key in context.partition_keys]
    outcomes = evidence.store().outcomes(keys)
    return outcomes, len(keys) - len(outcomes)
