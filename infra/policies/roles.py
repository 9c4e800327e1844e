"""What roles of several kinds share: who may become them, and the one thing that none of ours may do."""

from __future__ import annotations

from infra.policies.estate import Estate
from infra.policies.statements import Policy, policy


def service_trust(account_id: str, *services: str) -> Policy:
    """AWS services that run something of ours under a role, acting for one account (no confused deputy)."""
    condition = {"StringEquals": {"aws:SourceAccount": account_id}}
    trust = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    return policy([trust | {"Condition": condition}])


def role_trust(principal: dict[str, str], principal_arns: list[str], estate: Estate) -> Policy:
    conditions = {
        "StringEquals": {"sts:ExternalId": estate.external_id, "aws:PrincipalOrgID": estate.organization_id},
        "ArnLike": {"aws:PrincipalArn": principal_arns},
    }
    return policy([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": conditions}])


def log_deletion_deny(log_group_arns: tuple[str, ...]) -> Policy:
    """For every role we make: security logs are not deleted or shortened, whatever else is attached later."""
    actions = ["logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:DeleteRetentionPolicy", "logs:PutRetentionPolicy"]
    resources = [r for arn in log_group_arns for r in (arn, f"{arn}:*")]
    return policy([{"Sid": "KeepSecurityLogs", "Effect": "Deny", "Action": actions, "Resource": resources}])
