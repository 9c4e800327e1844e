"""What one Dagster run belongs to: its collection, who asked, which partitions."""

from collections.abc import Collection

import dagster as dg

from dbadmin_assets.errors import ReportError

REQUESTED_BY_TAG = "db-admin-report/requested_by"
REQUEST_ID_TAG = "db-admin-report/request_id"
BACKFILL_TAG = "dagster/backfill"


def collection_id(run: dg.DagsterRun) -> str:
    """Runs that answer one request share it: a backfill's runs, a run and its re-executions.

    `generate --resume` can set the tag of the root alone.
    """
    return run.tags.get(BACKFILL_TAG) or run.root_run_id or run.tags.get("dagster/root_run_id") or run.run_id


def requested_by(run: dg.DagsterRun) -> str:
    """Who asked, as the request asserts it; nothing here verifies it."""
    return run.tags.get(REQUESTED_BY_TAG) or run.tags.get("user") or "not stated (launched in Dagster)"


def partition_keys(context: dg.AssetExecutionContext) -> list[str] | None:
    """The partitions that Dagster asks this run for; None when the run configuration decides."""
    if context.has_partition_key or context.has_partition_key_range:
        return list(context.partition_keys)
    return None


def backfill_partitions(context: dg.AssetExecutionContext, backfill_id: str) -> list[str]:
    """The partitions of the asset upstream that a backfill was asked for.

    Raises:
        ReportError: where this instance does not know the backfill.
    """
    backfill = context.instance.get_backfill(backfill_id)
    if backfill is None:
        raise ReportError(f"this Dagster instance does not know the backfill {backfill_id}")
    data = backfill.get_asset_backfill_data(context.repository_def.asset_graph)
    found = (partition.partition_key for partition in data.target_subset.iterate_asset_partitions())
    return sorted(key for key in found if key is not None)


def latest_collections(instance: dg.DagsterInstance, asset: dg.AssetKey, keys: list[str]) -> dict[str, str]:
    """By partition, the collection that its latest materialization belongs to; absent if it has none."""
    latest: dict[str, str] = {}
    for key, record in latest_materializations(instance, asset, keys).items():
        materialization = record.asset_materialization
        if materialization and "collection_id" in materialization.metadata:
            latest[key] = str(materialization.metadata["collection_id"].value)
    return latest


def latest_materializations(
    instance: dg.DagsterInstance, asset: dg.AssetKey, keys: Collection[str]
) -> dict[str, dg.EventLogRecord]:
    """By partition, the event of its latest materialization; absent if it has none."""
    ids = instance.event_log_storage.get_latest_storage_id_by_partition(
        asset, dg.DagsterEventType.ASSET_MATERIALIZATION, set(keys)
    )
    if not ids:
        return {}
    wanted = dg.AssetRecordsFilter(asset_key=asset, storage_ids=sorted(ids.values()))
    records = instance.fetch_materializations(wanted, limit=len(ids)).records
    return {record.partition_key: record for record in records if record.partition_key}
