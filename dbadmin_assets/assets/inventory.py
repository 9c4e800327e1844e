"""Stage one: the inventory, declared outside Dagster; here for the lineage it starts."""

import dagster as dg

from dbadmin_assets.assets.owners import OWNERS

database_inventory = dg.AssetSpec(
    "database_inventory",
    group_name="db_admin_report",
    owners=OWNERS,
    kinds={"yaml"},
    description="Every account, region and database that must be in the report: S3, SSM Parameter Store or a file. "
    "`db-admin-report inventory show` prints it; `docs/configuration.md` describes it.\n\nDagster does not make it: a "
    "sensor keeps the partitions of `account_collections` equal to it.",
)
