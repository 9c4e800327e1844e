"""The Dagster resources: from settings to the plain classes beside this file.

Nothing is read when a resource is made; settings, credentials and the network are touched when an asset
asks. Tests and benchmarks subclass these and pass the result to `build_definitions`.
"""

from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg

from dbadmin_assets.config import Settings, load_settings
from dbadmin_assets.inventory import Inventory
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.resources.inventory_source import read_inventory

if TYPE_CHECKING:
    import boto3

    from dbadmin_assets.resources.accounts import AwsAccounts
    from dbadmin_assets.resources.alerts import Endpoints
    from dbadmin_assets.resources.signing import KmsSigner
    from dbadmin_assets.resources.worker import WorkerLambda


class AwsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings and the orchestrator's AWS session."""

    @cached_property
    def settings(self) -> Settings:
        """The settings of this process: environment over configuration file."""
        return load_settings()

    def session(self) -> "boto3.Session":
        """A session of the configured profile, else of the default credential chain."""
        from dbadmin_assets.resources.credentials import aws_session

        return aws_session(self.settings)


class InventoryResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the databases are declared."""

    aws: dg.ResourceDependency[AwsResource]

    def read(self) -> Inventory:
        """The whole inventory, validated.

        Raises:
            InventoryError: with every problem.
        """
        return read_inventory(self.aws.settings.required("inventory")["inventory"], self.aws.session)


class EvidenceResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The central bucket."""

    aws: dg.ResourceDependency[AwsResource]

    def store(self) -> EvidenceStore:
        """The store behind the configured bucket."""
        return EvidenceStore(self.aws.session(), **self.aws.settings.required("bucket", "region"))

    def signer(self) -> "KmsSigner | None":
        """The key that seals reports; None where none is configured."""
        from dbadmin_assets.resources.signing import open_signer

        return open_signer(self.aws.session(), self.aws.settings)


class WorkerLambdaResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The worker Lambdas of all accounts."""

    aws: dg.ResourceDependency[AwsResource]
    evidence: dg.ResourceDependency[EvidenceResource]

    def accounts(self, run_id: str) -> "AwsAccounts":
        """The accounts, as this run may enter them."""
        from dbadmin_assets.resources.accounts import AwsAccounts

        connections = self.aws.settings.max_concurrency
        return AwsAccounts(self.aws.session(), run_id=run_id, max_connections=connections)

    def worker(self, accounts: "AwsAccounts", store: EvidenceStore) -> "WorkerLambda":
        """The worker, with the configured limits."""
        from dbadmin_assets.resources.worker import Limits, WorkerLambda

        settings = self.aws.settings
        return WorkerLambda(
            accounts,
            store,
            bucket_region=settings.required("region")["region"],
            limits=Limits(
                attempt_timeout_seconds=settings.attempt_timeout_seconds,
                target_timeout_seconds=settings.target_timeout_seconds,
                max_per_account=settings.max_per_account,
            ),
        )


class AlertsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where alerts go."""

    aws: dg.ResourceDependency[AwsResource]

    def endpoints(self) -> "Endpoints":
        """Topic and webhook, as far as they are configured."""
        from dbadmin_assets.resources.alerts import open_endpoints

        return open_endpoints(self.aws.session, self.aws.settings)
