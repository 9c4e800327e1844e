"""Names, tags and sizes: unique, everywhere, and within AWS's limits."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path

import pulumi_aws as aws
import pytest

from infra import program
from infra.tags import can_be_tagged
from tests.infra import demo
from tests.infra.conftest import configured
from tests.infra.recording import Stack, render

# What a name is unique among; everything else is unique within its account and region.
_GLOBAL = {"aws:iam/role:Role"}


def test_one_central_stack_and_sixteen_worker_stacks(demo_stacks: list[Stack]) -> None:
    assert [s.name for s in demo_stacks if s.name == "central"] == ["central"]
    assert len([s for s in demo_stacks if s.name.startswith("worker-")]) == 16
    assert len({s.name for s in demo_stacks}) == 17


def test_every_resource_that_can_carry_tags_carries_ours(every_stack: list[Stack]) -> None:
    untagged = set()
    for stack in every_stack:
        for resource in stack.custom:
            if not _taggable(resource.type):
                untagged.add(resource.type)
                continue
            assert resource.tags is not None, f"{resource.type} {resource.name}"
            assert resource.tags.items() >= {
                "product": "db-admin-report", "environment": "test", "stack": stack.name, "cost-center": "42",
            }.items()  # fmt: skip
    assert "aws:iam/role:Role" not in untagged
    assert "aws:s3/bucketPolicy:BucketPolicy" in untagged  # or this test looked at nothing


def _taggable(type_: str) -> bool:
    """By the class that the provider registers under this type: independent of how the program finds out."""
    _, module, kind = type_.split(":")
    service = module.split("/")[0]
    package = getattr(aws, {"lambda": "lambda_"}.get(service, service))
    return isinstance(vars(getattr(package, kind)).get("tags"), property)


def test_a_type_without_tags_is_known_by_its_own_schema() -> None:
    assert can_be_tagged.__doc__
    assert hasattr(aws.s3.Bucket, "tags")
    assert not hasattr(aws.s3.BucketPolicy, "tags")


def test_logical_names_are_unique_within_a_stack_and_type(every_stack: list[Stack]) -> None:
    for stack in every_stack:
        for (type_, name), count in Counter((r.type, r.name) for r in stack.resources).items():
            assert count == 1, f"{stack.name}: {type_} {name}"


@pytest.mark.parametrize("stacks", ["demo_stacks", "full_stacks"])
def test_physical_names_are_unique_where_aws_wants_them_to_be(stacks: str, request: pytest.FixtureRequest) -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    for stack in request.getfixturevalue(stacks):
        for resource in stack.custom:
            for key in ("name", "bucket", "family", "identifier"):
                name = resource.inputs.get(key)
                carries = resource.type.endswith((":Role", ":Bucket", ":Alias", ":EventRule", ":Topic", ":LogGroup"))
                carries |= resource.type.endswith((":Function", ":MetricAlarm", ":EventBus", ":Cluster", ":Schedule"))
                carries |= resource.type.endswith((":TaskDefinition", ":LoadBalancer", ":Trail", ":Parameter"))
                if isinstance(name, str) and carries:
                    region = "" if resource.type in _GLOBAL else stack.region
                    seen[resource.type, stack.account_id, region, name] += 1
    assert len(seen) > 50
    assert [place for place, count in seen.items() if count > 1] == []


def test_names_fit_aws(every_stack: list[Stack]) -> None:
    most = {":Role": 64, ":EventRule": 64, ":Function": 64, ":LoadBalancer": 32, ":Schedule": 64, ":Bucket": 63}
    checked = 0
    for stack in every_stack:
        for resource in stack.custom:
            for ending, length in most.items():
                name = resource.inputs.get("bucket" if ending == ":Bucket" else "name")
                if resource.type.endswith(ending) and name:
                    assert len(name) <= length, name
                    checked += 1
    assert checked > 100


def test_policies_of_a_thousand_accounts_stay_within_the_limits(tmp_path: Path) -> None:
    accounts = tuple(f"{n:012d}" for n in range(1, 1001))
    many = configured(tmp_path, demo.inventory(accounts, ("us-east-1",)))
    central = render("central", demo.CENTRAL_ACCOUNT, demo.CENTRAL_REGION, partial(program.central, many))
    worker = render("worker", accounts[0], "us-east-1", partial(program.worker, many, accounts[0], "us-east-1"))
    roles = [role for stack in (central, worker) for role in stack.of("iam/role:Role")]
    assert len(roles) > 1000
    assert max(len(role.inputs["assumeRolePolicy"]) for role in roles) < 2048
    assert max(len(p.inputs["policy"]) for p in central.of("iam/rolePolicy:RolePolicy")) < 10_240
    assert max(len(p.inputs["policy"]) for p in central.of("s3/bucketPolicy:BucketPolicy")) < 20_480
    assert max(len(k.inputs["policy"]) for k in central.of("kms/key:Key")) < 32_768
    assert len(central.one("cloudwatch/dashboard:Dashboard").inputs["dashboardBody"]) < 20_000
    for bus in central.of("cloudwatch/eventBusPolicy:EventBusPolicy"):
        assert len(bus.inputs["policy"]) < 10_240


def test_event_patterns_fit_a_rule(every_stack: list[Stack]) -> None:
    for stack in every_stack:
        for rule in stack.of("cloudwatch/eventRule:EventRule"):
            assert len(rule.inputs["eventPattern"]) <= 2048
            assert json.loads(rule.inputs["eventPattern"])["detail-type"]
