"""infra/deployment_role.yaml lets a deployment make what the stacks declare, and keeps it from what it must not."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import parliament
import pytest
import yaml

from infra.configuration import ROOT
from tests.infra import demo
from tests.infra.recording import Resource, Stack, as_list
from tests.infra.test_policy_lint import MEANT

PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::AccountId": demo.CENTRAL_ACCOUNT,
    "CentralAccountId": demo.CENTRAL_ACCOUNT,
    "EvidenceBucket": "db-admin-report-*",
}
# Where the IAM prefix is another word than Pulumi's module.
PREFIXES = {
    "lb": "elasticloadbalancing",
    "vpc": "ec2",
    "cloudwatch/eventRule": "events",
    "cloudwatch/eventTarget": "events",
    "cloudwatch/eventBus": "events",
    "cloudwatch/eventBusPolicy": "events",
    "cloudwatch/logGroup": "logs",
}
# Types of resources whose names we give, with the form of their ARN.
NAMED = {
    "iam/role": "arn:aws:iam::{account}:role/{name}",
    "lambda/function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "cloudwatch/metricAlarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
    "cloudwatch/logGroup": "arn:aws:logs:{region}:{account}:log-group:{name}",
    "cloudwatch/eventBus": "arn:aws:events:{region}:{account}:event-bus/{name}",
    "sns/topic": "arn:aws:sns:{region}:{account}:{name}",
    "cloudtrail/trail": "arn:aws:cloudtrail:{region}:{account}:trail/{name}",
    "scheduler/schedule": "arn:aws:scheduler:{region}:{account}:schedule/default/{name}",
    "s3/bucket": "arn:aws:s3:::{bucket}",
    "ssm/parameter": "arn:aws:ssm:{region}:{account}:parameter{name}",
    "rds/instance": "arn:aws:rds:{region}:{account}:db:{identifier}",
}


def _filled(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    text = loader.construct_scalar(node)
    for name, value in PARAMETERS.items():
        text = text.replace(f"${{{name}}}", value)
    return text


class _Template(yaml.SafeLoader):
    """CloudFormation's tags, as far as the template has them."""


_Template.add_constructor("!Sub", _filled)
for tag in ("!Ref", "!GetAtt"):
    _Template.add_constructor(tag, lambda loader, node: f"<{loader.construct_scalar(node)}>")
_Template.add_constructor("!Equals", lambda loader, node: loader.construct_sequence(node))


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    text = (ROOT / "infra" / "deployment_role.yaml").read_text("utf-8")
    return dict(yaml.load(text, _Template)["Resources"])


def statements(resources: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    return [s for name in names for s in resources[name]["Properties"]["PolicyDocument"]["Statement"]]


def kind(resource: Resource) -> str:
    return resource.type.removeprefix("aws:").partition(":")[0]


def allows(found: list[dict[str, Any]], prefix: str, arn: str | None = None) -> bool:
    """Whether something of a service is allowed at all, or on one resource."""
    return any(
        s["Effect"] == "Allow"
        and any(action.startswith(f"{prefix}:") for action in s["Action"])
        and (arn is None or any(fnmatchcase(arn, pattern) for pattern in as_list(s["Resource"])))
        for s in found
    )


def test_every_resource_of_every_stack_is_of_a_service_and_name_that_the_role_may_make(
    every_stack: list[Stack], resources: dict[str, Any]
) -> None:
    checked = set()
    for stack in every_stack:
        names = ["EveryAccount", "CentralAccount"] if stack.name == "central" else ["EveryAccount"]
        found = statements(resources, *names)
        for resource in stack.custom:
            what = kind(resource)
            prefix = PREFIXES.get(what) or PREFIXES.get(what.split("/")[0]) or what.split("/")[0]
            arn = None
            if what in NAMED:
                # The template's account stands for whichever it is rolled out to.
                form = {**resource.inputs, "region": stack.region, "account": demo.CENTRAL_ACCOUNT}
                arn = NAMED[what].format(**form)
                checked.add(what)
            assert allows(found, prefix, arn), f"{stack.name}: {what} {arn or ''}"
    assert checked == set(NAMED)


def test_only_the_central_account_gets_the_rights_of_the_central_stack(resources: dict[str, Any]) -> None:
    assert resources["CentralAccount"]["Condition"] == "IsCentral"
    everywhere = statements(resources, "EveryAccount")
    for service in ("s3", "rds", "ecs", "sns", "secretsmanager"):
        assert not allows(everywhere, service)


def test_it_neither_deletes_nor_reads_evidence_nor_changes_itself(resources: dict[str, Any]) -> None:
    denied = {s["Sid"]: s for s in statements(resources, "EveryAccount", "CentralAccount") if s["Effect"] == "Deny"}
    kept = denied["KeepWhatEvidenceRestsOn"]
    assert {"s3:DeleteObject*", "kms:ScheduleKeyDeletion", "logs:DeleteLogGroup"} <= set(kept["Action"])
    assert kept["Resource"] == "*"
    assert denied["ReadAndWriteNoEvidence"]["NotResource"] == "arn:aws:s3:::db-admin-report-*/inventory/*"
    assert denied["LeaveThisRoleAlone"]["Resource"].endswith(":role/db-admin-report-deployment")
    granted = [s for s in statements(resources, "EveryAccount", "CentralAccount") if s["Effect"] == "Allow"]
    for secret in ("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "rds-db:connect"):
        assert not any(fnmatchcase(secret, pattern) for s in granted for pattern in s["Action"])


def test_nobody_enters_without_the_external_id_and_from_outside_the_organization(resources: dict[str, Any]) -> None:
    (trust,) = resources["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    conditions = trust["Condition"]["StringEquals"]
    assert conditions == {"sts:ExternalId": "<ExternalId>", "aws:PrincipalOrgID": "<OrganizationId>"}
    assert trust["Principal"] == {"AWS": "<DeployerArn>"}


def test_the_policies_are_well_formed_and_fit_into_the_role(resources: dict[str, Any]) -> None:
    # Who deploys the bucket sets its policy; its objects are denied to him.
    meant = {*MEANT, "RESOURCE_POLICY_PRIVILEGE_ESCALATION"}
    size = 0
    for name in ("EveryAccount", "CentralAccount"):
        text = json.dumps(resources[name]["Properties"]["PolicyDocument"], separators=(",", ":"))
        found = parliament.analyze_policy_string(text, include_community_auditors=False).findings
        assert [f"{f.issue}: {f.detail}" for f in found if f.issue not in meant] == []
        size += len(text)
    assert size <= 10_240
