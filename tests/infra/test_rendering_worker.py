"""What a worker stack must have: the function where its databases are, its least rights, its alarms."""

from __future__ import annotations

import json

from tests.infra.recording import Stack, as_list


def test_the_function_is_the_package_on_arm_in_the_vpc_of_its_databases(worker: Stack) -> None:
    function = worker.one("lambda/function:Function").inputs
    assert (function["runtime"], function["architectures"]) == ("python3.12", ["arm64"])
    assert function["handler"] == "worker_lambda.handler.handler"
    assert function["timeout"] == 600
    assert function["reservedConcurrentExecutions"] == 10
    assert function["vpcConfig"]["subnetIds"] == ["subnet-00a", "subnet-00b"]
    retries = worker.one("lambda/functionEventInvokeConfig:FunctionEventInvokeConfig").inputs
    assert retries["maximumRetryAttempts"] == 0


def test_it_gets_out_to_its_databases_ports_and_to_https_only(worker: Stack) -> None:
    rules = worker.of("vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    ports = {rule.inputs["fromPort"] for rule in rules}
    assert ports == {443, 1433, 3306, 3307}
    assert all(rule.inputs["fromPort"] == rule.inputs["toPort"] for rule in rules)


def test_the_workers_role_reads_its_secrets_and_becomes_its_writer(worker: Stack) -> None:
    policy = _identity(worker, "worker")
    secrets = next(s for s in policy["Statement"] if s["Sid"] == "ReadDatabaseSecrets")
    assert all(f":{worker.account_id}:secret:" in arn for arn in as_list(secrets["Resource"]))
    writer = next(s for s in policy["Statement"] if s["Sid"] == "BecomeOwnWriter")
    assert as_list(writer["Resource"])[0].endswith(f":role/db-admin-report-writer-{worker.account_id}")
    connect = next(s for s in policy["Statement"] if s["Sid"] == "ConnectAsReader")
    assert all(arn.endswith("/db_admin_report") for arn in as_list(connect["Resource"]))
    assert not [s for s in policy["Statement"] if s["Sid"] == "DiscoverDatabases"]


def test_discovery_is_there_only_where_it_is_asked_for(full_stacks: list[Stack]) -> None:
    asked = [s for s in full_stacks if s.name.startswith("worker-")]
    assert asked
    for stack in asked:
        assert [s for s in _identity(stack, "worker")["Statement"] if s["Sid"] == "DiscoverDatabases"]


def test_the_invoker_is_made_once_per_account(demo_stacks: list[Stack]) -> None:
    makers: dict[str, int] = {}
    for stack in demo_stacks[1:]:
        invokers = [r for r in stack.of("iam/role:Role") if r.inputs["name"] == "db-admin-report-invoker"]
        makers[stack.account_id] = makers.get(stack.account_id, 0) + len(invokers)
    assert set(makers.values()) == {1}
    assert len(makers) == 8


def test_endpoints_are_made_where_they_are_asked_for(worker: Stack, full_stacks: list[Stack]) -> None:
    assert not worker.of("ec2/vpcEndpoint:VpcEndpoint")
    services = {
        endpoint.inputs["serviceName"].rsplit(".", 1)[1]
        for stack in full_stacks
        for endpoint in stack.of("ec2/vpcEndpoint:VpcEndpoint")
    }
    assert services == {"secretsmanager", "sts", "logs", "kms", "rds", "ec2", "monitoring", "s3"}


def test_every_worker_alarm_says_what_to_do(demo_stacks: list[Stack]) -> None:
    for stack in demo_stacks[1:]:
        alarms = stack.of("cloudwatch/metricAlarm:MetricAlarm")
        assert len(alarms) >= 4
        assert all("docs/runbook.md" in alarm.inputs["alarmDescription"] for alarm in alarms)


def _identity(stack: Stack, what: str) -> dict[str, list[dict[str, object]]]:
    policy = next(
        p for p in stack.of("iam/rolePolicy:RolePolicy")
        if p.inputs["role"].startswith(f"db-admin-report-{what}") and p.inputs["name"] != "keep-security-logs"
    )  # fmt: skip
    document: dict[str, list[dict[str, object]]] = json.loads(policy.inputs["policy"])
    return document
