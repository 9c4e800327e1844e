"""What is loaded into the local AWS is what was rendered, byte for byte, and nothing with a policy is left out."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from typing import Any

import botocore.handlers
import pytest

from sandbox.aws import LocalAws
from sandbox.stack import Sandbox
from tests.infra.local_provider import NOT_LOADED, NOT_MADE
from tests.infra.recording import Resource, Stack
from tests.sandbox.rendered import RenderedDeployment
from tests.sandbox.security_document import has, table
from tests.sandbox.unevaluated import DECIDED, EVALUATED, UNEVALUATED

Loaded = Iterator[tuple[Stack, Resource]]


@pytest.fixture(scope="module")
def stacks(rendered_sandbox: Sandbox, deployment: RenderedDeployment) -> list[Stack]:
    return deployment.stacks


@pytest.fixture(scope="module")
def aws(rendered_sandbox: Sandbox) -> LocalAws:
    return rendered_sandbox.organization.aws


def every(stacks: list[Stack], type_: str) -> Loaded:
    return ((stack, resource) for stack in stacks for resource in stack.of(type_))


def client(aws: LocalAws, service: str, stack: Stack) -> Any:
    made = aws.client(service, stack.account_id, stack.region)
    if service == "iam":  # documents as they are stored, not parsed
        made.meta.events.unregister("after-call.iam", botocore.handlers.json_decode_policies)
    return made


def test_every_document_is_loaded_but_for_a_list(stacks: list[Stack]) -> None:
    carrying = {resource.type for stack in stacks for resource in stack.custom if resource.documents()}
    assert not [type_ for type_ in carrying if type_.startswith(tuple(NOT_MADE))]
    left_out = {type_ for type_ in carrying if type_.startswith(tuple(NOT_LOADED))}
    assert carrying - left_out == {
        "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:s3/bucketPolicy:BucketPolicy", "aws:kms/key:Key",
        "aws:sns/topicPolicy:TopicPolicy",
    }  # fmt: skip


def test_the_lists_of_what_is_left_out_name_nothing_that_is_gone(stacks: list[Stack]) -> None:
    rendered = {resource.type for stack in stacks for resource in stack.custom}
    assert not [start for start in (*NOT_LOADED, *NOT_MADE) if not any(t.startswith(start) for t in rendered)]


def test_roles_trust_whom_they_were_rendered_to_trust(aws: LocalAws, stacks: list[Stack]) -> None:
    for stack, role in every(stacks, "iam/role:Role"):
        stored = client(aws, "iam", stack).get_role(RoleName=role.inputs["name"])["Role"]
        assert urllib.parse.unquote(stored["AssumeRolePolicyDocument"]) == role.inputs["assumeRolePolicy"]


def test_roles_may_do_what_was_rendered_and_nothing_more(aws: LocalAws, stacks: list[Stack]) -> None:
    rendered: dict[tuple[str, str], set[str]] = {}
    for stack, policy in every(stacks, "iam/rolePolicy:RolePolicy"):
        names = {"RoleName": policy.inputs["role"], "PolicyName": policy.inputs["name"]}
        stored = client(aws, "iam", stack).get_role_policy(**names)["PolicyDocument"]
        assert urllib.parse.unquote(stored) == policy.inputs["policy"]
        rendered.setdefault((stack.account_id, names["RoleName"]), set()).add(names["PolicyName"])
    for stack, role in every(stacks, "iam/role:Role"):
        name = role.inputs["name"]
        iam = client(aws, "iam", stack)
        assert set(iam.list_role_policies(RoleName=name)["PolicyNames"]) == rendered[stack.account_id, name]
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []


def test_buckets_keys_and_topic_carry_what_was_rendered(aws: LocalAws, stacks: list[Stack]) -> None:
    for stack, policy in every(stacks, "s3/bucketPolicy:BucketPolicy"):
        stored = client(aws, "s3", stack).get_bucket_policy(Bucket=policy.inputs["bucket"])["Policy"]
        assert stored == policy.inputs["policy"]
    for stack, alias in every(stacks, "kms/alias:Alias"):
        kms = client(aws, "kms", stack)
        key_id = kms.describe_key(KeyId=alias.inputs["name"])["KeyMetadata"]["KeyId"]
        key = stack.one("kms/key:Key", alias.name.removesuffix("-alias"))
        assert kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"] == key.inputs["policy"]
    ((central, topic),) = every(stacks, "sns/topicPolicy:TopicPolicy")
    stored = client(aws, "sns", central).get_topic_attributes(TopicArn=topic.inputs["arn"])["Attributes"]["Policy"]
    assert stored == topic.inputs["policy"]


def test_log_groups_end_as_rendered_and_under_their_key(aws: LocalAws, stacks: list[Stack]) -> None:
    for stack, group in every(stacks, "cloudwatch/logGroup:LogGroup"):
        name = group.inputs["name"]
        (stored,) = client(aws, "logs", stack).describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        assert (stored["logGroupName"], stored["kmsKeyId"]) == (name, group.inputs["kmsKeyId"])
        assert stored["retentionInDays"] == group.inputs["retentionInDays"]


def test_every_condition_key_is_evaluated_there_or_on_the_list_of_those_that_are_not(stacks: list[Stack]) -> None:
    documents = [document for stack in stacks for resource in stack.custom for document in resource.documents()]
    conditions = [s.get("Condition", {}) for document in documents for s in document["Statement"]]
    found = {key for condition in conditions for operator in condition.values() for key in operator}
    assert not EVALUATED & set(UNEVALUATED)
    assert found == EVALUATED | set(UNEVALUATED)


def test_the_security_document_lists_what_is_not_evaluated() -> None:
    keys = [(f"`{key}`", how) for key, how in UNEVALUATED.items()]
    policies = [(f"`{type_.strip(':')}`: not loaded", f"{why}; {DECIDED}") for type_, why in NOT_LOADED.items()]
    assert has("not-evaluated", table("Not evaluated there", "Held instead", rows=[*keys, *policies]))
