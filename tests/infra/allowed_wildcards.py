"""The wildcards that the rendered policies may hold, each with its reason. Everything else fails the test.

A key is (type of resource that carries the policy, Sid of the statement); the value names actions or resources.
"""

from __future__ import annotations

IDENTITY = "aws:iam/rolePolicy:RolePolicy"
KEY = "aws:kms/key:Key"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"

_THIS_KEY = "in a key policy `*` is the key itself (KMS documentation)"
_NO_RESOURCE = "these actions know no resource (AWS service authorization reference)"

# Resource "*", in Allow statements.
RESOURCES: dict[tuple[str, str], str] = {
    (IDENTITY, "AttachToNetwork"): _NO_RESOURCE + "; the worker's code is denied them",
    (IDENTITY, "DiscoverDatabases"): _NO_RESOURCE + "; only where discovery is configured",
    (IDENTITY, "LogInToRegistry"): _NO_RESOURCE,
    (IDENTITY, "LookUp"): _NO_RESOURCE + "; reads",
    (IDENTITY, "LookUpAndRegister"): _NO_RESOURCE + "; reads, and task definitions, whose roles PassRole limits",
    (ENDPOINT, "WorkerOnly"): "rds, ec2 and monitoring: " + _NO_RESOURCE + "; the condition names the one principal",
    (KEY, "AdministerKey"): _THIS_KEY,
    (KEY, "UseThroughS3"): _THIS_KEY,
    (KEY, "SignManifests"): _THIS_KEY,
    (KEY, "UseForLogGroups"): _THIS_KEY,
    (KEY, "UseForAlarms"): _THIS_KEY,
    (KEY, "UseThroughServices"): _THIS_KEY,
    (KEY, "GrantToServices"): _THIS_KEY,
}

# Actions with a `*`, in Allow statements: key policies only, where KMS has families of one operation.
ACTIONS: dict[tuple[str, str], set[str]] = {
    (KEY, "AdministerKey"): {
        "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*", "kms:Disable*",
        "kms:Get*",
    },
    # The five families that CloudWatch Logs asks for (its documentation).
    (KEY, "UseForLogGroups"): {
        "kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*",
    },
    (KEY, "UseForAlarms"): {"kms:GenerateDataKey*"},
    (KEY, "UseThroughServices"): {"kms:ReEncrypt*", "kms:GenerateDataKey*"},
}  # fmt: skip

# Principal "*" in Allow statements: only where a condition says who.
PRINCIPALS: dict[str, str] = {
    ENDPOINT: "an endpoint policy names no principal; aws:PrincipalArn in the condition does",
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": "the organization's alarm roles, by condition",
}

# Egress to everywhere, by the end of the rule's name: HTTPS to AWS's own addresses, through NAT.
EGRESS_EVERYWHERE = {
    "dagster-network-to-aws": "STS, Lambda, S3, KMS, ECR of several regions: no list that a group could hold",
    "network-to-aws": "services for which no endpoint was asked",
}
