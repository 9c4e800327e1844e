"""Stage two: one outcome per target. A failed target is data; how bad that is, the check and the report say."""

import contextlib
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

from dbadmin_assets.assets.inventory import database_inventory
from dbadmin_assets.assets.partitions import TARGETS, add_partitions
from dbadmin_assets.assets.run_scope import collection_id, partition_keys, requested_by
from dbadmin_assets.checks.by_target import evaluations
from dbadmin_assets.collecting import Collecting, make_request, select_targets
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.resources.wiring import EvidenceResource, InventoryResource, WorkerLambdaResource
from dbadmin_assets.resuming import earlier_runs
from dbadmin_assets.review.records import Outcome
from dbadmin_assets.review.times import seconds_between

Events = Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.MaterializeResult[None]]


class CollectionConfig(dg.Config):
    """Which targets a run without partitions collects; empty means all."""

    accounts: list[str] = []  # noqa: RUF012 - Dagster copies it
    regions: list[str] = []  # noqa: RUF012


@dg.asset(
    partitions_def=TARGETS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[database_inventory],
    group_name="db_admin_report",
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

    One partition per target. A target that could not be collected is materialized too, as a failure: the
    check `collected` is red for it, and the report has an ERROR row for each of its databases.
    """
    declared = inventory.read()
    add_partitions(context.instance, declared)
    keys = partition_keys(context)
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
            else:  # Dagster materializes the partitions of such a run by itself
                context.add_asset_metadata(metadata, partition_key=key)
            if lines := collecting.log(outcome):
                context.log.info("\n".join([f"{key}: the end of its worker's log:", *lines]))
            yield from evaluations(outcome)
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


def outcome_metadata(outcome: Outcome, store: EvidenceStore) -> dict[str, dg.MetadataValue[Any]]:
    """What Dagster keeps of an outcome: counts and reasons. Account names are personal data and stay out."""
    databases = outcome.databases
    metadata: dict[str, dg.MetadataValue[Any]] = {
        "status": dg.MetadataValue.text(outcome.status),
        "databases": dg.MetadataValue.int(len(databases)),
        "failed_databases": dg.MetadataValue.int(sum(d.status == "failed" for d in databases)),
        "partial_databases": dg.MetadataValue.int(sum(d.status == "partial" for d in databases)),
        "users": dg.MetadataValue.int(sum(d.users for d in databases)),
        "admins": dg.MetadataValue.int(sum(d.admins for d in databases)),
        "duration_seconds": dg.MetadataValue.float(seconds_between(outcome.started_at, outcome.ended_at)),
        "attempts": dg.MetadataValue.int(outcome.attempts),
        "collection_id": dg.MetadataValue.text(outcome.collection_id),
    }
    if outcome.reason:
        metadata["reason"] = dg.MetadataValue.text(outcome.reason)
    if outcome.detail:
        metadata["detail"] = dg.MetadataValue.text(outcome.detail)
    if outcome.object:
        metadata["object"] = dg.MetadataValue.url(store.url(outcome.object.key))
    return metadata
