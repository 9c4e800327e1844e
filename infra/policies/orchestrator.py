"""The orchestrator: what the pipeline may do, who may become it, and what it shares with Dagster's code location."""

from __future__ import annotations

from infra.policies.estate import EVIDENCE_PREFIXES, ORCHESTRATOR_WRITES, Estate
from infra.policies.roles import service_trust
from infra.policies.statements import Policy, Statement, allow, policy


def orchestrator_identity(estate: Estate, invoker_roles: tuple[str, ...] = ()) -> Policy:
    """What the pipeline may do; nothing here lets it write under `collections/`, which is the workers' word.

    Args:
        invoker_roles: names of the invoker roles, where accounts call them differently; default: the estate's one.
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
        allow("ListEvidence", "s3:ListBucket", estate.bucket_arn())
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
        actions = ["kms:Sign", "kms:GetPublicKey"]
        statements.append(allow("SignManifests", actions, estate.signing_key_arn))
    return policy(statements + alert_statements(estate))


def alert_statements(estate: Estate) -> list[Statement]:
    """Publishing alerts, where the estate has a topic."""
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
        statements.append(allow("ReadInventoryObject", "s3:GetObject", objects))
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
