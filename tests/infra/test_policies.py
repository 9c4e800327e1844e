"""Least privilege: what each policy allows, and above all what is absent from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from infra import policies
from infra.policies import Estate, Policy
from infra.policies import keys as key_policies

ACCOUNT = "012345678901"
ESTATE = Estate(
    central_account_id="209371858707",
    bucket="evidence",
    organization_id="o-1",
    external_id="ext",
    inventory_key="inventory.yaml",
    inventory_parameter="/db-admin-report/inventory",
    bucket_key_arn="arn:aws:kms:us-east-1:209371858707:key/b",
    signing_key_arn="arn:aws:kms:us-east-1:209371858707:key/s",
    topic_arn="arn:aws:sns:us-east-1:209371858707:alerts",
    topic_key_arn="arn:aws:kms:us-east-1:209371858707:key/t",
)
LOGS = ("arn:aws:logs:us-east-1:012345678901:log-group:/aws/security-ops/x",)

IDENTITIES = {
    "orchestrator": policies.orchestrator_identity(ESTATE),
    "invoker": policies.invoker_identity(ESTATE, ACCOUNT),
    "worker": policies.worker_identity(
        ESTATE,
        ACCOUNT,
        log_group_arns=LOGS,
        secret_key_arns=("arn:aws:kms:us-east-1:012345678901:key/k",),
        iam_database_users=("audit_reader",),
    ),
    "writer": policies.writer_identity(ESTATE, ACCOUNT),
}


def allowed(document: Policy) -> Iterator[tuple[str, str]]:
    """Every (action, resource) of the Allow statements."""
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow":
            for action in as_list(statement["Action"]):
                for resource in as_list(statement.get("Resource", "-")):
                    yield action, resource


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def actions(document: Policy) -> set[str]:
    return {action for action, _ in allowed(document)}


@pytest.mark.parametrize("name", IDENTITIES)
def test_no_identity_has_a_wildcard_action_or_a_wildcard_resource(name: str) -> None:
    for action, resource in allowed(IDENTITIES[name]):
        assert "*" not in action
        assert resource != "*"


def test_the_exact_actions_of_each_role() -> None:
    assert actions(IDENTITIES["orchestrator"]) == {
        "sts:AssumeRole", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:ListBucket",
        "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration",
        "s3:GetObjectRetention", "s3:PutObjectRetention",
        "ssm:GetParameter", "ssm:GetParametersByPath", "kms:Decrypt", "kms:GenerateDataKey", "kms:Sign",
        "kms:GetPublicKey", "sns:Publish",
    }  # fmt: skip
    assert actions(IDENTITIES["invoker"]) == {"lambda:InvokeFunction", "lambda:GetFunctionConfiguration"}
    assert actions(IDENTITIES["worker"]) == {
        "secretsmanager:GetSecretValue", "sts:AssumeRole", "logs:CreateLogStream", "logs:PutLogEvents", "kms:Decrypt",
        "rds-db:connect",
    }  # fmt: skip
    assert actions(IDENTITIES["writer"]) == {"s3:PutObject", "kms:GenerateDataKey"}


def test_what_an_estate_does_not_have_is_not_granted() -> None:
    bare = replace(
        ESTATE,
        inventory_key=None,
        inventory_parameter=None,
        bucket_key_arn=None,
        signing_key_arn=None,
        topic_arn=None,
        topic_key_arn=None,
    )
    services = {action.split(":")[0] for action in actions(policies.orchestrator_identity(bare))}
    assert services == {"sts", "s3"}
    assert actions(policies.worker_identity(bare, ACCOUNT)) == {"secretsmanager:GetSecretValue", "sts:AssumeRole"}
    assert actions(policies.writer_identity(bare, ACCOUNT)) == {"s3:PutObject"}


def test_the_orchestrator_writes_nothing_below_collections() -> None:
    written = {r for a, r in allowed(IDENTITIES["orchestrator"]) if a == "s3:PutObject"}
    assert written == {f"arn:aws:s3:::evidence/{p}/*" for p in ("outcomes", "requests", "reports", "chain")}


def test_the_orchestrator_assumes_invokers_only() -> None:
    assumed = {r for a, r in allowed(IDENTITIES["orchestrator"]) if a == "sts:AssumeRole"}
    assert assumed == {"arn:aws:iam::*:role/db-admin-report-invoker"}


def test_the_orchestrator_lists_with_a_prefix_only() -> None:
    statement = next(s for s in IDENTITIES["orchestrator"]["Statement"] if s["Sid"] == "ListEvidence")
    prefixes = statement["Condition"]["StringLike"]["s3:prefix"]
    assert prefixes
    assert "*" not in prefixes
    assert "" not in prefixes


def test_a_writer_names_its_account_literally() -> None:
    puts = [r for a, r in allowed(IDENTITIES["writer"]) if a == "s3:PutObject"]
    assert puts == [f"arn:aws:s3:::evidence/collections/*/{ACCOUNT}/*"]
    assert "${" not in json.dumps(IDENTITIES["writer"])


def test_a_worker_reads_secrets_of_its_own_account_and_path_only() -> None:
    secrets = [r for a, r in allowed(IDENTITIES["worker"]) if a == "secretsmanager:GetSecretValue"]
    assert secrets == [f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:db-admin-report/*"]
    assumed = [r for a, r in allowed(IDENTITIES["worker"]) if a == "sts:AssumeRole"]
    assert assumed == [f"arn:aws:iam::209371858707:role/db-admin-report-writer-{ACCOUNT}"]


def test_network_interfaces_are_the_only_wildcard_resource_of_a_worker_in_a_vpc() -> None:
    document = policies.worker_identity(ESTATE, ACCOUNT, in_vpc=True)
    assert {a.split(":")[0] for a, r in allowed(document) if r == "*"} == {"ec2"}


@pytest.mark.parametrize(
    "trust", [policies.invoker_trust(ESTATE), policies.writer_trust(ESTATE, ACCOUNT)], ids=["invoker", "writer"]
)
def test_cross_account_trust_needs_external_id_organization_and_the_one_role(trust: Policy) -> None:
    (statement,) = trust["Statement"]
    condition = statement["Condition"]
    assert condition["StringEquals"] == {"sts:ExternalId": "ext", "aws:PrincipalOrgID": "o-1"}
    assert len(condition["ArnLike"]["aws:PrincipalArn"]) == 2
    assert statement["Principal"] != "*"
    assert "*" not in statement["Principal"]["AWS"]
    assert len(json.dumps(trust)) < 2048


def test_trust_names_the_counterpart_of_each_role() -> None:
    (invoker,) = policies.invoker_trust(ESTATE)["Statement"]
    assert invoker["Principal"] == {"AWS": "arn:aws:iam::209371858707:root"}
    assert invoker["Condition"]["ArnLike"]["aws:PrincipalArn"] == [
        "arn:aws:iam::209371858707:role/db-admin-report-orchestrator",
        "arn:aws:sts::209371858707:assumed-role/db-admin-report-orchestrator/*",
    ]
    (writer,) = policies.writer_trust(ESTATE, ACCOUNT)["Statement"]
    assert writer["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert (
        writer["Condition"]["ArnLike"]["aws:PrincipalArn"][0] == f"arn:aws:iam::{ACCOUNT}:role/db-admin-report-worker"
    )


def test_nobody_but_lambda_runs_as_the_worker() -> None:
    (statement,) = policies.worker_trust()["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_the_orchestrator_is_assumed_by_named_services_and_operators_only() -> None:
    operator = "arn:aws:iam::209371858707:role/Auditor"
    trust = policies.orchestrator_trust(ESTATE, services=("ecs-tasks.amazonaws.com",), operators=(operator,))
    assert [s["Principal"] for s in trust["Statement"]] == [
        {"Service": ["ecs-tasks.amazonaws.com"]},
        {"AWS": [operator]},
    ]
    assert trust["Statement"][1]["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    with pytest.raises(ValueError, match="needs a service or an operator"):
        policies.orchestrator_trust(ESTATE)


def test_the_bucket_policy_only_denies() -> None:
    document = policies.bucket_policy(ESTATE)
    assert {s["Effect"] for s in document["Statement"]} == {"Deny"}
    assert {s["Sid"] for s in document["Statement"]} == {
        "DenyInsecureTransport", "DenyOldTls", "DenyOutsideOrganization", "DenyResultsFromOthers", "DenyOverwriting",
        "DenyRemovingEvidence", "DenyOtherKeys",
    }  # fmt: skip
    assert len(json.dumps(document)) < 20 * 1024  # S3's limit


def test_no_deny_keeps_the_writers_from_their_results() -> None:
    statement = next(s for s in policies.bucket_policy(ESTATE)["Statement"] if s["Sid"] == "DenyResultsFromOthers")
    assert statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"] == [
        "arn:aws:iam::209371858707:role/db-admin-report-writer-*",
        "arn:aws:sts::209371858707:assumed-role/db-admin-report-writer-*/*",
    ]


@pytest.mark.parametrize(
    "document",
    [
        key_policies.bucket_key_policy(ESTATE, "us-east-1"),
        key_policies.signing_key_policy(ESTATE),
        key_policies.log_key_policy(ESTATE, ACCOUNT, "us-east-1", "/aws/security-ops/*"),
    ],
    ids=["bucket", "signing", "logs"],
)
def test_key_administrators_cannot_use_the_key(document: Policy) -> None:
    statement = next(s for s in document["Statement"] if s["Sid"] == "AdministerKey")
    used = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt", "kms:GenerateDataKey", "kms:Sign", "kms:*")
    assert not [a for a in statement["Action"] if a.startswith(used[:-1]) or a == "kms:*"]


def test_only_the_orchestrator_signs() -> None:
    document = key_policies.signing_key_policy(ESTATE)
    signers = [s["Principal"] for s in document["Statement"] if "kms:Sign" in s["Action"] and s["Effect"] == "Allow"]
    assert signers == [{"AWS": "arn:aws:iam::209371858707:role/db-admin-report-orchestrator"}]
    deny = next(s for s in document["Statement"] if s["Effect"] == "Deny")
    assert deny["Action"] == "kms:Sign"


def test_the_bucket_key_works_through_s3_only() -> None:
    document = key_policies.bucket_key_policy(ESTATE, "eu-west-1")
    use = next(s for s in document["Statement"] if s["Sid"] == "UseThroughS3")
    assert use["Condition"]["StringEquals"]["kms:ViaService"] == "s3.eu-west-1.amazonaws.com"


def test_security_logs_cannot_be_deleted_or_shortened() -> None:
    (statement,) = policies.log_deletion_deny(LOGS)["Statement"]
    assert statement["Effect"] == "Deny"
    assert {"logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy"} <= set(statement["Action"])
    assert statement["Resource"] == [LOGS[0], f"{LOGS[0]}:*"]


def test_every_document_is_json_with_a_version() -> None:
    for document in IDENTITIES.values():
        assert json.loads(json.dumps(document))["Version"] == "2012-10-17"


def test_secrets_declared_elsewhere_are_allowed_one_by_one() -> None:
    document = policies.worker_identity(
        ESTATE, ACCOUNT, region="us-east-1", secrets=("team/reader", "arn:aws:secretsmanager:x:1:secret:s-AbCdEf")
    )
    assert [r for a, r in allowed(document) if a == "secretsmanager:GetSecretValue"] == [
        f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:db-admin-report/*",
        f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:team/reader-??????",
        "arn:aws:secretsmanager:x:1:secret:s-AbCdEf",
    ]


def test_the_workers_code_cannot_use_the_rights_that_lambda_attaches_it_to_the_network_with() -> None:
    document = policies.worker_identity(ESTATE, ACCOUNT, in_vpc=True, region="us-east-1")
    attach = next(s for s in document["Statement"] if s["Sid"] == "AttachToNetwork")
    kept = next(s for s in document["Statement"] if s["Sid"] == "KeepCodeFromNetwork")
    assert kept["Effect"] == "Deny"
    assert kept["Action"] == attach["Action"]
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:db-admin-report-worker"
    assert kept["Condition"] == {"ArnLike": {"lambda:SourceFunctionArn": [function, f"{function}:*"]}}


def test_discovery_is_three_reads_and_absent_unless_asked_for() -> None:
    found = actions(policies.worker_identity(ESTATE, ACCOUNT, discovery=True)) - actions(
        policies.worker_identity(ESTATE, ACCOUNT)
    )
    assert found == {"rds:DescribeDBInstances", "rds:DescribeDBClusters", "ec2:DescribeInstances"}


def test_accounts_that_call_their_roles_and_functions_differently_are_served_too() -> None:
    assumed = policies.orchestrator_identity(ESTATE, ("one", "two"))["Statement"][0]
    assert assumed["Resource"] == ["arn:aws:iam::*:role/one", "arn:aws:iam::*:role/two"]
    invoked = {r for _, r in allowed(policies.invoker_identity(ESTATE, ACCOUNT, ("f", "g")))}
    prefix = f"arn:aws:lambda:*:{ACCOUNT}:function"
    assert invoked == {f"{prefix}:f", f"{prefix}:f:*", f"{prefix}:g", f"{prefix}:g:*"}


def test_a_service_acts_for_the_one_account_only() -> None:
    (statement,) = policies.service_trust(ACCOUNT, "ecs-tasks.amazonaws.com")["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
