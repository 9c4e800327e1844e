"""Dagster's roles: what listens cannot make reports, and the agent stays in its cluster."""

from __future__ import annotations

from dataclasses import replace

from infra.policies import dagster as dagster_policies
from infra.policies.dagster import DagsterNames
from tests.infra.test_policies import ESTATE, actions, allowed, as_list
from tests.infra.test_resource_policies import by_sid

NAMES = DagsterNames(
    account_id="209371858707",
    region="us-east-1",
    cluster="cluster",
    run_family="run",
    services_role="services",
    code_role="code",
    execution_role="execution",
    log_group_arns=("arn:aws:logs:us-east-1:209371858707:log-group:/aws/security-ops/x",),
)
NAMESPACE = "arn:aws:servicediscovery:us-east-1:209371858707:namespace/ns-1"
REPOSITORY = "arn:aws:ecr:us-east-1:209371858707:repository/db-admin-report"


def test_the_exact_actions_of_dagsters_services() -> None:
    assert actions(dagster_policies.services_identity(ESTATE, NAMES)) == {
        "ecs:RunTask", "ecs:DescribeTasks", "ecs:StopTask", "ecs:TagResource", "ecs:DescribeTaskDefinition",
        "ecs:ListAccountSettings", "ec2:DescribeNetworkInterfaces", "iam:PassRole", "logs:GetLogEvents",
    }  # fmt: skip


def test_services_start_one_family_in_one_cluster() -> None:
    start = by_sid(dagster_policies.services_identity(ESTATE, NAMES))["StartRuns"]
    assert start["Resource"] == "arn:aws:ecs:us-east-1:209371858707:task-definition/run:*"
    assert start["Condition"] == {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:us-east-1:209371858707:cluster/cluster"}}


def test_roles_are_passed_to_ecs_only_and_only_the_runs_two() -> None:
    for document in (
        dagster_policies.services_identity(ESTATE, NAMES),
        dagster_policies.agent_identity(ESTATE, NAMES, NAMESPACE),
    ):
        passed = by_sid(document)["PassRoles"]
        assert {arn.rsplit("/", 1)[1] for arn in passed["Resource"]} == {"db-admin-report-orchestrator", "execution"}
        assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_the_code_location_reads_the_inventory_and_one_pointer_and_publishes_alerts() -> None:
    document = dagster_policies.code_location_identity(replace(ESTATE, inventory_parameter=None))
    assert set(allowed(document)) == {
        ("s3:GetObject", "arn:aws:s3:::evidence/inventory.yaml"),
        ("s3:GetObject", "arn:aws:s3:::evidence/reports/latest.json"),
        ("s3:ListBucket", "arn:aws:s3:::evidence"),
        ("kms:Decrypt", ESTATE.bucket_key_arn),
        ("sns:Publish", ESTATE.topic_arn),
        ("kms:Decrypt", ESTATE.topic_key_arn),
        ("kms:GenerateDataKey", ESTATE.topic_key_arn),
    }
    assert by_sid(document)["EncryptAlerts"]["Condition"]
    assert by_sid(document)["SeeLatestReport"]["Condition"] == {"StringEquals": {"s3:prefix": "reports/latest.json"}}
    in_parameters = dagster_policies.code_location_identity(replace(ESTATE, inventory_key=None))
    assert {"ssm:GetParameter", "ssm:GetParametersByPath"} < actions(in_parameters)


def test_execution_reads_one_secret_one_repository_and_writes_its_logs() -> None:
    document = dagster_policies.execution_identity(NAMES, repository_arn=REPOSITORY, secret_arn="s", key_arn="k")
    statements = by_sid(document)
    assert statements["PullImage"]["Resource"] == REPOSITORY
    assert statements["ReadDatabasePassword"]["Resource"] == "s"
    assert statements["DecryptDatabasePassword"]["Condition"]["StringEquals"] == {
        "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"
    }
    bare = dagster_policies.execution_identity(NAMES, repository_arn=REPOSITORY)
    assert not [a for a in actions(bare) if a.startswith(("secretsmanager", "kms"))]


def test_what_restarts_services_can_only_do_that() -> None:
    assert actions(dagster_policies.restart_identity(NAMES)) == {"ecs:UpdateService"}


def test_the_agent_changes_services_and_tasks_of_its_cluster_only() -> None:
    document = dagster_policies.agent_identity(ESTATE, NAMES, NAMESPACE)
    for statement in document["Statement"]:
        changing = [a for a in as_list(statement["Action"]) if not a.split(":")[1].startswith(("Describe", "List"))]
        if "*" in as_list(statement["Resource"]):
            assert changing == ["ecs:RegisterTaskDefinition"]
    assert not [a for a in actions(document) if a.startswith(("s3", "sts", "kms", "secretsmanager"))]
