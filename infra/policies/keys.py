"""Every KMS key policy."""

from __future__ import annotations

from infra.policies.estate import Estate
from infra.policies.statements import Policy, Statement, allow, deny, policy


def bucket_key_policy(estate: Estate, region: str) -> Policy:
    """The bucket's KMS key: administration by the central account's IAM, use through S3 only."""
    use = allow("UseThroughS3", ["kms:GenerateDataKey", "kms:Decrypt"], "*") | {
        "Principal": {"AWS": f"arn:{estate.partition}:iam::{estate.central_account_id}:root"},
        "Condition": {
            "StringEquals": {
                "kms:ViaService": f"s3.{region}.amazonaws.com",
                "kms:CallerAccount": estate.central_account_id,
            }
        },
    }
    return policy([_key_administration(estate, estate.central_account_id), use])


def signing_key_policy(estate: Estate) -> Policy:
    """The manifest's KMS key: the orchestrator signs with it; administrators manage it and cannot sign."""
    others = deny(
        "DenySigningByOthers",
        "kms:Sign",
        "*",
        {
            "ArnNotLike": {
                "aws:PrincipalArn": estate.principal_arns(estate.central_account_id, estate.orchestrator_role)
            }
        },
    )
    sign = allow("SignManifests", ["kms:Sign", "kms:GetPublicKey"], "*")
    sign["Principal"] = {"AWS": estate.role_arn(estate.central_account_id, estate.orchestrator_role)}
    return policy([_key_administration(estate, estate.central_account_id), sign, others])


def log_key_policy(estate: Estate, account_id: str, region: str, log_group_pattern: str) -> Policy:
    """A log groups' KMS key: CloudWatch Logs of one region may use it, for groups that match the pattern."""
    groups = f"arn:{estate.partition}:logs:{region}:{account_id}:log-group:{log_group_pattern}"
    use = allow(
        "UseForLogGroups",
        ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "*",
    )
    use["Principal"] = {"Service": f"logs.{region}.amazonaws.com"}
    use["Condition"] = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}}
    return policy([_key_administration(estate, account_id), use])


def operations_key_policy(estate: Estate, region: str, log_group_pattern: str) -> Policy:
    """The central account's key for everything but evidence: its log groups, alert topic, Dagster's database.

    CloudWatch Logs as in log_key_policy; alarms and rules encrypt what they publish; RDS, Secrets Manager and SNS
    use it for principals of the account whom IAM lets, through these services only.
    """
    account = estate.central_account_id
    statements = log_key_policy(estate, account, region, log_group_pattern)["Statement"]
    publish = allow("UseForAlarms", ["kms:Decrypt", "kms:GenerateDataKey*"], "*")
    publish["Principal"] = {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}
    publish["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    services = [f"{service}.{region}.amazonaws.com" for service in ("rds", "secretsmanager", "sns")]
    through = {"kms:ViaService": services, "kms:CallerAccount": account}
    root = {"AWS": f"arn:{estate.partition}:iam::{account}:root"}
    actions = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    use = allow("UseThroughServices", actions, "*") | {"Principal": root, "Condition": {"StringEquals": through}}
    grant = allow("GrantToServices", "kms:CreateGrant", "*") | {"Principal": root}
    grant["Condition"] = {"StringEquals": through, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    return policy([*statements, publish, use, grant])


def _key_administration(estate: Estate, account_id: str) -> Statement:
    # Without it a key can become unmanageable for ever (KMS documentation); it leaves out the use of the key, and
    # CreateGrant, which would give it away.
    actions = [
        "kms:CreateAlias",
        "kms:DeleteAlias",
        "kms:Describe*",
        "kms:Enable*",
        "kms:List*",
        "kms:Put*",
        "kms:Update*",
        "kms:Revoke*",
    ]
    actions += ["kms:Disable*", "kms:Get*", "kms:TagResource", "kms:UntagResource"]
    actions += ["kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"]
    principal = {"AWS": f"arn:{estate.partition}:iam::{account_id}:root"}
    return allow("AdministerKey", actions, "*") | {"Principal": principal}
