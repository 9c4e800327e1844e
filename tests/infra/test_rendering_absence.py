"""What must be in no stack: wildcards, anything public, anything in clear, a log without an end, a stray resource."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra import allowed_wildcards
from tests.infra.recording import STACK_TYPE, Resource, Stack, as_list

Statement = dict[str, Any]


def granted(stacks: list[Stack]) -> Iterator[tuple[Resource, Statement]]:
    """Every Allow statement of every policy, trust policies too."""
    for stack in stacks:
        for resource in stack.resources:
            for document in resource.documents():
                for statement in document["Statement"]:
                    if statement["Effect"] == "Allow":
                        yield resource, statement


def every(stacks: list[Stack], type_: str) -> list[Resource]:
    return [resource for stack in stacks for resource in stack.of(type_)]


def test_no_wildcard_action_beyond_those_with_a_reason(every_stack: list[Stack]) -> None:
    for resource, statement in granted(every_stack):
        wild = {action for action in as_list(statement["Action"]) if "*" in action}
        known = allowed_wildcards.ACTIONS.get((resource.type, statement.get("Sid", "")), set())
        assert wild <= known, f"{resource.name}: {statement}"
        assert "*" not in wild


def test_no_wildcard_resource_beyond_those_with_a_reason(every_stack: list[Stack]) -> None:
    seen = set()
    for resource, statement in granted(every_stack):
        if "*" in as_list(statement.get("Resource", [])):
            place = (resource.type, statement.get("Sid", ""))
            assert place in allowed_wildcards.RESOURCES, f"{resource.name}: {statement}"
            seen.add(place)
    assert seen == set(allowed_wildcards.RESOURCES), "a reason without a wildcard hides the next one"


def test_no_statement_is_for_everything_but_something(every_stack: list[Stack]) -> None:
    for resource, statement in granted(every_stack):
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement), resource.name


def test_nobody_is_let_in_by_a_bare_star(every_stack: list[Stack]) -> None:
    for resource, statement in granted(every_stack):
        if statement.get("Principal") in ("*", {"AWS": "*"}):
            assert resource.type in allowed_wildcards.PRINCIPALS, resource.name
            assert "aws:PrincipalArn" in json.dumps(statement["Condition"])


def test_buckets_are_not_public(every_stack: list[Stack]) -> None:
    buckets = every(every_stack, "s3/bucket:Bucket")
    blocks = every(every_stack, "s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
    assert len(blocks) == len(buckets) > 0
    for block in blocks:
        settings = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        assert all(block.inputs[setting] is True for setting in settings)
    assert not [b.name for b in buckets if b.inputs.get("acl") or b.inputs.get("website")]
    owners = every(every_stack, "s3/bucketOwnershipControls:BucketOwnershipControls")
    assert {o.inputs["rule"]["objectOwnership"] for o in owners} == {"BucketOwnerEnforced"}
    assert len(owners) == len(buckets)


def test_no_group_lets_the_internet_in(every_stack: list[Stack]) -> None:
    rules = every(every_stack, "vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert rules
    for rule in rules:
        assert rule.inputs.get("cidrIpv4", "10.").startswith(("10.", "172.", "192.168.")), rule.name
        assert "cidrIpv6" not in rule.inputs
    for group in every(every_stack, "ec2/securityGroup:SecurityGroup"):
        assert "ingress" not in group.inputs, "rules stand apart, so that none is made by the way"
        assert "egress" not in group.inputs


def test_nothing_gets_out_to_everywhere_but_https_with_a_reason(every_stack: list[Stack]) -> None:
    for rule in every(every_stack, "vpc/securityGroupEgressRule:SecurityGroupEgressRule"):
        assert rule.inputs["ipProtocol"] == "tcp"
        if rule.inputs.get("cidrIpv4") == "0.0.0.0/0":
            assert rule.name in allowed_wildcards.EGRESS_EVERYWHERE
            assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)


def test_databases_balancers_and_tasks_have_no_public_address(every_stack: list[Stack]) -> None:
    for database in every(every_stack, "rds/instance:Instance"):
        assert database.inputs["publiclyAccessible"] is False
    for balancer in every(every_stack, "lb/loadBalancer:LoadBalancer"):
        assert balancer.inputs["internal"] is True
    services = every(every_stack, "ecs/service:Service")
    assert services
    for service in services:
        assert service.inputs["networkConfiguration"]["assignPublicIp"] is False
        assert service.inputs["enableExecuteCommand"] is False
    assert not every(every_stack, "lambda/functionUrl:FunctionUrl")
    assert not every(every_stack, "lambda/permission:Permission")


def test_every_store_is_encrypted_with_a_key_of_ours(every_stack: list[Stack]) -> None:
    for group in every(every_stack, "cloudwatch/logGroup:LogGroup"):
        assert group.inputs["kmsKeyId"].startswith("arn:aws:kms:")
    for topic in every(every_stack, "sns/topic:Topic"):
        assert topic.inputs["kmsMasterKeyId"].startswith("arn:aws:kms:")
    for database in every(every_stack, "rds/instance:Instance"):
        assert database.inputs["storageEncrypted"] is True
        assert database.inputs["kmsKeyId"] == database.inputs["masterUserSecretKmsKeyId"]
        assert "password" not in database.inputs
    for parameter in every(every_stack, "ssm/parameter:Parameter"):
        assert parameter.inputs["type"] == "SecureString"
    for task in every(every_stack, "ecs/taskDefinition:TaskDefinition"):
        assert "volumes" not in task.inputs, "a volume would have to be encrypted"
    rules = every(every_stack, "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
    assert len(rules) == len(every(every_stack, "s3/bucket:Bucket"))
    for rule in rules:
        default = rule.inputs["rules"][0]["applyServerSideEncryptionByDefault"]
        # S3 and CloudTrail deliver logs to SSE-S3 buckets.
        assert default["sseAlgorithm"] == ("AES256" if rule.name.startswith("evidence-logs") else "aws:kms")


def test_no_secret_stands_in_clear_anywhere(every_stack: list[Stack]) -> None:
    for stack in every_stack:
        for task in stack.of("ecs/taskDefinition:TaskDefinition"):
            (container,) = json.loads(task.inputs["containerDefinitions"])
            names = {item["name"] for item in container["environment"]}
            assert not [name for name in names if "PASSWORD" in name or "SECRET" in name or "TOKEN" in name]
            assert {s["name"] for s in container["secrets"]} == {"DAGSTER_POSTGRES_USER", "DAGSTER_POSTGRES_PASSWORD"}
        assert not stack.of("secretsmanager/secretVersion:SecretVersion")


def test_every_log_group_is_named_and_ends(every_stack: list[Stack]) -> None:
    groups = [(stack, group) for stack in every_stack for group in stack.of("cloudwatch/logGroup:LogGroup")]
    for stack, group in groups:
        prefix = f"/aws/security-ops/{stack.account_id}/{stack.region}/db-admin-report/"
        assert group.inputs["name"].startswith(prefix)
        audit = group.inputs["name"].removeprefix(prefix) in ("worker", "runs")
        assert group.inputs["retentionInDays"] == (90 if audit else 7)
        assert group.retain_on_delete
    assert {g.inputs["retentionInDays"] for _, g in groups} == {7, 90}


def test_whatever_writes_logs_writes_to_a_group_that_we_made(every_stack: list[Stack]) -> None:
    for stack in every_stack:
        made = {group.inputs["name"] for group in stack.of("cloudwatch/logGroup:LogGroup")}
        for function in stack.of("lambda/function:Function"):
            assert function.inputs["loggingConfig"]["logGroup"] in made
        for task in stack.of("ecs/taskDefinition:TaskDefinition"):
            (container,) = json.loads(task.inputs["containerDefinitions"])
            assert container["logConfiguration"]["options"]["awslogs-group"] in made


def test_everything_belongs_to_a_component(every_stack: list[Stack]) -> None:
    for stack in every_stack:
        for resource in stack.resources:
            if resource.custom:
                assert resource.parent.startswith("db-admin-report:infra:"), resource.name
            else:
                assert resource.type.startswith("db-admin-report:infra:")
                assert resource.parent == STACK_TYPE or resource.parent.startswith("db-admin-report:infra:")


def test_every_role_is_held_from_deleting_security_logs_and_has_two_policies(every_stack: list[Stack]) -> None:
    for stack in every_stack:
        roles = {role.inputs["name"] for role in stack.of("iam/role:Role")}
        attached = Counter(policy.inputs["role"] for policy in stack.of("iam/rolePolicy:RolePolicy"))
        denied = {
            p.inputs["role"] for p in stack.of("iam/rolePolicy:RolePolicy") if p.inputs["name"] == "keep-security-logs"
        }
        assert roles == denied
        assert attached == Counter(dict.fromkeys(roles, 2))
        assert not stack.of("iam/rolePolicyAttachment:RolePolicyAttachment"), "AWS's own policies are never least"
        assert not [r for r in stack.of("iam/role:Role") if r.inputs.get("managedPolicyArns")]
        assert not stack.of("iam/user:User")
        assert not stack.of("iam/accessKey:AccessKey")


def test_what_evidence_rests_on_outlives_the_stack(every_stack: list[Stack]) -> None:
    resting = ("aws:s3/bucket", "aws:kms/key:", "aws:rds/instance:", "aws:cloudtrail/")
    for stack in every_stack:
        for resource in stack.custom:
            if resource.type.startswith(resting) and not resource.type.startswith("aws:s3/bucketObject"):
                assert resource.protect, resource.name
                assert resource.retain_on_delete, resource.name


@pytest.mark.parametrize("type_", ["s3/bucketObjectv2:BucketObjectv2"])
def test_the_inventorys_versions_are_never_deleted(every_stack: list[Stack], type_: str) -> None:
    objects = every(every_stack, type_)
    assert objects
    assert all(o.retain_on_delete for o in objects)
