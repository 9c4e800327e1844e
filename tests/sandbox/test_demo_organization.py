"""The demo's organization with the real worker: from the orchestrator's session to the object in the bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from dbadmin_assets.inventory import parse_inventory
from sandbox.organization import BUCKET, EXTERNAL_ID
from sandbox.plan import LEDGER, LEGACY, PAYMENTS, demo_plan
from sandbox.stack import Sandbox
from tests.sandbox.acting import client, invoker, refusal
from worker_lambda.contract import DatabaseTarget, Reason, ResultLocation, WorkerRequest, collection_key

FUNCTION = "db-admin-report-worker"


def request_for(sandbox: Sandbox, account_id: str, region: str, collection_id: str, attempt: int = 1) -> WorkerRequest:
    """The event that the orchestrator would send, from the published inventory."""
    document = yaml.safe_load(sandbox.inventory_file.read_text())
    declared = document["accounts"][account_id]["regions"][region]["databases"]
    databases = tuple(
        DatabaseTarget(**{"secret": f"db-admin-report/{d['name']}", **d}) for d in declared if "exclude" not in d
    )
    estate = sandbox.organization.estate
    writer = estate.role_arn(estate.central_account_id, estate.writer_role_for(account_id))
    key = collection_key(collection_id, account_id, region, attempt)
    location = ResultLocation(BUCKET, key, sandbox.region, writer, EXTERNAL_ID)
    return WorkerRequest(collection_id, "run-1", attempt, account_id, region, location, databases)


def collect(sandbox: Sandbox, request: WorkerRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the worker's response, the object it wrote)."""
    functions = client(sandbox, "lambda", invoker(sandbox, request.account_id), request.region)
    answer = functions.invoke(FunctionName=FUNCTION, Payload=json.dumps(request.to_event()), LogType="Tail")
    response = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, response
    assert response["status"] == "success", response
    stored = sandbox.as_orchestrator("s3").get_object(Bucket=BUCKET, Key=request.result.key)
    return response, json.loads(stored["Body"].read())


@pytest.mark.parametrize(
    ("account_id", "region", "statuses"),
    [
        (PAYMENTS, "us-east-1", {"payments-mysql-01": "complete"}),
        (PAYMENTS, "eu-west-1", {"payments-mssql-01": "complete"}),
        (LEDGER, "us-east-1", {"ledger-mssql-rds": "complete", "ledger-reporting": "failed"}),
        (LEDGER, "eu-west-1", {"ledger-mariadb-01": "complete"}),
    ],
)
def test_the_real_worker_delivers_what_it_read(
    demo_sandbox: Sandbox, account_id: str, region: str, statuses: dict[str, str]
) -> None:
    response, stored = collect(demo_sandbox, request_for(demo_sandbox, account_id, region, "c-demo"))
    assert {c["name"]: c["status"] for c in stored["databaseConnections"]} == statuses, stored["errors"]
    assert response["accountId"] == stored["accountId"] == account_id
    rows = [u for u in stored["adminUsers"] if u["excluded_by_policy"] is None]
    assert response["dataCount"] == len(rows) > 0
    assert {u["database_name"] for u in stored["adminUsers"]} == {n for n, s in statuses.items() if s == "complete"}


def test_the_refused_password_is_the_reason(demo_sandbox: Sandbox) -> None:
    _, stored = collect(demo_sandbox, request_for(demo_sandbox, LEDGER, "us-east-1", "c-refused"))
    assert [(e["database_name"], e["reason"]) for e in stored["errors"]] == [
        ("ledger-reporting", Reason.AUTHENTICATION_FAILED)
    ]


def test_a_worker_cannot_be_made_to_write_for_another_account(demo_sandbox: Sandbox) -> None:
    request = request_for(demo_sandbox, PAYMENTS, "eu-west-1", "c-forged").to_event()
    estate = demo_sandbox.organization.estate
    forged = collection_key("c-forged", LEDGER, "eu-west-1", 1)
    functions = client(demo_sandbox, "lambda", invoker(demo_sandbox, PAYMENTS), "eu-west-1")
    for role in (PAYMENTS, LEDGER):
        writer = estate.role_arn(estate.central_account_id, estate.writer_role_for(role))
        result = request["result"] | {"key": forged, "writer_role_arn": writer}
        answer = functions.invoke(FunctionName=FUNCTION, Payload=json.dumps(request | {"result": result}))
        response = json.loads(answer["Payload"].read())
        assert response["status"] == "failure", response
    head = refusal(lambda: demo_sandbox.as_orchestrator("s3").head_object(Bucket=BUCKET, Key=forged))
    assert head[0] == 404


def test_the_invoker_of_the_legacy_account_cannot_be_assumed(demo_sandbox: Sandbox) -> None:
    assert refusal(lambda: invoker(demo_sandbox, LEGACY)) == (403, "AccessDenied")


def test_the_published_inventory_is_valid(demo_sandbox: Sandbox) -> None:
    parsed = parse_inventory(demo_sandbox.inventory_file.read_bytes(), "inventory.yaml")
    assert {(t.account_id, t.region) for t in parsed.targets()} == set(demo_plan().targets)


def test_the_demo_plants_exactly_two_failures_one_exclusion_and_one_database_that_nobody_declared() -> None:
    plan = demo_plan()
    refused = [d.name for d in plan.databases if d.wrong_password]
    unreachable = [d.name for d in plan.databases if d.account_id in plan.unassumable]
    assert (refused, unreachable) == (["ledger-reporting"], ["legacy-erp"])
    assert [d.name for d in plan.databases if d.exclude] == ["payments-scratch"]
    assert [d.identifier for d in plan.undeclared] == ["payments-archive"]
    assert len(plan.accounts) == 3
    assert len({region for _, region in plan.targets}) == 2
