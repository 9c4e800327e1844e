"""What can happen to a target, over real HTTP: each ends as an outcome with its reason."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.fake_aws import Answer
from dbadmin_assets.inventory import Inventory, Target
from dbadmin_assets.resources.accounts import AwsAccounts, signed_by
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.resources.worker import Limits, WorkerLambda
from dbadmin_assets.review.records import Outcome, WorkerFunction
from tests.dbadmin_assets.fakes import FaultyAws, succeed


def collect(worker: WorkerLambda, inventory: Inventory, key: str = "222222222222|us-east-1") -> Outcome:
    target = next(t for t in inventory.targets() if t.key == key)
    return worker.collect(target, collection_id="c-1", run_id="run-1")


def test_code_that_may_not_be_read_is_told_and_the_worker_asked_all_the_same(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = FaultyAws.answer

    async def denied(aws: FaultyAws, method: str, target: str, *rest: Any) -> Answer:
        if target.endswith("/configuration"):
            body = json.dumps({"message": "no"}).encode()
            return Answer(body, 403, {"x-amzn-ErrorType": "AccessDeniedException"})
        return await ask(aws, method, target, *rest)

    monkeypatch.setattr(FaultyAws, "answer", denied)
    outcome = collect(worker, inventory)
    assert outcome.status == "complete"
    assert outcome.function and outcome.function.reason == "AccessDeniedException: no"


def error(status: int, code: str) -> Any:
    async def behave(aws: FaultyAws, event: dict[str, Any]) -> Answer:
        return Answer(json.dumps({"message": "said so"}).encode(), status, {"x-amzn-ErrorType": code})

    return behave


def function_error(kind: str, text: str) -> Any:
    async def behave(aws: FaultyAws, event: dict[str, Any]) -> Answer:
        body = json.dumps({"errorType": kind, "errorMessage": text}).encode()
        return Answer(body, 200, {"X-Amz-Function-Error": "Unhandled"})

    return behave


def answer(**changes: Any) -> Any:
    """Deliver, but answer with these fields changed."""

    async def behave(aws: FaultyAws, event: dict[str, Any]) -> Answer:
        return Answer(json.dumps(aws.deliver(event) | changes).encode())

    return behave


def raw(body: bytes) -> Any:
    async def behave(aws: FaultyAws, event: dict[str, Any]) -> Answer:
        return Answer(body)

    return behave


async def cut_the_line(aws: FaultyAws, event: dict[str, Any]) -> None:
    return None


def test_a_collected_target_is_complete_with_its_object(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    outcome = collect(worker, inventory)
    assert (outcome.status, outcome.attempts, outcome.reason) == ("complete", 1, None)
    assert outcome.object and outcome.object.key == "collections/c-1/222222222222/us-east-1/1.json"
    assert outcome.function == WorkerFunction(name="db-admin-report-worker", version="$LATEST", code_sha256="ZmFrZQ==")
    assert [(d.name, d.status, d.users) for d in outcome.databases] == [
        ("cart", "complete", 100),
        ("shop", "complete", 100),
    ]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (error(429, "TooManyRequestsException"), "Worker Failed: Throttled"),
        (error(500, "ServiceException"), "Worker Failed: Invalid answer"),
        (function_error("Runtime.ExitError", "Runtime exited"), "Worker Failed: Invalid answer"),
        (function_error("Sandbox.Timedout", "Task timed out after 3.00 seconds"), "Worker Failed: Timed out"),
    ],
)
def test_what_a_retry_can_change_is_tried_three_times_more(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory, fault: Any, reason: str
) -> None:
    fake_aws.script = [fault]
    outcome = collect(worker, inventory)
    assert (outcome.status, outcome.reason, outcome.attempts) == ("failed", reason, 4)
    assert [e["attempt"] for e in fake_aws.events] == [1, 2, 3, 4]
    assert {d.reason for d in outcome.databases} == {reason}


def test_a_retry_that_succeeds_is_a_success(fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory) -> None:
    fake_aws.script = [error(429, "TooManyRequestsException"), error(503, "ServiceException"), succeed]
    outcome = collect(worker, inventory)
    assert (outcome.status, outcome.attempts) == ("complete", 3)
    assert outcome.object and outcome.object.key.endswith("/3.json")


@pytest.mark.parametrize(
    "fault",
    [
        function_error("OperationalError", "Access denied for user 'carol'@'%'"),
        function_error("KeyError", "'carol'"),
        raw(b"carol is no JSON"),
        raw(b'{"status": "carol", "accountId": "carol"}'),
    ],
)
def test_no_text_that_may_name_an_account_comes_out_of_a_broken_worker(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory, fault: Any
) -> None:
    fake_aws.script = [fault]
    outcome = collect(worker, inventory)
    assert outcome.status == "failed"
    assert outcome.detail
    assert "carol" not in outcome.detail


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (error(403, "AccessDeniedException"), "AccessDeniedException on lambda:InvokeFunction"),
        (error(404, "ResourceNotFoundException"), "ResourceNotFoundException"),
        (function_error("KeyError", "'x'"), "the function failed with KeyError"),
        (function_error("Runtime.ImportModuleError", "No module named 'x'"), "ImportModuleError: No module named 'x'"),
        (raw(b"<html>Bad Gateway</html>"), "no JSON object"),
        (raw(b"x" * 7_000_000), "larger than"),
        (raw(b"[]"), "no JSON object"),
    ],
)
def test_what_a_retry_cannot_change_is_tried_once(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory, fault: Any, detail: str
) -> None:
    fake_aws.script = [fault]
    outcome = collect(worker, inventory)
    assert (outcome.reason, outcome.attempts) == ("Worker Failed: Invalid answer", 1)
    assert detail in (outcome.detail or "")


def test_a_worker_that_could_not_deliver_says_why(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    refusal = {"accountId": "222222222222", "status": "failure", "errorMessage": "AccessDenied on the writer role"}
    fake_aws.script = [raw(json.dumps(refusal).encode())]
    outcome = collect(worker, inventory)
    assert outcome.reason == "Worker Failed: Result missing"
    assert "writer role" in (outcome.detail or "")


@pytest.mark.parametrize("changes", [{"accountId": "111111111111"}, {"collectionId": "c-0"}, {"attempt": 9}])
def test_an_answer_for_something_else_is_a_failure_although_an_object_is_there(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory, changes: dict[str, Any]
) -> None:
    fake_aws.script = [answer(**changes)]
    outcome = collect(worker, inventory)
    assert outcome.reason == "Worker Failed: Invalid answer"
    assert next(iter(changes)) in (outcome.detail or "")


def test_a_function_that_timed_out_after_it_delivered_is_a_success(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    async def late(fake_aws: FaultyAws, event: dict[str, Any]) -> Answer:
        fake_aws.deliver(event)
        answered: Answer = await function_error("Sandbox.Timedout", "Task timed out")(fake_aws, event)
        return answered

    fake_aws.script = [late]
    assert collect(worker, inventory).status == "complete"


def test_success_without_an_object_is_a_failure(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    async def lie(fake_aws: FaultyAws, event: dict[str, Any]) -> Answer:
        said = fake_aws.deliver(event)
        fake_aws.objects.clear()
        return Answer(json.dumps(said).encode())

    fake_aws.script = [lie]
    outcome = collect(worker, inventory)
    assert outcome.reason == "Worker Failed: Result missing"
    assert "collections/c-1/222222222222/us-east-1/1.json does not exist" in (outcome.detail or "")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (lambda data: data[: len(data) // 2], "sha256"),
        (lambda data: data.replace(b'"c-1"', b'"c-0"'), "sha256"),
    ],
)
def test_an_object_that_is_short_or_was_changed_is_a_failure(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory, change: Any, detail: str
) -> None:
    async def damage(fake_aws: FaultyAws, event: dict[str, Any]) -> Answer:
        said = fake_aws.deliver(event)
        fake_aws.objects = {key: change(data) for key, data in fake_aws.objects.items()}
        return Answer(json.dumps(said).encode())

    fake_aws.script = [damage]
    outcome = collect(worker, inventory)
    assert outcome.reason == "Worker Failed: Invalid answer"
    assert detail in (outcome.detail or "")


def test_a_broken_call_whose_worker_delivers_later_is_one_attempt(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    async def deliver_later(fake_aws: FaultyAws, event: dict[str, Any]) -> None:
        asyncio.get_running_loop().call_later(0.3, fake_aws.deliver, event)

    fake_aws.script = [deliver_later]
    outcome = collect(worker, inventory)
    assert (outcome.status, outcome.attempts, len(fake_aws.events)) == ("complete", 1, 1)


def test_an_answer_that_is_cut_short_does_not_undo_what_was_delivered(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    async def cut_short(aws: FaultyAws, event: dict[str, Any]) -> Answer:
        said = json.dumps(aws.deliver(event)).encode()
        return Answer(said[:20], announced=len(said))

    fake_aws.script = [cut_short]
    outcome = collect(worker, inventory)
    assert (outcome.status, outcome.attempts, outcome.detail) == ("complete", 1, None)


def test_an_object_that_cannot_be_read_to_its_end_is_a_failure_of_that_target_only(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    fake_aws.cut_downloads = True
    outcome = collect(worker, inventory)
    assert outcome.reason == "Worker Failed: Result missing"
    assert "cannot read s3://evidence/collections/c-1/222222222222/us-east-1/1.json: " in (outcome.detail or "")


def test_a_broken_call_without_a_result_is_over_only_after_the_functions_time(
    fake_aws: FaultyAws, accounts: AwsAccounts, store: EvidenceStore, inventory: Inventory
) -> None:
    waited: list[float] = []
    limits = Limits(attempt_timeout_seconds=2, target_timeout_seconds=30, max_retries=1)
    worker = WorkerLambda(accounts, store, bucket_region="us-east-1", limits=limits, sleep=sleep_into(waited))
    fake_aws.script = [cut_the_line]
    outcome = collect(worker, inventory)
    assert (outcome.reason, outcome.attempts) == ("Worker Failed: Timed out", 2)
    assert sum(waited) >= 2.0


def sleep_into(waited: list[float]) -> Any:
    def sleep(seconds: float) -> None:
        waited.append(seconds)
        threading.Event().wait(max(seconds, 0))

    return sleep


def test_a_role_that_cannot_be_assumed_is_not_retried(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    fake_aws.sts_errors = ["AccessDenied"]
    outcome = collect(worker, inventory)
    assert (outcome.reason, outcome.attempts, fake_aws.events) == ("Worker Failed: Cannot assume role", 0, [])
    assert outcome.detail == (
        "AccessDenied on sts:AssumeRole of arn:aws:iam::222222222222:role/db-admin-report-invoker"
    )


def test_sts_throttling_is_survived(fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory) -> None:
    fake_aws.sts_errors = ["Throttling", "Throttling"]
    assert collect(worker, inventory).status == "complete"
    assert len(fake_aws.sts_calls) == 3


def test_a_role_is_assumed_once_per_account_with_external_id_and_run_id(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    collect(worker, inventory, "111111111111|us-east-1")
    collect(worker, inventory, "111111111111|eu-west-1")
    (call,) = fake_aws.sts_calls
    assert call["ExternalId"] == ["ext-1"]
    assert call["RoleSessionName"] == ["db-admin-report-run-1"]


def test_no_more_than_the_limit_of_an_account_are_under_way(
    fake_aws: FaultyAws, accounts: AwsAccounts, store: EvidenceStore, inventory: Inventory
) -> None:
    fake_aws.worker_seconds = 0.2
    worker = WorkerLambda(accounts, store, bucket_region="us-east-1", limits=Limits(max_per_account=1))
    keys = ("111111111111|us-east-1", "111111111111|eu-west-1")
    threads = [threading.Thread(target=collect, args=(worker, inventory, key)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(fake_aws.events), fake_aws.most_running) == (2, 1)


def test_idle_connections_are_probed_before_nat_drops_them(fake_aws: FaultyAws, accounts: AwsAccounts) -> None:
    import socket

    credentials = accounts.credentials("111111111111", "r", None)
    client = accounts.lambda_client("us-east-1", 60)
    with signed_by(credentials):
        client.invoke(FunctionName="f", Payload=b'{"result": {"bucket": "b", "key": "k"}, "databases": [], '
                      b'"schema_version": "1", "collection_id": "c", "run_id": "r", "attempt": 1, '
                      b'"account_id": "111111111111", "region": "us-east-1"}')["Payload"].read()  # fmt: skip
    manager = client._endpoint.http_session._manager  # type: ignore[attr-defined]
    pool = manager.connection_from_url(client.meta.endpoint_url)
    connection = pool._get_conn()
    assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 120
    connection.close()


def looking(inventory: Inventory) -> Target:
    target = next(t for t in inventory.targets() if t.key == "222222222222|us-east-1")
    return replace(target, worker=replace(target.worker, discover=True))


async def refuse_as_before_discovery(aws: FaultyAws, event: dict[str, Any]) -> Answer:
    if "discover_tag" not in event:
        return await succeed(aws, event)
    said = {"status": "failure", "errorMessage": "the event is not valid: event.discover_tag is not known"}
    return Answer(json.dumps({"accountId": "", "region": "", **said}).encode())


def test_a_worker_is_asked_to_look_only_where_the_inventory_says_so(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    collect(worker, inventory)
    worker.collect(looking(inventory), collection_id="c-2", run_id="run-1")
    assert [event.get("discover_tag") for event in fake_aws.events] == [None, "db-admin-report:engine"]


def test_a_worker_from_before_discovery_still_collects(
    fake_aws: FaultyAws, worker: WorkerLambda, inventory: Inventory
) -> None:
    fake_aws.script = [refuse_as_before_discovery]
    outcome = worker.collect(looking(inventory), collection_id="c-1", run_id="run-1")
    assert (outcome.status, outcome.attempts) == ("complete", 1)
    assert [event["attempt"] for event in fake_aws.events] == [1, 1]
