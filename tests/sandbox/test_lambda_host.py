"""The Lambda host over the wire: boto3 in front, awslambdaric processes behind, permissions from the local AWS."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psutil
import pytest

from sandbox.stack import Sandbox
from tests.sandbox.acting import client, invoker, refusal, worker

ONE, OTHER = "100000000000", "100000000001"
NAME = "db-admin-report-worker"


@pytest.fixture(scope="module")
def functions(fault_sandbox: Sandbox) -> Any:
    return client(fault_sandbox, "lambda", invoker(fault_sandbox, ONE))


def invoke(functions: Any, event: dict[str, Any], **more: Any) -> tuple[Any, str | None]:
    answer = functions.invoke(FunctionName=NAME, Payload=json.dumps(event), **more)
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


def test_the_same_process_serves_again_while_it_is_warm(functions: Any) -> None:
    (first, _), (second, _) = invoke(functions, {}), invoke(functions, {})
    assert first["pid"] == second["pid"]
    assert second["invocations"] == first["invocations"] + 1
    assert 0 < second["remaining_ms"] <= 3000


def test_credentials_and_region_of_the_caller_choose_the_function(fault_sandbox: Sandbox) -> None:
    elsewhere = client(fault_sandbox, "lambda", invoker(fault_sandbox, OTHER), "eu-west-1")
    told, error = invoke(elsewhere, {})
    assert error is None
    assert told["arn"] == f"arn:aws:lambda:eu-west-1:{OTHER}:function:{NAME}"
    assert told["region"] == "eu-west-1"


def test_the_process_acts_as_the_functions_execution_role(functions: Any) -> None:
    identity, _ = invoke(
        functions, {"do": "call", "service": "sts", "operation": "get_caller_identity", "arguments": {}}
    )
    assert identity["Arn"] == f"arn:aws:sts::{ONE}:assumed-role/{NAME}/{NAME}"


def test_a_caller_without_the_permission_gets_403(fault_sandbox: Sandbox, functions: Any) -> None:
    as_worker = client(fault_sandbox, "lambda", worker(fault_sandbox, ONE))
    assert refusal(lambda: as_worker.invoke(FunctionName=NAME)) == (403, "AccessDeniedException")
    others = f"arn:aws:lambda:us-east-1:{OTHER}:function:{NAME}"
    assert refusal(lambda: functions.invoke(FunctionName=others)) == (403, "AccessDeniedException")
    assert refusal(lambda: functions.invoke(FunctionName="another")) == (403, "AccessDeniedException")
    orchestrator = client(fault_sandbox, "lambda", fault_sandbox.organization.orchestrator())
    assert refusal(lambda: orchestrator.invoke(FunctionName=NAME)) == (403, "AccessDeniedException")


def test_a_wrong_signature_gets_403(fault_sandbox: Sandbox) -> None:
    forged = invoker(fault_sandbox, ONE) | {"SecretAccessKey": "not-the-secret"}
    status, code = refusal(lambda: client(fault_sandbox, "lambda", forged).invoke(FunctionName=NAME))
    assert (status, code) == (403, "InvalidSignatureException")


def test_a_function_that_is_not_there_gets_404(fault_sandbox: Sandbox) -> None:
    root = fault_sandbox.organization.aws.client_as(
        "lambda", "us-east-1", {"AccessKeyId": ONE, "SecretAccessKey": "test"}, fault_sandbox.lambda_endpoint
    )
    assert refusal(lambda: root.invoke(FunctionName="absent")) == (404, "ResourceNotFoundException")
    assert refusal(lambda: root.invoke(FunctionName=NAME, Qualifier="7")) == (404, "ResourceNotFoundException")


def test_an_exception_of_the_handler_is_a_function_error(functions: Any) -> None:
    payload, error = invoke(functions, {"do": "raise"})
    assert (payload["errorType"], payload["errorMessage"], error) == ("ValueError", "asked for", "Unhandled")


def test_a_process_that_ends_is_reported_and_replaced(functions: Any) -> None:
    payload, error = invoke(functions, {"do": "exit"})
    assert (payload["errorType"], error) == ("Runtime.ExitError", "Unhandled")
    assert "exit status 7" in payload["errorMessage"]
    assert invoke(functions, {})[1] is None


def test_a_function_that_takes_too_long_is_killed(functions: Any) -> None:
    pid = invoke(functions, {})[0]["pid"]
    payload, error = invoke(functions, {"do": "sleep", "seconds": 60})
    assert (payload["errorType"], error) == ("Sandbox.Timedout", "Unhandled")
    assert not psutil.pid_exists(pid)


def test_a_response_above_six_megabytes_is_an_error(functions: Any) -> None:
    assert len(invoke(functions, {"do": "large", "bytes": 6_000_000})[0]) == 6_000_000
    payload, error = invoke(functions, {"do": "large", "bytes": 6_300_000})
    assert (payload["errorType"], error) == ("Function.ResponseSizeTooLarge", "Unhandled")


def test_a_request_above_six_megabytes_is_refused(functions: Any) -> None:
    big = json.dumps({"filler": "x" * 6_300_000})
    refused = refusal(lambda: functions.invoke(FunctionName=NAME, Payload=big))
    assert refused == (413, "RequestTooLargeException")


def test_a_payload_that_is_no_json_is_refused(functions: Any) -> None:
    refused = refusal(lambda: functions.invoke(FunctionName=NAME, Payload=b"{"))
    assert refused == (400, "InvalidRequestContentException")


def test_the_log_tail_is_given_when_asked_for(functions: Any) -> None:
    asked = functions.invoke(FunctionName=NAME, Payload=b'{"do": "print"}', LogType="Tail")
    asked["Payload"].read()
    text = base64.b64decode(asked["LogResult"]).decode()
    assert "START RequestId" in text
    assert "a line for the log\n" in text
    assert "LogResult" not in functions.invoke(FunctionName=NAME, Payload=b"{}")


def test_a_dry_run_asks_for_permission_only(fault_sandbox: Sandbox, functions: Any) -> None:
    assert functions.invoke(FunctionName=NAME, InvocationType="DryRun")["StatusCode"] == 204
    as_worker = client(fault_sandbox, "lambda", worker(fault_sandbox, ONE))
    refused = refusal(lambda: as_worker.invoke(FunctionName=NAME, InvocationType="DryRun"))
    assert refused == (403, "AccessDeniedException")


def test_an_event_invocation_is_refused_not_dropped(functions: Any) -> None:
    refused = refusal(lambda: functions.invoke(FunctionName=NAME, InvocationType="Event"))
    assert refused == (400, "InvalidParameterValueException")


def test_the_configuration_names_version_and_code(fault_sandbox: Sandbox, functions: Any) -> None:
    configuration = functions.get_function_configuration(FunctionName=NAME)
    assert configuration["Version"] == "$LATEST"
    assert len(base64.b64decode(configuration["CodeSha256"])) == 32
    as_worker = client(fault_sandbox, "lambda", worker(fault_sandbox, ONE))
    refused = refusal(lambda: as_worker.get_function_configuration(FunctionName=NAME))
    assert refused == (403, "AccessDeniedException")


def test_reserved_concurrency_is_answered_with_429(fault_sandbox: Sandbox) -> None:
    function = next(
        f for f in fault_sandbox.organization.functions if f.account_id == OTHER and f.region == "us-east-1"
    )
    fault_sandbox.deploy(replace(function, concurrency=1))
    functions = client(fault_sandbox, "lambda", invoker(fault_sandbox, OTHER))
    with ThreadPoolExecutor(3) as pool:
        event = json.dumps({"do": "sleep", "seconds": 1})
        calls = [
            pool.submit(refusal, lambda: functions.invoke(FunctionName=NAME, Payload=event)["Payload"].read())
            for _ in range(3)
        ]
    assert sorted(call.result() for call in calls) == [(200, ""), *[(429, "TooManyRequestsException")] * 2]
