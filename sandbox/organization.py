"""Seeds the local AWS: accounts with their roles, the evidence bucket, secrets, functions. Policies are infra's.

What the emulator cannot evaluate is loaded all the same: docs/security.md says what.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from infra import policies
from infra.policies import Estate, Policy
from infra.policies.keys import signing_key_policy
from sandbox.aws import ORGANIZATION_ID, LocalAws
from sandbox.databases import DatabaseServers
from sandbox.lambda_function import Function
from sandbox.plan import CENTRAL_ACCOUNT, HOME_REGION, Plan, PlannedDatabase, PlannedInstance

BUCKET = "bb-us-product-db-admin-report"
INVENTORY_KEY = "inventory/db-admin-report.yaml"
INVENTORY_PARAMETER = "/db-admin-report/inventory"
EXTERNAL_ID = "db-admin-report-sandbox"
ANOTHER_EXTERNAL_ID = "not-the-one-in-the-inventory"
OPERATOR_ROLE = "Auditor"
RETENTION_DAYS = 400
ORCHESTRATOR_SESSION_SECONDS = 12 * 3600  # a sandbox in the foreground outlives the usual hour
NAMES = Estate(CENTRAL_ACCOUNT, BUCKET, ORGANIZATION_ID, EXTERNAL_ID, INVENTORY_KEY, INVENTORY_PARAMETER)
_SEEDERS = 8
_PARAMETER_LIMIT_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization in which everything of ours is deployed: what a test needs to act as its members.

    Attributes:
        functions: the worker of every target.
        settings: the product's own variables, where its inventory, bucket and key are.
    """

    aws: LocalAws
    estate: Estate
    functions: tuple[Function, ...]
    settings: dict[str, str]

    def operator(self) -> dict[str, Any]:
        """Credentials of the person who starts reports."""
        return self._assume("root", CENTRAL_ACCOUNT, OPERATOR_ROLE)

    def orchestrator(self) -> dict[str, Any]:
        """Credentials of a new session of the orchestrator role, as long as the role allows, taken by the operator."""
        iam = self.aws.client("iam", CENTRAL_ACCOUNT, HOME_REGION)
        role = iam.get_role(RoleName=self.estate.orchestrator_role)["Role"]
        sts = self.aws.client_as("sts", HOME_REGION, self.operator())
        answer = sts.assume_role(
            RoleArn=role["Arn"], RoleSessionName="sandbox-operator", DurationSeconds=role["MaxSessionDuration"]
        )
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    def execution_role(self, function: Function) -> dict[str, Any]:
        """Credentials of a function's execution role, as the Lambda service takes them."""
        return self._assume(function.name, function.account_id, function.role_arn.rpartition("/")[2])

    def _assume(self, session: str, account_id: str, role: str) -> dict[str, Any]:
        sts = self.aws.client("sts", account_id, HOME_REGION)
        answer = sts.assume_role(RoleArn=self.estate.role_arn(account_id, role), RoleSessionName=session)
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials


Deploy = Callable[[LocalAws, Plan, str], Organization]
"""Makes all of ours in an organization: (local AWS, what is planned, the inventory's text)."""


def deploy(aws: LocalAws, plan: Plan, inventory: str) -> Organization:
    """Make roles, bucket, key, functions and the published inventory with infra's policies and names of our own."""
    kms = aws.client("kms", CENTRAL_ACCOUNT, HOME_REGION)
    signing_key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    estate = replace(NAMES, signing_key_arn=signing_key)
    kms.put_key_policy(KeyId=signing_key, PolicyName="default", Policy=json.dumps(signing_key_policy(estate)))
    _deploy_central(aws, estate)
    with ThreadPoolExecutor(_SEEDERS) as pool:
        list(pool.map(lambda account_id: _deploy_account(aws, estate, plan, account_id), plan.accounts))
    _publish_inventory(aws, inventory)
    settings = {
        "DBADMIN_INVENTORY": f"s3://{BUCKET}/{INVENTORY_KEY}",
        "DBADMIN_BUCKET": BUCKET,
        "DBADMIN_REGION": HOME_REGION,
        "DBADMIN_SIGNING_KEY": signing_key,
    }
    return Organization(aws, estate, _functions(estate, plan), settings)


def seed(aws: LocalAws, plan: Plan, servers: DatabaseServers) -> None:
    """Make what an organization has before anything of ours is there: people, databases' secrets, instances."""
    iam = aws.client("iam", CENTRAL_ACCOUNT, HOME_REGION)
    person = {"Effect": "Allow", "Principal": {"AWS": CENTRAL_ACCOUNT}, "Action": "sts:AssumeRole"}
    become = policies.allow("Start", "sts:AssumeRole", NAMES.role_arn(CENTRAL_ACCOUNT, NAMES.orchestrator_role))
    _role(iam, OPERATOR_ROLE, policies.policy([person]), policies.policy([become]))
    with ThreadPoolExecutor(_SEEDERS) as pool:
        list(pool.map(lambda item: _seed_instance(aws, item), plan.undeclared))
        list(pool.map(lambda item: _seed_secret(aws, item, servers.secret(item)), plan.databases))


def _functions(estate: Estate, plan: Plan) -> tuple[Function, ...]:
    return tuple(
        Function(
            account_id,
            region,
            estate.function,
            estate.role_arn(account_id, estate.worker_role),
            handler=plan.handler_for(account_id, region),
            timeout_seconds=plan.timeout_seconds,
            concurrency=plan.concurrency,
        )
        for account_id, region in plan.targets
    )


def _publish_inventory(aws: LocalAws, document: str) -> None:
    """Put the inventory into the bucket, and into a parameter when it is small enough for one."""
    s3 = aws.client("s3", CENTRAL_ACCOUNT, HOME_REGION)
    s3.put_object(Bucket=BUCKET, Key=INVENTORY_KEY, Body=document.encode(), ContentType="application/yaml")
    if len(document.encode()) <= _PARAMETER_LIMIT_BYTES:
        ssm = aws.client("ssm", CENTRAL_ACCOUNT, HOME_REGION)
        ssm.put_parameter(Name=INVENTORY_PARAMETER, Value=document, Type="String", Tier="Advanced", Overwrite=True)


def _deploy_central(aws: LocalAws, estate: Estate) -> None:
    iam = aws.client("iam", CENTRAL_ACCOUNT, HOME_REGION)
    trust = policies.orchestrator_trust(estate, operators=(estate.role_arn(CENTRAL_ACCOUNT, OPERATOR_ROLE),))
    _role(iam, estate.orchestrator_role, trust, policies.orchestrator_identity(estate), ORCHESTRATOR_SESSION_SECONDS)
    s3 = aws.client("s3", CENTRAL_ACCOUNT, HOME_REGION)
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    retention = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": RETENTION_DAYS}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": retention}
    s3.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=lock)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policies.bucket_policy(estate)))


def _deploy_account(aws: LocalAws, estate: Estate, plan: Plan, account_id: str) -> None:
    iam = aws.client("iam", account_id, HOME_REGION)
    expected = replace(estate, external_id=ANOTHER_EXTERNAL_ID) if account_id in plan.unassumable else estate
    _role(iam, estate.invoker_role, policies.invoker_trust(expected), policies.invoker_identity(estate, account_id))
    may = policies.worker_identity(estate, account_id, discovery=bool(plan.undeclared))
    _role(iam, estate.worker_role, policies.worker_trust(), may)
    central = aws.client("iam", CENTRAL_ACCOUNT, HOME_REGION)
    trust = policies.writer_trust(estate, account_id)
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
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=session_seconds)
    iam.put_role_policy(RoleName=name, PolicyName="least-privilege", PolicyDocument=json.dumps(identity))
