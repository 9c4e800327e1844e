"""The sensor that keeps the partitions equal to the inventory."""

import dagster as dg
from dagster._core.execution import backfill as dg_backfills

from dbadmin_assets.assets.partitions import add_partitions
from dbadmin_assets.resources.wiring import InventoryResource


@dg.sensor(
    name="sync_target_partitions",
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Keeps the partitions of account_collections equal to the targets of the inventory.",
)
def sync_target_partitions(context: dg.SensorEvaluationContext, inventory: InventoryResource) -> dg.SkipReason:
    """Add the keys of new targets; delete those of targets that are gone, unless a backfill is under way."""
    keys = set(add_partitions(context.instance, inventory.read()))
    gone = sorted(set(context.instance.get_dynamic_partitions("targets")) - keys)
    if gone and context.instance.get_backfills(
        filters=dg_backfills.BulkActionsFilter(statuses=[dg_backfills.BulkActionStatus.REQUESTED])
    ):
        return dg.SkipReason(f"{len(gone)} targets left the inventory; their partitions wait for a backfill to end")
    for key in gone:
        context.instance.delete_dynamic_partition("targets", key)
    return dg.SkipReason(f"{len(keys)} targets, {len(gone)} removed")
