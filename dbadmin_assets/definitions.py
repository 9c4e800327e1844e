"""The code location: one factory, with overrides for tests; nothing is read at import."""

import warnings

import dagster as dg

# Checks by partition are in preview in the pinned Dagster; tests hold what they do for us.
warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*partitions_def.*")
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy.*")
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*yaml-defined logging.*")

from dbadmin_assets.assets.collection import account_collections  # noqa: E402
from dbadmin_assets.assets.inventory import database_inventory  # noqa: E402
from dbadmin_assets.assets.report import db_admin_report  # noqa: E402
from dbadmin_assets.checks.collected import collected  # noqa: E402
from dbadmin_assets.checks.report import report_checks  # noqa: E402
from dbadmin_assets.checks.visibility import visibility_complete  # noqa: E402
from dbadmin_assets.config import load_settings  # noqa: E402
from dbadmin_assets.jobs import db_admin_report_job  # noqa: E402
from dbadmin_assets.resources.wiring import (  # noqa: E402
    AlertsResource,
    AwsResource,
    EvidenceResource,
    InventoryResource,
    WorkerLambdaResource,
)
from dbadmin_assets.schedules import Clock, report_schedules  # noqa: E402
from dbadmin_assets.sensors import alert_sensor, freshness_sensor, sync_target_partitions  # noqa: E402


def build_definitions(
    *,
    aws: AwsResource | None = None,
    inventory: InventoryResource | None = None,
    evidence: EvidenceResource | None = None,
    worker_lambda: WorkerLambdaResource | None = None,
    alerts: AlertsResource | None = None,
    clock: Clock | None = None,
    alert_seconds: int = 30,
) -> dg.Definitions:
    """The code location; tests pass resources of their own in place of the real ones.

    Args:
        clock: when the schedules run.
        alert_seconds: how often the event log is looked at for alerts.
    """
    aws = aws or AwsResource()
    evidence = evidence or EvidenceResource(aws=aws)
    resources = {
        "alerts": alerts or AlertsResource(aws=aws),
        "aws": aws,
        "evidence": evidence,
        "inventory": inventory or InventoryResource(aws=aws),
        "worker_lambda": worker_lambda or WorkerLambdaResource(aws=aws, evidence=evidence),
    }
    return dg.Definitions(
        assets=[database_inventory, account_collections, db_admin_report],
        asset_checks=[collected, visibility_complete, report_checks],
        jobs=[db_admin_report_job],
        sensors=[sync_target_partitions, freshness_sensor, alert_sensor(alert_seconds)],
        schedules=report_schedules(clock or Clock()),
        resources=resources,
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads. When the schedules run must be known by then, so this reads the settings."""
    return build_definitions(clock=Clock.of(load_settings()))
