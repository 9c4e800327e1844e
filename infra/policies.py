"""Every IAM identity, trust and bucket policy, as pure functions of an Estate that return JSON-ready dicts.

Key policies stand in key_policies.py, those of topic, bus, log bucket and endpoints in resource_policies.py, those of
Dagster on ECS in dagster_policies.py. The Pulumi program and the sandbox use the same functions. A function's
docstring gives the reason for each action. A trust policy may hold 2,048 characters by default (IAM quota), so none
of them lists the accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Policy = dict[str, Any]
Statement = dict[str, Any]

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


def orchestrator_identity(estate: Estate, invoker_roles: tuple[str, ...] = ()) -> Policy:
    """What the pipeline may do; nothing here lets it write under `collections/`, which is the workers' word.

    Args:
        invoker_roles: names of the invoker roles, where accounts call them differently; default: the estate's one.

    sts:AssumeRole: to become the invoker of each account, and nothing else there. s3:GetObject and
    GetObjectVersion: verdicts are made from the objects, `verify` reads the versions the manifest names.
    s3:ListBucket: without it the HEAD of an absent result answers 403 instead of 404. s3:PutObject: its own
    prefixes. s3:GetBucketVersioning: `doctor` says when overwritten evidence would be lost.
    s3:GetBucketObjectLockConfiguration, GetObjectRetention, PutObjectRetention: how long evidence is kept, and to
    keep it longer; Object Lock itself refuses to shorten. ssm:GetParameter*: the inventory. kms: S3 encrypts through
    the bucket's key; the manifest is signed. Alerts: an operator's own daemon publishes them with this role.
    """
    invokers = [estate.role_arn("*", name) for name in invoker_roles or (estate.invoker_role,)]
    statements = [
        allow("AssumeInvokers", "sts:AssumeRole", invokers),
        allow(
            "ReadEvidence",
            ["s3:GetObject", "s3:GetObjectVersion"],
            [estate.bucket_arn(f"{p}/*") for p in EVIDENCE_PREFIXES],
        ),
        allow("WriteOwnEvidence", "s3:PutObject", [estate.bucket_arn(f"{p}/*") for p in ORCHESTRATOR_WRITES]),
        allow("ListEvidence", ["s3:ListBucket", "s3:ListBucketVersions"], estate.bucket_arn())
        | {"Condition": {"StringLike": {"s3:prefix": [f"{p}/*" for p in EVIDENCE_PREFIXES]}}},
        allow("SeeProtection", ["s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration"], estate.bucket_arn()),
        allow(
            "KeepEvidenceLonger",
            ["s3:GetObjectRetention", "s3:PutObjectRetention"],
            [estate.bucket_arn(f"{p}/*") for p in EVIDENCE_PREFIXES],
        ),
    ]
    statements += inventory_statements(estate)
    if estate.bucket_key_arn:
        actions = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements.append(allow("UseBucketKey", actions, estate.bucket_key_arn))
    if estate.signing_key_arn:
        actions = ["kms:Sign", "kms:GetPublicKey", "kms:DescribeKey"]
        statements.append(allow("SignManifests", actions, estate.signing_key_arn))
    return policy(statements + alert_statements(estate))


def alert_statements(estate: Estate) -> list[Statement]:
    """Publishing alerts, where the estate has a topic: sns:Publish, and the topic's key through SNS only."""
    statements = []
    if estate.topic_arn:
        statements.append(allow("PublishAlerts", "sns:Publish", estate.topic_arn))
    if estate.topic_key_arn:
        via = {"StringLike": {"kms:ViaService": "sns.*.amazonaws.com"}}
        actions = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements.append(allow("EncryptAlerts", actions, estate.topic_key_arn) | {"Condition": via})
    return statements


def inventory_statements(estate: Estate) -> list[Statement]:
    """Reading the inventory, where the estate has it: its object, or its parameter and those below it."""
    statements = []
    if estate.inventory_key:
        objects = estate.bucket_arn(estate.inventory_key)
        statements.append(allow("ReadInventoryObject", ["s3:GetObject", "s3:GetObjectVersion"], objects))
    if estate.inventory_parameter:
        base = f"arn:{estate.partition}:ssm:*:{estate.central_account_id}:parameter{estate.inventory_parameter}"
        actions = ["ssm:GetParameter", "ssm:GetParametersByPath"]
        statements.append(allow("ReadInventoryParameter", actions, [base, f"{base}/*"]))
    return statements


def orchestrator_trust(estate: Estate, *, services: tuple[str, ...] = (), operators: tuple[str, ...] = ()) -> Policy:
    """Who may become the orchestrator: the services it runs on, and operators of the central account by ARN.

    Operators are people's roles; they start reports by hand, so no ExternalId (that is for a third party's
    confusion, and here there is none), but only from inside the organization. A service acts for the central
    account only.

    Raises:
        ValueError: neither is given, which would be a role that nobody can use.
    """
    if not services and not operators:
        raise ValueError("an orchestrator role needs a service or an operator to assume it")
    statements: list[Statement] = []
    if services:
        statements += service_trust(estate.central_account_id, *services)["Statement"]
    if operators:
        inside = {"StringEquals": {"aws:PrincipalOrgID": estate.organization_id}}
        trusted = {"Effect": "Allow", "Principal": {"AWS": list(operators)}, "Action": "sts:AssumeRole"}
        statements.append(trusted | {"Condition": inside})
    return policy(statements)


def invoker_trust(estate: Estate) -> Policy:
    """Who may become a worker account's invoker: the central orchestrator role, with the ExternalId.

    The principal is the central account, not the role: a role ARN would be frozen to the role's unique id and
    break when the role is made anew; the conditions narrow it to that role, inside the organization.
    """
    return _trust(
        {"AWS": f"arn:{estate.partition}:iam::{estate.central_account_id}:root"},
        estate.principal_arns(estate.central_account_id, estate.orchestrator_role),
        estate,
    )


def invoker_identity(estate: Estate, account_id: str, functions: tuple[str, ...] = ()) -> Policy:
    """lambda:InvokeFunction: its whole purpose. GetFunctionConfiguration: the manifest names version and CodeSha256.

    Args:
        functions: names of the account's workers, where its regions call them differently; default: the estate's one.
    """
    prefix = f"arn:{estate.partition}:lambda:*:{account_id}:function"
    workers = [f"{prefix}:{name}{suffix}" for name in functions or (estate.function,) for suffix in ("", ":*")]
    return policy([allow("InvokeWorker", ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"], workers)])


def service_trust(account_id: str, *services: str) -> Policy:
    """AWS services that run something of ours under a role, acting for one account (no confused deputy)."""
    condition = {"StringEquals": {"aws:SourceAccount": account_id}}
    trust = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    return policy([trust | {"Condition": condition}])


def worker_trust() -> Policy:
    """The Lambda service runs the worker under its execution role; nobody else may assume it."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return policy([trust])


def worker_identity(
    estate: Estate,
    account_id: str,
    *,
    region: str = "*",
    log_group_arns: tuple[str, ...] = (),
    secrets: tuple[str, ...] = (),
    secret_key_arns: tuple[str, ...] = (),
    iam_database_users: tuple[str, ...] = (),
    in_vpc: bool = False,
    discovery: bool = False,
) -> Policy:
    """What a worker may do in its own account, in one region.

    secretsmanager:GetSecretValue: the readers' credentials, under one path of its own account, and the `secrets`
    (names or ARNs) that the inventory declares elsewhere. sts:AssumeRole: its account's writer role, no other.
    logs: streams and events of its own groups; the groups are made by the infrastructure, with their key and
    retention, so CreateLogGroup is absent. Metrics are log lines (embedded metric format), so PutMetricData is, too.
    kms:Decrypt: secrets under a customer key, through Secrets Manager only. rds-db:connect: IAM database
    authentication as those users. ec2: the network interfaces of a function in a VPC; these actions know no resource
    (AWS documentation); the worker's own code is denied them, for Lambda makes them before it runs
    (lambda:SourceFunctionArn is set for calls of the code only). rds and ec2 Describe, for discovery:
    no resource either.
    """
    part = estate.partition
    prefix = f"arn:{part}:secretsmanager:{region}:{account_id}:secret"
    named = [s if s.startswith("arn:") else f"{prefix}:{s}-??????" for s in secrets]
    writer = estate.role_arn(estate.central_account_id, estate.writer_role_for(account_id))
    readable = [f"{prefix}:{SECRET_PATH}*", *named]
    statements = [
        allow("ReadDatabaseSecrets", "secretsmanager:GetSecretValue", readable),
        allow("BecomeOwnWriter", "sts:AssumeRole", writer),
    ]
    if log_group_arns:
        streams = [f"{arn}:log-stream:*" for arn in log_group_arns]
        statements.append(allow("WriteOwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], streams))
    if secret_key_arns:
        via = {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}
        statements.append(allow("DecryptSecrets", "kms:Decrypt", list(secret_key_arns)) | {"Condition": via})
    if iam_database_users:
        users = [f"arn:{part}:rds-db:{region}:{account_id}:dbuser:*/{user}" for user in iam_database_users]
        statements.append(allow("ConnectAsReader", "rds-db:connect", users))
    if in_vpc:
        actions = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"]
        actions += ["ec2:DescribeSubnets", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
        function = f"arn:{part}:lambda:{region}:{account_id}:function:{estate.function}"
        own_code = {"ArnLike": {"lambda:SourceFunctionArn": [function, f"{function}:*"]}}
        statements.append(allow("AttachToNetwork", actions, "*"))
        kept = {"Sid": "KeepCodeFromNetwork", "Effect": "Deny", "Action": actions, "Resource": "*"}
        statements.append(kept | {"Condition": own_code})
    if discovery:
        actions = ["rds:DescribeDBInstances", "rds:DescribeDBClusters", "ec2:DescribeInstances"]
        statements.append(allow("DiscoverDatabases", actions, "*"))
    return policy(statements)


def writer_trust(estate: Estate, account_id: str) -> Policy:
    """Who may become the writer of one account: that account's worker execution role, with the ExternalId."""
    return _trust(
        {"AWS": f"arn:{estate.partition}:iam::{account_id}:root"},
        estate.principal_arns(account_id, estate.worker_role),
        estate,
    )


def writer_identity(estate: Estate, account_id: str) -> Policy:
    """s3:PutObject on one account's results, and that only: no read, no list, no delete, no other account.

    The account id is literal: `aws:PrincipalAccount` would read the central account once a worker has assumed
    this role. kms:GenerateDataKey: S3 encrypts the object under the bucket's key.
    """
    objects = estate.bucket_arn(f"collections/*/{account_id}/*")
    statements = [allow("PutOwnResults", "s3:PutObject", objects)]
    if estate.bucket_key_arn:
        statements.append(allow("EncryptResults", "kms:GenerateDataKey", estate.bucket_key_arn))
    return policy(statements)


def bucket_policy(estate: Estate) -> Policy:
    """What holds for the evidence bucket whatever an identity policy allows; it grants nothing.

    TLS 1.2 or newer only. Nobody from outside the organization, AWS's own services excepted (log delivery).
    Only writer roles put results: neither the pipeline nor an administrator can make up a worker's word. Results,
    requests, links and reports (all but the pointer `reports/latest.json`) are written with If-None-Match, hence
    once. Versions are never deleted by hand, in addition to Object Lock.
    """
    everything = [estate.bucket_arn(), estate.bucket_arn("*")]
    writers = estate.principal_arns(estate.central_account_id, estate.writer_role_for("*"))
    unconditional = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    once = [estate.bucket_arn(path) for path in ("collections/*", "requests/*", "chain/*", "reports/????/*")]
    outside = {
        "StringNotEquals": {"aws:PrincipalOrgID": estate.organization_id},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    statements = [
        deny("DenyInsecureTransport", "s3:*", everything, {"Bool": {"aws:SecureTransport": "false"}}),
        deny("DenyOldTls", "s3:*", everything, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        deny("DenyOutsideOrganization", "s3:*", everything, outside),
        deny(
            "DenyResultsFromOthers",
            "s3:PutObject",
            estate.bucket_arn("collections/*"),
            {"ArnNotLike": {"aws:PrincipalArn": writers}},
        ),
        deny("DenyOverwriting", "s3:PutObject", once, unconditional),
        deny(
            "DenyRemovingEvidence",
            ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"],
            [estate.bucket_arn(f"{p}/*") for p in EVIDENCE_PREFIXES],
        ),
    ]
    if estate.bucket_key_arn:
        other_key = {
            "StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption-aws-kms-key-id": estate.bucket_key_arn}
        }
        statements.append(deny("DenyOtherKeys", "s3:PutObject", estate.bucket_arn("*"), other_key))
    return policy(statements)


def log_deletion_deny(log_group_arns: tuple[str, ...]) -> Policy:
    """For every role we make: security logs are not deleted or shortened, whatever else is attached later."""
    actions = ["logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:DeleteRetentionPolicy", "logs:PutRetentionPolicy"]
    resources = [r for arn in log_group_arns for r in (arn, f"{arn}:*")]
    return policy([{"Sid": "KeepSecurityLogs", "Effect": "Deny", "Action": actions, "Resource": resources}])


def _trust(principal: dict[str, str], principal_arns: list[str], estate: Estate) -> Policy:
    conditions = {
        "StringEquals": {"sts:ExternalId": estate.external_id, "aws:PrincipalOrgID": estate.organization_id},
        "ArnLike": {"aws:PrincipalArn": principal_arns},
    }
    return policy([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": conditions}])


def allow(sid: str, action: str | list[str], resource: str | list[str]) -> Statement:
    """One Allow statement of an identity policy."""
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def deny(
    sid: str, action: str | list[str], resource: str | list[str], condition: dict[str, Any] | None = None
) -> Statement:
    """One Deny statement of a resource policy, for everybody."""
    statement = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def policy(statements: list[Statement]) -> Policy:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": statements}
