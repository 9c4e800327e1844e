"""Stage three: the evidence folder."""

from enum import Enum

import dagster as dg
from pydantic import Field

from dbadmin_assets import __version__
from dbadmin_assets.assets.collection import account_collections
from dbadmin_assets.assets.metadata import report_metadata
from dbadmin_assets.assets.owners import OWNERS
from dbadmin_assets.assets.run_scope import (
    BACKFILL_TAG,
    backfill_partitions,
    collection_id,
    latest_collections,
    requested_by,
)
from dbadmin_assets.collecting import make_request, select_targets
from dbadmin_assets.inventory import Inventory, Target
from dbadmin_assets.reporting import make_report
from dbadmin_assets.resources.wiring import EvidenceResource, InventoryResource, WorkerLambdaResource
from dbadmin_assets.review.times import seconds_between, utc_now
from worker_lambda.contract import outcome_key

DESCRIPTION = """\
Who has administrator access to which database: one evidence folder in S3 with the CSV, the workbook and the manifest,
failures included. No name of an account is stored in Dagster.

- In a run that collected, or in a backfill, it covers what was collected there. **Materialized alone, it covers the
  whole inventory**, each target from its latest collection.
- `report` in the metadata is the folder, `console` its page in the AWS console, `download` the command that fetches and
  verifies it. *Plots* below shows users, admins, failures and duration over time.

What to click: `docs/ui.md`. What each file is for: `docs/outputs.md`. What each check means: `docs/operations.md`.
"""


class ReportFormat(Enum):
    """What `--output-format` may name; an enumeration, so that Dagster refuses another before anything runs."""

    csv = "csv"
    json = "json"
    parquet = "parquet"
    xlsx = "xlsx"
    html = "html"


class ReportConfig(dg.Config):
    """How the report is written."""

    flat: bool = Field(default=False, description="no section rows in the CSV")
    formats: list[ReportFormat] = Field(default=[], description="CSV, Parquet and xlsx are made in any case")


# The job has the asset's name, and Dagster wants the names of jobs and ops to differ: so the op has its own.
@dg.multi_asset(
    name="report",
    specs=[
        dg.AssetSpec(
            "db_admin_report",
            deps=[account_collections],
            group_name="db_admin_report",
            owners=OWNERS,
            kinds={"csv", "s3"},
            description=DESCRIPTION,
        )
    ],
)
def db_admin_report(
    context: dg.AssetExecutionContext,
    config: ReportConfig,
    inventory: InventoryResource,
    evidence: EvidenceResource,
    worker_lambda: WorkerLambdaResource,
) -> dg.MaterializeResult[None]:
    """Consolidate the verdicts and seal the evidence folder.

    In a run that collected, it covers what that collection was asked for. Alone, it covers the whole
    inventory, each target from its latest outcome.
    """
    store, collection = evidence.store(), collection_id(context.run)
    requests = store.requests(collection)
    alone = not requests and BACKFILL_TAG not in context.run.tags
    origins: dict[str, str] = {}
    if alone or BACKFILL_TAG in context.run.tags:
        declared = inventory.read()
        targets, origins = covered_targets(context, declared)
        accounts = worker_lambda.accounts(context.run.run_id)
        requests.append(
            make_request(
                declared, targets, [], [], collection_id=collection, run_id=context.run.run_id,
                requested_by=requested_by(context.run), executed_by=accounts.caller().arn,
            )
        )  # fmt: skip
    asked = {t.key: (t.account_id, t.region) for request in requests for t in request.targets}
    keys = sorted(outcome_key(origins.get(key, collection), *target) for key, target in asked.items())
    report = make_report(
        store, requests, store.outcomes(keys), collection_id=collection, run_id=context.run.run_id,
        flat=config.flat, formats=[item.value for item in config.formats], code_version=__version__,
        signer=evidence.signer(), across_collections=alone,
    )  # fmt: skip
    duration = seconds_between(min(request.requested_at for request in requests), utc_now())
    return dg.MaterializeResult(metadata=report_metadata(report, store, collection, duration))


def covered_targets(
    context: dg.AssetExecutionContext, declared: Inventory
) -> tuple[tuple[Target, ...], dict[str, str]]:
    """The targets of a report that no request names, and the collection that each one's outcome is from.

    In a backfill: the partitions Dagster lists for it, so that a run that died before it wrote its request
    still counts. Otherwise the whole inventory, each target from its latest collection.
    """
    if backfill := context.run.tags.get(BACKFILL_TAG):
        return select_targets(declared, [], [], backfill_partitions(context, backfill)), {}
    targets = declared.targets()
    return targets, latest_collections(context.instance, account_collections.key, [t.key for t in targets])
