"""The names that all policies speak of."""

from __future__ import annotations

from dataclasses import dataclass

EVIDENCE_PREFIXES = ("collections", "outcomes", "requests", "reports", "chain")
ORCHESTRATOR_WRITES = ("outcomes", "requests", "reports", "chain")
SECRET_PATH = "db-admin-report/"  # noqa: S105 - where secrets stand, not a secret


@dataclass(frozen=True, slots=True)
class Estate:
    """The names that the policies speak of; the defaults are those of the inventory's `worker` section.

    Attributes:
        organization_id: `o-…`, the AWS organization that all accounts belong to.
        inventory_key: S3 key of the inventory in the bucket; None when it is not there.
        inventory_parameter: SSM parameter (or path) of the inventory, with its leading slash; None as above.
        bucket_key_arn, signing_key_arn, topic_arn, topic_key_arn: None where the estate has no such thing.
    """

    central_account_id: str
    bucket: str
    organization_id: str
    external_id: str
    inventory_key: str | None = None
    inventory_parameter: str | None = None
    bucket_key_arn: str | None = None
    signing_key_arn: str | None = None
    topic_arn: str | None = None
    topic_key_arn: str | None = None
    orchestrator_role: str = "db-admin-report-orchestrator"
    invoker_role: str = "db-admin-report-invoker"
    worker_role: str = "db-admin-report-worker"
    writer_role: str = "db-admin-report-writer-{account}"
    function: str = "db-admin-report-worker"
    partition: str = "aws"

    def role_arn(self, account_id: str, role: str) -> str:
        """ARN of a role of one account (`*` for any)."""
        return f"arn:{self.partition}:iam::{account_id}:role/{role}"

    def principal_arns(self, account_id: str, role: str) -> list[str]:
        """What `aws:PrincipalArn` may read for sessions of a role.

        AWS compares the role's ARN; the session's form is listed for evaluators that compare that one (the
        sandbox's does). Both name the same role, so it grants nothing more.
        """
        session = f"arn:{self.partition}:sts::{account_id}:assumed-role/{role}/*"
        return [self.role_arn(account_id, role), session]

    def writer_role_for(self, account_id: str) -> str:
        """Name of the central role that the worker of one account writes its results with."""
        return self.writer_role.replace("{account}", account_id)

    def bucket_arn(self, path: str = "") -> str:
        """ARN of the bucket, or of the objects under a path of it."""
        return f"arn:{self.partition}:s3:::{self.bucket}" + (f"/{path}" if path else "")
