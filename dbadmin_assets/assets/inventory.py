"""Stage one: the inventory, declared outside Dagster; here for the lineage it starts."""

import dagster as dg

database_inventory = dg.AssetSpec(
    "database_inventory",
    group_name="db_admin_report",
    kinds={"yaml"},
    description="Every account, region and database that must be in the report: S3, SSM Parameter Store or a file. "
    "`db-admin-report inventory show` prints it.",
)
