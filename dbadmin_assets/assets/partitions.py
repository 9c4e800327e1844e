"""The partitions: one per target, `{account_id}|{region}`, following the inventory."""

import dagster as dg

from dbadmin_assets.inventory import Inventory

TARGETS = dg.DynamicPartitionsDefinition(name="targets")


def add_partitions(instance: dg.DagsterInstance, inventory: Inventory) -> list[str]:
    """Add a key for every target that has none; returns every key of the inventory.

    Keys are deleted by the sensor only: a backfill whose range ends in a deleted key cannot go on.
    """
    keys = [target.key for target in inventory.targets()]
    known = set(instance.get_dynamic_partitions("targets"))
    missing = [key for key in keys if key not in known]
    if missing:
        instance.add_dynamic_partitions("targets", missing)
    return keys
