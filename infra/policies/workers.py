"""The three roles of a worker account: invoker, worker, and writer, which is a role of the central account."""

from __future__ import annotations

from infra.policies.estate import SECRET_PATH, Estate
from infra.policies.roles import role_trust
from infra.policies.statements import Policy, allow, policy


def invoker_trust(estate: Estate) -> Policy:
    """Who may become a worker account's invoker: the central orchestrator role, with the ExternalId.

    The principal is the central account, not the role: a role ARN would be frozen to the role's unique id and
    break when the role is made anew; the conditions narrow it to that role, inside the organization.
    """
    return role_trust(
        {"AWS": f"arn:{estate.partition}:iam::{estate.central_account_id}:root"},
        estate.principal_arns(estate.central_account_id, estate.orchestrator_role),
        estate,
    )


def invoker_identity(estate: Estate, account_id: str, functions: tuple[str, ...] = ()) -> Policy:
    """Invoke the workers of the account, and see which code they have.

    Args:
        functions: names of the account's workers, where its regions call them differently; default: the estate's one.
    """
    prefix = f"arn:{estate.partition}:lambda:*:{account_id}:function"
    workers = [f"{prefix}:{name}{suffix}" for name in functions or (estate.function,) for suffix in ("", ":*")]
    return policy([allow("InvokeWorker", ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"], workers)])


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

    Metrics are log lines (embedded metric format), so PutMetricData is absent; the log groups are made by the
    infrastructure, with their key and retention, so CreateLogGroup is.

    Args:
        secrets: names or ARNs of those that the inventory declares outside the common path.
        iam_database_users: whom the worker logs in as with IAM database authentication.
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
    return role_trust(
        {"AWS": f"arn:{estate.partition}:iam::{account_id}:root"},
        estate.principal_arns(account_id, estate.worker_role),
        estate,
    )


def writer_identity(estate: Estate, account_id: str) -> Policy:
    """Put one account's results, and that only: no read, no list, no delete, no other account.

    The account id is literal: `aws:PrincipalAccount` would read the central account once a worker has assumed
    this role.
    """
    objects = estate.bucket_arn(f"collections/*/{account_id}/*")
    statements = [allow("PutOwnResults", "s3:PutObject", objects)]
    if estate.bucket_key_arn:
        statements.append(allow("EncryptResults", "kms:GenerateDataKey", estate.bucket_key_arn))
    return policy(statements)
