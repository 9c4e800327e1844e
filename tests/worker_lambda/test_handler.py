"""The Lambda's entry: whatever happens, an answer that says whether the object was delivered."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from worker_lambda.contract import DatabaseTarget, ResultLocation, WorkerRequest
from worker_lambda.handler import handler

KEY = "collections/c-1/111111111111/us-east-1/1.json"


class Context:
    """Lambda's context, with a minute left."""

    function_version = "7"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="evidence")
        secret = json.dumps({"username": "reader", "password": "hunter2"})
        boto3.client("secretsmanager", region_name="us-east-1").create_secret(Name="db/orders", SecretString=secret)
        yield client


def event(bucket: str = "evidence") -> dict[str, Any]:
    """One database, at a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = ResultLocation(bucket, KEY, "us-east-1", "arn:aws:iam::209371858707:role/writer", "ext-1")
    database = DatabaseTarget("orders", "mysql", "127.0.0.1", port, secret="db/orders", tls="off")
    return WorkerRequest("c-1", "run-1", 1, "111111111111", "us-east-1", place, (database,)).to_event()


def test_a_delivered_object_is_a_success_although_its_database_failed(s3: Any) -> None:
    answer = handler(event(), Context())
    data = s3.get_object(Bucket="evidence", Key=KEY)["Body"].read()
    assert (answer["status"], answer["s3Location"]) == ("success", f"s3://evidence/{KEY}")
    assert (answer["sha256"], answer["sizeBytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
    assert answer["errorMessage"] == "orders: Connection Failed: Connection refused"
    collection = json.loads(data)
    assert (collection["runId"], collection["functionVersion"]) == ("run-1", "7")


def test_an_object_is_written_once(s3: Any) -> None:
    s3.put_object(Bucket="evidence", Key=KEY, Body=b"first")
    answer = handler(event(), Context())
    assert answer["status"] == "failure"
    assert "PreconditionFailed on s3:PutObject" in answer["errorMessage"]
    assert s3.get_object(Bucket="evidence", Key=KEY)["Body"].read() == b"first"


def test_a_bucket_that_refuses_is_a_failure_that_names_the_key(s3: Any) -> None:
    answer = handler(event(bucket="nowhere"), Context())
    assert (answer["status"], answer["errorMessage"]) == (
        "failure",
        f"NoSuchBucket on s3:PutObject of s3://nowhere/{KEY}",
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"account_id": 111111111111}, "event.account_id is int, not str"),
        ({"schema_version": "9"}, "schema_version is '9', this worker speaks '1'"),
        ({"discover_tag": "a*\n"}, "event.discover_tag has a form that is not allowed"),
        ({"unheard_of": 1}, "event.unheard_of is not known"),
        ({"databases": [{"name": "x", "engine": "oracle"}]}, "databases[0].engine is 'oracle'"),
        ({"databases": [{"name": "x", "engine": "mysql", "host": "a b"}]}, "databases[0].host has a form"),
        ({"result": {}}, "result.bucket is missing"),
    ],
)
def test_a_bad_event_is_refused_with_every_problem_and_no_exception(change: dict[str, Any], problem: str) -> None:
    answer = handler(event() | change, Context())
    assert answer["status"] == "failure"
    assert problem in answer["errorMessage"]


def test_an_event_that_is_no_object_is_refused() -> None:
    assert handler(["x"], Context())["errorMessage"] == "the event is not valid: the event is list, not an object"


def test_log_lines_are_json_with_the_run_and_without_secret_or_account_names(
    s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    handler(event(), Context())
    printed = capsys.readouterr().out
    lines = [json.loads(line) for line in printed.splitlines()]
    assert {line["correlation_id"] for line in lines if "level" in line} == {"run-1"}
    (metrics,) = [line for line in lines if "_aws" in line]
    assert (metrics["Databases"], metrics["FailedDatabases"], metrics["AccountId"]) == (1, 1, "111111111111")
    assert "hunter2" not in printed
    assert "reader" not in printed


def test_importing_the_handler_loads_neither_boto3_nor_a_driver() -> None:
    """Cold starts: what a target does not need is not imported."""
    heavy = "{'boto3', 'pymysql', 'pymssql', 'worker_lambda.discovery'}"
    check = f"import worker_lambda.handler, sys; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def test_without_being_asked_the_worker_looks_for_nothing(s3: Any) -> None:
    handler(event(), Context())
    collection = json.loads(s3.get_object(Bucket="evidence", Key=KEY)["Body"].read())
    assert collection["discovery"] == {"status": "off", "reason": None, "at": None, "found": []}


def test_what_runs_beside_the_databases_asked_for_is_in_the_object(s3: Any) -> None:
    boto3.client("rds", region_name="us-east-1").create_db_instance(
        DBInstanceIdentifier="archive", Engine="mysql", DBInstanceClass="db.m5.large", AllocatedStorage=20,
        MasterUsername="root", MasterUserPassword="password12",
    )  # fmt: skip
    answer = handler(event() | {"discover_tag": "db-admin-report:engine"}, Context())
    collection = json.loads(s3.get_object(Bucket="evidence", Key=KEY)["Body"].read())
    assert (answer["status"], collection["discovery"]["status"]) == ("success", "complete")
    assert [item["identifier"] for item in collection["discovery"]["found"]] == ["archive"]


def test_a_database_that_refused_has_the_address_that_its_secret_holds(s3: Any) -> None:
    asked = event()
    port = asked["databases"][0].pop("port")
    login = {"username": "reader", "password": "x", "host": asked["databases"][0].pop("host"), "port": port}
    boto3.client("secretsmanager", region_name="us-east-1").put_secret_value(
        SecretId="db/orders", SecretString=json.dumps(login)
    )
    handler(asked, Context())
    (connection,) = json.loads(s3.get_object(Bucket="evidence", Key=KEY)["Body"].read())["databaseConnections"]
    assert (connection["status"], connection["host"], connection["port"]) == ("failed", "127.0.0.1", port)
