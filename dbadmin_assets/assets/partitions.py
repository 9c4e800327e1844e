"""The partitions: one per target, `{account_id}|{region}`, following the inventory."""

import contextlib

import dagster as dg
from sqlalchemy.exc import IntegrityError

from dbadmin_assets.errors import ReportError
from dbadmin_assets.inventory import Inventory

_TRIES = 10

TARGETS = dg.DynamicPartitionsDefinition(name="targets")


def add_partitions(instance: dg.DagsterInstance, inventory: Inventory) -> list[str]:
    """Add a key for every target that has none; returns every key of the inventory.

    Keys are deleted by the sensor only: a backfill whose range ends in a deleted key cannot go on.

    Raises:
        ReportError: where other runs add keys at every try.
    """
    keys = [target.key for target in inventory.targets()]
    for _ in range(_TRIES):
        known = set(instance.get_dynamic_partitions("targets"))
        missing = [key for key in keys if key not in known]
        if not missing:
            return keys
        # Dagster looks and then inserts: a run that adds the same key in between makes it fail as a whole.
        with contextlib.suppress(IntegrityError):
            instance.add_dynamic_partitions("targets", missing)
            return keys
    raise ReportError(f"the partitions of {len(keys)} targets could not be added: other runs keep adding them")
