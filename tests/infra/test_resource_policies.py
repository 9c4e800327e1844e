"""Topic, bus, log bucket, endpoints, keys: who is let in, and that nobody else is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.policies import Estate, Policy
from infra.policies import keys as key_policies
from infra.policies import resources as resource_policies
from tests.infra.test_policies import ACCOUNT, ESTATE, LOGS, actions

TOPIC = "arn:aws:sns:us-east-1:209371858707:alerts"
BUS = "arn:aws:events:us-east-1:209371858707:event-bus/db-admin-report"
LOG_BUCKET = resource_policies.log_bucket_policy(ESTATE, "evidence-logs", "us-east-1", "trail-name")


def by_sid(document: Policy) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_alarms_of_the_central_account_publish_to_the_topic_and_only_over_tls() -> None:
    statements = by_sid(resource_policies.topic_policy(ESTATE, TOPIC))
    assert set(statements) == {"AlarmsPublish", "DenyInsecureTransport"}
    publish = statements["AlarmsPublish"]
    assert publish["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}
    assert publish["Condition"] == {"StringEquals": {"aws:SourceAccount": "209371858707"}}
    assert statements["DenyInsecureTransport"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_alarm_roles_of_the_organization_send_to_the_bus() -> None:
    (send,) = resource_policies.bus_policy(ESTATE, BUS)["Statement"]
    assert send["Action"] == "events:PutEvents"
    assert send["Condition"]["StringEquals"] == {"aws:PrincipalOrgID": "o-1"}
    assert send["Condition"]["ArnLike"]["aws:PrincipalArn"][0] == "arn:aws:iam::*:role/db-admin-report-alarms-*"


def test_an_alarm_role_can_send_to_that_bus_and_nothing_else() -> None:
    (statement,) = resource_policies.alarm_forwarding_identity(BUS)["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", BUS)


def test_only_delivery_services_write_to_the_log_bucket_each_to_its_own_prefix() -> None:
    allowed = [s for s in LOG_BUCKET["Statement"] if s["Effect"] == "Allow"]
    assert {(s["Principal"]["Service"], s["Action"], s["Resource"]) for s in allowed} == {
        ("logging.s3.amazonaws.com", "s3:PutObject", "arn:aws:s3:::evidence-logs/access/*"),
        ("cloudtrail.amazonaws.com", "s3:PutObject", "arn:aws:s3:::evidence-logs/trail/AWSLogs/209371858707/*"),
        ("cloudtrail.amazonaws.com", "s3:GetBucketAcl", "arn:aws:s3:::evidence-logs"),
        (
            "logdelivery.elasticloadbalancing.amazonaws.com",
            "s3:PutObject",
            "arn:aws:s3:::evidence-logs/balancer/AWSLogs/209371858707/*",
        ),
    }
    assert all(s["Condition"] for s in allowed)


def test_the_log_bucket_refuses_plain_http_outsiders_and_deletion() -> None:
    denied = {s["Sid"] for s in LOG_BUCKET["Statement"] if s["Effect"] == "Deny"}
    assert denied == {"DenyInsecureTransport", "DenyOldTls", "DenyOutsideOrganization", "DenyRemovingLogs"}


@pytest.mark.parametrize("service", resource_policies.INTERFACE_ENDPOINTS)
def test_an_endpoint_lets_through_the_worker_of_its_account_only(service: str) -> None:
    (statement,) = resource_policies.endpoint_policy(ESTATE, service, ACCOUNT, "us-east-1", LOGS[0])["Statement"]
    assert statement["Condition"]["ArnLike"] == {
        "aws:PrincipalArn": ESTATE.principal_arns(ACCOUNT, "db-admin-report-worker")
    }
    assert "*" not in json.dumps(statement["Action"])


def test_an_endpoint_of_a_service_no_worker_needs_is_refused() -> None:
    with pytest.raises(KeyError):
        resource_policies.endpoint_policy(ESTATE, "dynamodb", ACCOUNT, "us-east-1", LOGS[0])


def test_the_sts_endpoint_leads_to_the_own_writer_only() -> None:
    (statement,) = resource_policies.endpoint_policy(ESTATE, "sts", ACCOUNT, "us-east-1", LOGS[0])["Statement"]
    assert statement["Resource"] == f"arn:aws:iam::209371858707:role/db-admin-report-writer-{ACCOUNT}"


def test_the_gateway_lets_through_puts_of_own_results_only() -> None:
    (statement,) = resource_policies.s3_gateway_policy(ESTATE, ACCOUNT)["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        "s3:PutObject",
        f"arn:aws:s3:::evidence/collections/*/{ACCOUNT}/*",
    )
    writer = f"arn:aws:iam::209371858707:role/db-admin-report-writer-{ACCOUNT}"
    assert statement["Condition"]["ArnLike"]["aws:PrincipalArn"][0] == writer


def test_the_operations_key_is_used_through_named_services_only() -> None:
    document = key_policies.operations_key_policy(ESTATE, "us-east-1", "/aws/security-ops/*")
    statements = by_sid(document)
    through = {f"{service}.us-east-1.amazonaws.com" for service in ("rds", "secretsmanager", "sns")}
    for sid in ("UseThroughServices", "GrantToServices"):
        assert set(statements[sid]["Condition"]["StringEquals"]["kms:ViaService"]) == through
    assert statements["GrantToServices"]["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    unconditional = [s for s in document["Statement"] if "Condition" not in s]
    assert [s["Sid"] for s in unconditional] == ["AdministerKey"]


def test_key_administrators_cannot_give_the_use_of_a_key_away() -> None:
    for document in (
        key_policies.bucket_key_policy(ESTATE, "us-east-1"),
        key_policies.signing_key_policy(ESTATE),
        key_policies.operations_key_policy(ESTATE, "us-east-1", "/x"),
    ):
        administer = by_sid(document)["AdministerKey"]["Action"]
        assert not [action for action in administer if action in ("kms:Create*", "kms:CreateGrant", "kms:*")]


def test_alerts_need_the_topics_key_only_where_the_topic_has_one() -> None:
    from infra.policies import orchestrator_identity

    document = by_sid(orchestrator_identity(ESTATE))["EncryptAlerts"]
    assert document["Condition"] == {"StringLike": {"kms:ViaService": "sns.*.amazonaws.com"}}
    assert "EncryptAlerts" not in by_sid(orchestrator_identity(Estate("1", "b", "o", "e", topic_arn=TOPIC)))
    assert "sns:Publish" in actions(orchestrator_identity(Estate("1", "b", "o", "e", topic_arn=TOPIC)))
