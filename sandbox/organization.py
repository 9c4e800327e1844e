"""Seeds the local AWS: accounts with their roles, the evidence bucket, secrets, functions. Policies are infra's.

Where the emulator cannot do what AWS does, it is said and worked around here, never in infra/policies:
- It speaks plain HTTP on the loopback interface: the statement that denies it is left out.
- It does not know `s3:if-none-match`: the statement that demands it is left out. If-None-Match itself works.
- Every account is an organization of its own: a role's trust names the organization of who assumes it.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from infra import policies
from infra.policies import Estate, Policy
from infra.policies.keys import signing_key_policy
from sandbox.aws import LocalAws
from sandbox.databases import DatabaseServers
from sandbox.lambda_function import Function
from sandbox.plan import CENTRAL_ACCOUNT, HOME_REGION, Plan, PlannedDatabase, PlannedInstance

BUCKET = "bb-us-product-db-admin-report"
INVENTORY_KEY = "inventory/db-admin-report.yaml"
INVENTORY_PARAMETER = "/db-admin-report/inventory"
EXTERNAL_ID = "db-admin-report-sandbox"
RETENTION_DAYS = 400
ORCHESTRATOR_SESSION_SECONDS = 12 * 3600  # a sandbox in the foreground outlives the usual hour
_SEEDERS = 8
_NOT_IN_THE_EMULATOR = ("DenyInsecureTransport", "DenyOverwriting")
_PARAMETER_LIMIT_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Organization:
    """A seeded organization: what a test needs to act as its members."""

    aws: LocalAws
    plan: Plan
    estate: Estate

    def orchestrator(self) -> dict[str, Any]:
        """Credentials of a new session of the orchestrator role."""
        sts = self.aws.client("sts", CENTRAL_ACCOUNT, HOME_REGION)
        answer = sts.assume_role(
            RoleArn=self.estate.role_arn(CENTRAL_ACCOUNT, self.estate.orchestrator_role),
            RoleSessionName="sandbox-operator",
            DurationSeconds=ORCHESTRATOR_SESSION_SECONDS,
        )
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    def execution_role(self, function: Function) -> dict[str, Any]:
        """Credentials of a function's execution role, as the Lambda service takes them."""
        sts = self.aws.client("sts", function.account_id, function.region)
        answer = sts.assume_role(RoleArn=function.role_arn, RoleSessionName=function.name)
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    def functions(self) -> list[Function]:
        """The worker function of every target."""
        return [
            Function(
                account_id,
                region,
                self.estate.function,
                self.estate.role_arn(account_id, self.estate.worker_role),
                handler=self.plan.handler_for(account_id, region),
                timeout_seconds=self.plan.timeout_seconds,
                concurrency=self.plan.concurrency,
            )
            for account_id, region in self.plan.targets
        ]


def seed(aws: LocalAws, plan: Plan, servers: DatabaseServers) -> Organization:
    """Make everything but the inventory, which publish_inventory writes."""
    kms = aws.client("kms", CENTRAL_ACCOUNT, HOME_REGION)
    signing_key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    estate = Estate(
        central_account_id=CENTRAL_ACCOUNT,
        bucket=BUCKET,
        organization_id=_organization_id(aws, CENTRAL_ACCOUNT),
        external_id=EXTERNAL_ID,
        inventory_key=INVENTORY_KEY,
        inventory_parameter=INVENTORY_PARAMETER,
        signing_key_arn=signing_key,
    )
    kms.put_key_policy(KeyId=signing_key, PolicyName="default", Policy=json.dumps(signing_key_policy(estate)))
    _seed_central(aws, estate)
    with ThreadPoolExecutor(_SEEDERS) as pool:
        list(pool.map(lambda account_id: _seed_account(aws, estate, plan, account_id), plan.accounts))
        list(pool.map(lambda item: _seed_instance(aws, item), plan.undeclared))
        list(pool.map(lambda item: _seed_secret(aws, item, servers.secret(item)), plan.databases))
    return Organization(aws, plan, estate)


def publish_inventory(organization: Organization, document: str) -> None:
    """Put the inventory into the bucket, and into a parameter when it is small enough for one."""
    s3 = organization.aws.client("s3", CENTRAL_ACCOUNT, HOME_REGION)
    s3.put_object(Bucket=BUCKET, Key=INVENTORY_KEY, Body=document.encode(), ContentType="application/yaml")
    if len(document.encode()) <= _PARAMETER_LIMIT_BYTES:
        ssm = organization.aws.client("ssm", CENTRAL_ACCOUNT, HOME_REGION)
        ssm.put_parameter(Name=INVENTORY_PARAMETER, Value=document, Type="String", Tier="Advanced", Overwrite=True)


def _seed_central(aws: LocalAws, estate: Estate) -> None:
    iam = aws.client("iam", CENTRAL_ACCOUNT, HOME_REGION)
    operator = f"arn:aws:iam::{CENTRAL_ACCOUNT}:root"
    trust = policies.orchestrator_trust(estate, operators=(operator,))
    _role(iam, estate.orchestrator_role, trust, policies.orchestrator_identity(estate), ORCHESTRATOR_SESSION_SECONDS)
    s3 = aws.client("s3", CENTRAL_ACCOUNT, HOME_REGION)
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    retention = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": RETENTION_DAYS}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": retention}
    s3.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=lock)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(emulated_bucket_policy(estate)))


def emulated_bucket_policy(estate: Estate) -> Policy:
    """The bucket policy without the statements that the emulator cannot evaluate."""
    document = policies.bucket_policy(estate)
    kept = [s for s in document["Statement"] if s["Sid"] not in _NOT_IN_THE_EMULATOR]
    return document | {"Statement": kept}


def _seed_account(aws: LocalAws, estate: Estate, plan: Plan, account_id: str) -> None:
    iam = aws.client("iam", account_id, HOME_REGION)
    expected = replace(estate, external_id="not-the-one-in-the-inventory") if account_id in plan.unassumable else estate
    _role(iam, estate.invoker_role, policies.invoker_trust(expected), policies.invoker_identity(estate, account_id))
    may = policies.worker_identity(estate, account_id, discovery=bool(plan.undeclared))
    _role(iam, estate.worker_role, policies.worker_trust(), may)
    own = replace(estate, organization_id=_organization_id(aws, account_id))
    central = aws.client("iam", CENTRAL_ACCOUNT, HOME_REGION)
    trust = policies.writer_trust(own, account_id)
    _role(central, estate.writer_role_for(account_id), trust, policies.writer_identity(estate, account_id))


def _seed_instance(aws: LocalAws, item: PlannedInstance) -> None:
    """The emulator only lists it: its address is the emulator's own, and nobody listens at that port."""
    aws.client("rds", item.account_id, item.region).create_db_instance(
        DBInstanceIdentifier=item.identifier, Engine=item.engine, DBInstanceClass="db.t3.micro", AllocatedStorage=20,
        MasterUsername="admin", MasterUserPassword="never-used-anywhere",
    )  # fmt: skip


def _seed_secret(aws: LocalAws, database: PlannedDatabase, text: str) -> None:
    secrets = aws.client("secretsmanager", database.account_id, database.region)
    secrets.create_secret(Name=f"{policies.SECRET_PATH}{database.name}", SecretString=text)


def _role(iam: Any, name: str, trust: Policy, identity: Policy, session_seconds: int = 3600) -> None:
    document = json.dumps(trust)
    try:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, MaxSessionDuration=session_seconds)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)
    iam.put_role_policy(RoleName=name, PolicyName="least-privilege", PolicyDocument=json.dumps(identity))


def _organization_id(aws: LocalAws, account_id: str) -> str:
    answer = aws.client("organizations", account_id, HOME_REGION).describe_organization()
    return str(answer["Organization"]["Id"])
