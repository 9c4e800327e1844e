"""The job: one request, one run, one evidence folder. What belongs to one asset only is not here."""

import dagster as dg

from dbadmin_assets import __version__
from dbadmin_assets.assets.collection import account_collections
from dbadmin_assets.assets.report import db_admin_report
from dbadmin_assets.checks.report import report_checks

# The checks of the report, but not those of the targets: in a run without partitions the asset itself evaluates them,
# target by target.
# In one process: the only heavy step waits on threads, and a process per step costs six seconds.
db_admin_report_job = dg.define_asset_job(
    "db_admin_report",
    selection=dg.AssetSelection.assets(account_collections, db_admin_report).without_checks()
    | dg.AssetSelection.checks(report_checks),
    executor_def=dg.in_process_executor,
    tags={"db-admin-report/code_version": __version__},  # a command that launches from afar compares it with its own
    description="Collect from every target asked for, then seal what came back, and why anything did not.",
)
