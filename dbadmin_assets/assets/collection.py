"""Stage two: one outcome per target. A failed target is data; how bad that is, the check and the report say."""

import contextlib
import time
from collections.abc import Iterator

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from pydantic import Field

from dbadmin_assets.assets.inventory import database_inventory
from dbadmin_assets.assets.metadata import collection_metadata, outcome_metadata
from dbadmin_assets.assets.owners import OWNERS
from dbadmin_assets.assets.partitions import TARGETS, add_partitions
from dbadmin_assets.assets.run_scope import collection_id, partition_keys, requested_by
from dbadmin_assets.checks.by_target import evaluations, evaluations_of_all
from dbadmin_assets.collecting import Collecting, make_request, select_targets
from dbadmin_assets.resources.wiring import EvidenceResource, InventoryResource, WorkerLambdaResource
from dbadmin_assets.resuming import earlier_runs
from dbadmin_assets.review.records import Outcome

Events = Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.MaterializeResult[None]]


class CollectionConfig(dg.Config):
    """Which targets a run without partitions collects; empty means all."""

    accounts: list[str] = Field(default=[], description="12-digit ids; none: all of the inventory")
    regions: list[str] = Field(default=[], description="as us-east-1; none: all of the inventory")


@dg.asset(
    partitions_def=TARGETS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[database_inventory],
    group_name="db_admin_report",
    owners=OWNERS,
    kinds={"aws", "lambda"},
    pool="db_admin_report",  # unlimited unless an instance sets a limit (deployment/ecs/dagster.yaml)
)
def account_collections(
    context: dg.AssetExecutionContext,
    config: CollectionConfig,
    inventory: InventoryResource,
    evidence: EvidenceResource,
    worker_lambda: WorkerLambdaResource,
) -> Events:
    """What the worker Lambda of each account and region found in its databases, or why it found nothing.

    One partition per target, `account|region`. **A target that could not be collected is materialized too**, as
    a failure: its check `collected` is red, `not_complete` in its metadata says which database and why, and the report
    has an ERROR row for each.

    - *Materialize* with one, some or all partitions collects them; `db_admin_report` seals what was collected.
    - *Re-execute* of a run, or *from failure*, collects only what has no success yet.
    - Under *Checks*, *Execution history* of a check has every target; its overview is of the latest run.

    What to click: `docs/ui.md`. What each check means: `docs/operations.md`.
    """
    declared = inventory.read()
    add_partitions(context.instance, declared)
    keys, began, outcomes = partition_keys(context), time.monotonic(), list[Outcome]()
    targets = select_targets(declared, config.accounts, config.regions, keys)
    store, accounts = evidence.store(), worker_lambda.accounts(context.run.run_id)
    collection = collection_id(context.run)
    earlier = earlier_runs(store, collection, targets)
    store.put_request(
        make_request(
            declared, targets, config.accounts, config.regions,
            collection_id=collection, run_id=context.run.run_id,
            requested_by=requested_by(context.run), executed_by=accounts.caller().arn,
        )
    )  # fmt: skip
    worker = worker_lambda.worker(accounts, store)
    collecting = Collecting(worker, store, earlier, collection_id=collection, run_id=context.run.run_id)
    with telling_what_was_under_way(context, collecting):
        for outcome in collecting.outcomes(targets, limit=inventory.aws.settings.max_concurrency):
            metadata, key = outcome_metadata(outcome, store), outcome.key
            if keys is None:
                yield dg.AssetMaterialization(context.asset_key, partition=key, metadata=metadata)
                yield from evaluations(outcome)
            else:  # Dagster materializes the partitions of such a run by itself, and executes the checks
                context.add_asset_metadata(metadata, partition_key=key)
            if lines := collecting.log(outcome):
                context.log.info("\n".join([f"{key}: the end of its worker's log:", *lines]))
            outcomes.append(outcome)
    if keys is None:  # of all of them: the asset's own page shows the latest event and the latest evaluation
        yield from evaluations_of_all(outcomes)
        yield dg.MaterializeResult(metadata=collection_metadata(outcomes, time.monotonic() - began))
    else:
        yield dg.MaterializeResult()


@contextlib.contextmanager
def telling_what_was_under_way(context: dg.AssetExecutionContext, collecting: Collecting) -> Iterator[None]:
    """Where the run is canceled, the log says which workers are still at work and may deliver by themselves."""
    try:
        yield
    except DagsterExecutionInterruptedError:
        context.log.warning(
            f"stopped: no worker is asked any more; under way: {', '.join(collecting.under_way) or 'none'}"
        )
        raise
