"""The code location: one factory, with overrides for tests; nothing is read at import."""

import warnings

import dagster as dg

# Checks by partition are in preview in the pinned Dagster; tests hold what they do for us.
warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*partitions_def.*")
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy.*")

from dbadmin_assets.assets.collection import account_collections  # noqa: E402
from dbadmin_assets.assets.inventory import database_inventory  # noqa: E402
from dbadmin_assets.assets.report import db_admin_report  # noqa: E402
from dbadmin_assets.checks.collected import collected  # noqa: E402
from dbadmin_assets.checks.report import report_checks  # noqa: E402
from dbadmin_assets.checks.visibility import visibility_complete  # noqa: E402
from dbadmin_assets.jobs import db_admin_report_job  # noqa: E402
from dbadmin_assets.resources.wiring import (  # noqa: E402
    AwsResource,
    EvidenceResource,
    InventoryResource,
    WorkerLambdaResource,
)
from dbadmin_assets.sensors import sync_target_partitions  # noqa: E402


def build_definitions(
    *,
    aws: AwsResource | None = None,
    inventory: InventoryResource | None = None,
    evidence: EvidenceResource | None = None,
    worker_lambda: WorkerLambdaResource | None = None,
) -> dg.Definitions:
    """The code location; tests pass resources of their own in place of the real ones."""
    aws = aws or AwsResource()
    evidence = evidence or EvidenceResource(aws=aws)
    resources = {
        "aws": aws,
        "evidence": evidence,
        "inventory": inventory or InventoryResource(aws=aws),
        "worker_lambda": worker_lambda or WorkerLambdaResource(aws=aws, evidence=evidence),
    }
    return dg.Definitions(
        assets=[database_inventory, account_collections, db_admin_report],
        asset_checks=[collected, visibility_complete, report_checks],
        jobs=[db_admin_report_job],
        sensors=[sync_target_partitions],
        resources=resources,
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    return build_definitions()
