"""What the central stack must have: evidence that lasts, keys, roles that are the policies' own, alarms, Dagster."""

from __future__ import annotations

import json

import pytest

from infra import policies
from infra.policies import EVIDENCE_PREFIXES
from tests.infra import demo
from tests.infra.recording import Stack


def test_the_evidence_bucket_keeps_every_version_for_400_days(central: Stack) -> None:
    bucket = central.one("s3/bucket:Bucket", "evidence-evidence")
    assert bucket.inputs["objectLockEnabled"] is True
    versioning = central.of("s3/bucketVersioning:BucketVersioning")
    assert {v.inputs["versioningConfiguration"]["status"] for v in versioning} == {"Enabled"}
    locks = [
        lock.inputs["rule"]["defaultRetention"]
        for lock in central.of("s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    ]
    assert {"mode": "COMPLIANCE", "days": 400} in locks


def test_the_rendered_policies_are_those_that_the_sandbox_enforces(central: Stack) -> None:
    """infra/policies is the one source: nothing is added, narrowed or widened on the way to Pulumi."""
    inline = {
        (p.inputs["role"], p.inputs["name"]): json.loads(p.inputs["policy"])
        for p in central.of("iam/rolePolicy:RolePolicy")
    }
    own = next(document for (role, name), document in inline.items()
               if role.startswith("db-admin-report-orchestrator") and name != "keep-security-logs")  # fmt: skip
    signing = next(s for s in own["Statement"] if s["Sid"] == "SignManifests")
    bucket_key = next(s for s in own["Statement"] if s["Sid"] == "UseBucketKey")
    assert signing["Resource"] != bucket_key["Resource"]
    written = next(s for s in own["Statement"] if s["Sid"] == "WriteOwnEvidence")
    assert [arn.split("/")[1] for arn in written["Resource"]] == list(policies.ORCHESTRATOR_WRITES)
    document = next(
        json.loads(p.inputs["policy"]) for p in central.of("s3/bucketPolicy:BucketPolicy") if "logs" not in p.name
    )
    sids = {s["Sid"] for s in document["Statement"]}
    assert sids >= {
        "DenyInsecureTransport", "DenyOldTls", "DenyOutsideOrganization", "DenyResultsFromOthers", "DenyOverwriting",
        "DenyRemovingEvidence", "DenyOtherKeys",
    }  # fmt: skip
    removing = next(s for s in document["Statement"] if s["Sid"] == "DenyRemovingEvidence")
    assert len(removing["Resource"]) == len(EVIDENCE_PREFIXES)


def test_there_is_one_writer_per_account_and_it_writes_there_only(central: Stack) -> None:
    for account in demo.ACCOUNTS:
        name = f"db-admin-report-writer-{account}"
        assert [r.inputs["name"] for r in central.of("iam/role:Role") if r.inputs["name"] == name] == [name]
        policy = next(
            json.loads(p.inputs["policy"])
            for p in central.of("iam/rolePolicy:RolePolicy")
            if p.inputs["role"] == name and p.inputs["name"] != "keep-security-logs"
        )
        (put,) = (s for s in policy["Statement"] if s["Action"] == "s3:PutObject")
        assert put["Resource"].endswith(f"/collections/*/{account}/*")


def test_the_signing_key_signs_and_the_others_rotate(central: Stack) -> None:
    keys = {key.name: key.inputs for key in central.of("kms/key:Key")}
    signing = next(inputs for name, inputs in keys.items() if "signing" in name)
    assert signing["customerMasterKeySpec"] == "ECC_NIST_P256"
    assert signing["keyUsage"] == "SIGN_VERIFY"
    rotating = [inputs for name, inputs in keys.items() if "signing" not in name]
    assert rotating and all(inputs["enableKeyRotation"] is True for inputs in rotating)
    aliases = {alias.inputs["name"] for alias in central.of("kms/alias:Alias")}
    assert "alias/db-admin-report-signing" in aliases


def test_dagster_is_told_where_evidence_goes_and_what_signs_it(central: Stack) -> None:
    told = central.outputs["environment"]
    assert told["DBADMIN_BUCKET"] == central.outputs["bucket"]
    assert told["DBADMIN_SIGNING_KEY"] == central.outputs["signing_key_arn"]
    tasks = {
        t.name: json.loads(t.inputs["containerDefinitions"])[0] for t in central.of("ecs/taskDefinition:TaskDefinition")
    }
    for name in ("dagster-services-run", "dagster-services-code"):
        names = {item["name"] for item in tasks[name]["environment"]}
        assert {"DBADMIN_BUCKET", "DBADMIN_REGION", "DBADMIN_INVENTORY", "DBADMIN_SIGNING_KEY"} <= names
        assert "DBADMIN_ALERT_TOPIC" in names
    assert {"dagster-services-webserver", "dagster-services-daemon"} < set(tasks)


def test_alarms_reach_a_person(central: Stack) -> None:
    topic = central.outputs["topic_arn"]
    alarms = central.of("cloudwatch/metricAlarm:MetricAlarm")
    assert alarms and all(alarm.inputs["alarmActions"] == [topic] for alarm in alarms)
    subscriptions = central.of("sns/topicSubscription:TopicSubscription")
    assert {s.inputs["endpoint"] for s in subscriptions} == {"dba@example.com"}
    assert len(central.of("cloudwatch/dashboard:Dashboard")) == 1


def test_with_dagster_plus_there_is_nothing_but_the_agents_roles(agent_stack: Stack, central: Stack) -> None:
    for kind in ("ecs/service:Service", "rds/instance:Instance", "lb/loadBalancer:LoadBalancer"):
        assert central.of(kind)
        assert not agent_stack.of(kind)
    assert [name for name in agent_stack.outputs if name.startswith("dagster_plus_")]


def test_without_a_dagster_only_operators_become_the_orchestrator(bare_stack: Stack, central: Stack) -> None:
    for kind in ("ecs/cluster:Cluster", "rds/instance:Instance", "lb/loadBalancer:LoadBalancer"):
        assert central.of(kind)
        assert not bare_stack.of(kind)
    (trust,) = bare_stack.one("iam/role:Role", "orchestrator").documents()
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"AWS": [f"arn:aws:iam::{demo.CENTRAL_ACCOUNT}:role/Auditor"]}


@pytest.mark.parametrize("stack", ["central", "agent_stack", "bare_stack"])
def test_what_is_exported_is_what_a_person_configures(stack: str, request: pytest.FixtureRequest) -> None:
    rendered: Stack = request.getfixturevalue(stack)
    wanted = {"bucket", "inventory", "signing_key_arn", "orchestrator_role_arn", "topic_arn", "environment"}
    assert wanted <= set(rendered.outputs)
