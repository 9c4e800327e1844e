"""The deployment's plan, from the real configuration of the infrastructure and the real inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.deployment.errors import DeploymentError
from infra.deployment.program import load_plan
from infra.deployment.stacks import Stack

configuration = pytest.importorskip("infra.configuration")
pytest.importorskip("infra.program")

INVENTORY = """\
version: 1
defaults: {secret: "db-admin-report/{database}"}
accounts:
  "111111111111":
    regions:
      us-east-1: {databases: [{name: a, engine: mysql, host: a.example.com}]}
      eu-west-1: {databases: [{name: b, engine: mysql, host: b.example.com, exclude: retired}]}
  "012345678901":
    regions:
      eu-west-1: {databases: [{name: c, engine: mssql, host: c.example.com}]}
worker: {external_id: an-external-id}
network:
  us-east-1: {vpc_id: vpc-0a1b, subnet_ids: [subnet-0a1b]}
  eu-west-1: {vpc_id: vpc-0a1c, subnet_ids: [subnet-0a1c]}
"""
CONFIGURATION = """\
inventory: inventory.yaml
organization_id: o-abcdefghij
central_account_id: "209371858707"
central_region: us-east-1
alarm_addresses: [security@example.com]
dagster: dagster_plus_agent
dagster_image: 209371858707.dkr.ecr.us-east-1.amazonaws.com/db-admin-report:1
dagster_plus_cluster: dagster
dagster_plus_namespace: ns-abc
deployment: {role_name: deployer, external_id: deploy-ext}
"""


def written(directory: Path, text: str = CONFIGURATION) -> str:
    (directory / "inventory.yaml").write_text(INVENTORY)
    (directory / "infrastructure.yaml").write_text(text)
    return str(directory / "infrastructure.yaml")


def test_there_is_a_worker_stack_per_target_that_has_something_to_read(tmp_path: Path) -> None:
    plan = load_plan(written(tmp_path))
    assert plan.stacks == (
        Stack("central", "209371858707", "us-east-1"),
        Stack("worker", "012345678901", "eu-west-1"),
        Stack("worker", "111111111111", "us-east-1"),
    )
    assert plan.role.provider_configuration(plan.stacks[1])["aws:assumeRoles[0].externalId"] == "deploy-ext"
    found = configuration.load_configuration(
        {"inventory": "inventory.yaml", "organization_id": "o-abcdefghij", "central_account_id": "209371858707",
         "central_region": "us-east-1", "alarm_addresses": ["security@example.com"], "dagster": "dagster_plus_agent",
         "dagster_image": "209371858707.dkr.ecr.us-east-1.amazonaws.com/db-admin-report:1",
         "dagster_plus_cluster": "dagster", "dagster_plus_namespace": "ns-abc"}, tmp_path,
    )  # fmt: skip
    assert tuple(stack.name for stack in plan.stacks) == configuration.stack_names(found)


def test_what_is_wrong_with_the_configuration_is_told_at_once(tmp_path: Path) -> None:
    text = CONFIGURATION.replace("o-abcdefghij", "abc").replace("dagster_plus_cluster: dagster\n", "nonsense: 1\n")
    with pytest.raises(DeploymentError) as refused:
        load_plan(written(tmp_path, text))
    assert "organization_id" in str(refused.value)
    assert "nonsense" in str(refused.value)
