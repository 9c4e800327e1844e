"""What AWS lists: everything of it, page by page, and what could not be asked is said and costs nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError, NoRegionError
from botocore.stub import ANY, Stubber
from moto import mock_aws

from worker_lambda import discovery
from worker_lambda.contract import DISCOVER_TAG, ResultLocation, WorkerRequest
from worker_lambda.discovery import begin
from worker_lambda.discovery_lists import clusters_and_instances
from worker_lambda.result_object import Discovery

REGION = "us-east-1"
ARN = "arn:aws:rds:us-east-1:111111111111"


def request(tag: str = DISCOVER_TAG) -> WorkerRequest:
    place = ResultLocation("bucket", "collections/c/111111111111/us-east-1/1.json", REGION, "arn")
    return WorkerRequest("c", "r", 1, "111111111111", REGION, place, (), discover_tag=tag)


def look(client: Callable[[str], Any] | None = None, *, seconds: float = 60, tag: str = DISCOVER_TAG) -> Discovery:
    return begin(request(tag), time.monotonic() + seconds, client=client)()


def plain(service: str) -> Any:
    return boto3.client(service, REGION, aws_access_key_id="test", aws_secret_access_key="test")  # type: ignore[call-overload]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def instance(name: str, engine: str = "mysql", **other: Any) -> dict[str, Any]:
    """An item of DescribeDBInstances."""
    place = {"Endpoint": {"Address": f"{name}.hash.us-east-1.rds.amazonaws.com", "Port": 3306}}
    state = {"DBInstanceStatus": "available", "DBInstanceArn": f"{ARN}:db:{name}"}
    return {"DBInstanceIdentifier": name, "Engine": engine, **state, **place, **other}


def cluster(name: str, engine: str = "aurora-mysql", **other: Any) -> dict[str, Any]:
    """An item of DescribeDBClusters."""
    ends = {"Endpoint": f"{name}.cluster-h.rds", "ReaderEndpoint": f"{name}.cluster-ro-h.rds", "Port": 3306}
    return {"DBClusterIdentifier": name, "Engine": engine, "DBClusterArn": f"{ARN}:cluster:{name}", **ends, **other}


class Answers:
    """Clients that answer as told: pages by operation, or the error that an operation meets."""

    def __init__(self, **operations: Any) -> None:
        self.operations = operations

    def __call__(self, service: str) -> Any:
        client = plain(service)
        stub = Stubber(client)
        mine = {"rds": ("describe_db_clusters", "describe_db_instances"), "ec2": ("describe_instances",)}[service]
        for operation in mine:
            pages = self.operations.get(operation, [[]])
            if isinstance(pages, str):
                stub.add_client_error(operation, pages, http_status_code=403)
                continue
            for number, items in enumerate(pages):
                stub.add_response(operation, self._page(operation, items, number, len(pages)))
        stub.activate()
        return client

    @staticmethod
    def _page(operation: str, items: list[Any], number: int, of: int) -> dict[str, Any]:
        member = {"describe_db_clusters": "DBClusters", "describe_db_instances": "DBInstances"}
        key, token = (member[operation], "Marker") if operation in member else ("Reservations", "NextToken")
        return {key: items} | ({token: f"page-{number + 1}"} if number + 1 < of else {})


def test_every_page_of_the_instances_is_read(aws: None) -> None:
    rds = plain("rds")
    names = [f"db-{n:03d}" for n in range(130)]  # a page of RDS has 100
    for name in names:
        rds.create_db_instance(
            DBInstanceIdentifier=name, Engine="mysql", DBInstanceClass="db.m5.large", AllocatedStorage=20,
            MasterUsername="root", MasterUserPassword="password12",
        )  # fmt: skip
    found = look()
    assert (found["status"], found["reason"]) == ("complete", None)
    assert [item["identifier"] for item in found["found"]] == names
    assert {item["port"] for item in found["found"]} == {3306}


def test_clusters_and_hosts_are_read_from_page_to_page(aws: None) -> None:
    pages = [[cluster("a"), cluster("b")], [cluster("c")]]
    assert [item["identifier"] for item in look(Answers(describe_db_clusters=pages))["found"]] == ["a", "b", "c"]
    tagged = {"Tags": [{"Key": DISCOVER_TAG, "Value": "mssql"}], "State": {"Name": "running"}}
    hosts = [[{"OwnerId": "1", "Instances": [{"InstanceId": f"i-{n}", **tagged}]}] for n in range(3)]
    assert [item["identifier"] for item in look(Answers(describe_instances=hosts))["found"]] == ["i-0", "i-1", "i-2"]


def test_engines_that_this_tool_reads_are_found_under_their_own_product_names() -> None:
    wanted = {
        "mysql": "mysql", "mariadb": "mysql", "aurora-mysql": "mysql", "aurora": "mysql",
        "sqlserver-ee": "mssql", "sqlserver-se": "mssql", "sqlserver-ex": "mssql", "sqlserver-web": "mssql",
        "sqlserver-dev-ee": "mssql", "custom-sqlserver-ee": "mssql", "custom-sqlserver-se": "mssql",
    }  # fmt: skip
    others = ["postgres", "aurora-postgresql", "oracle-ee", "db2-se", "docdb", "neptune", "custom-oracle-ee"]
    items = [instance(f"db-{product}", product) for product in (*wanted, *others)]
    found = look(Answers(describe_db_instances=[items]))["found"]
    assert {item["product"]: item["engine"] for item in found} == wanted


def test_the_instances_of_a_cluster_are_addresses_of_it_and_a_read_replica_is_a_database_of_its_own() -> None:
    members = [instance(f"orders-{n}", "aurora-mysql", DBClusterIdentifier="orders") for n in (1, 2)]
    replica = instance("ledger-replica", ReadReplicaSourceDBInstanceIdentifier="ledger")
    orders = cluster("orders", CustomEndpoints=["orders.cluster-custom-h.rds"])
    answers = Answers(describe_db_clusters=[[orders]], describe_db_instances=[[*members, instance("ledger"), replica]])
    found = {item["identifier"]: item for item in look(answers)["found"]}
    assert sorted(found) == ["ledger", "ledger-replica", "orders"]
    assert (found["orders"]["kind"], found["orders"]["host"]) == ("cluster", "orders.cluster-h.rds")
    assert found["orders"]["addresses"] == [
        "orders-1.hash.us-east-1.rds.amazonaws.com", "orders-2.hash.us-east-1.rds.amazonaws.com",
        "orders.cluster-custom-h.rds", "orders.cluster-ro-h.rds",
    ]  # fmt: skip


def test_an_instance_whose_cluster_may_not_be_listed_stands_alone() -> None:
    answers = Answers(
        describe_db_clusters="AccessDenied",
        describe_db_instances=[[instance("orders-1", "aurora-mysql", DBClusterIdentifier="orders")]],
    )
    answer = look(answers)
    assert (answer["status"], answer["reason"]) == ("failed", "AccessDenied on rds:DescribeDBClusters")
    assert [item["identifier"] for item in answer["found"]] == ["orders-1"]


def test_an_instance_without_an_endpoint_yet_is_found_all_the_same() -> None:
    making = instance("new", DBInstanceStatus="creating")
    del making["Endpoint"]
    (found,) = look(Answers(describe_db_instances=[[making]]))["found"]
    assert (found["host"], found["port"], found["state"]) == (None, None, "creating")


def test_the_listener_of_an_always_on_group_is_an_address_of_its_instance() -> None:
    item = instance("erp", "sqlserver-ee", ListenerEndpoint={"Address": "erp-ag.hash.rds", "Port": 1433})
    (found,) = look(Answers(describe_db_instances=[[item]]))["found"]
    assert found["addresses"] == ["erp-ag.hash.rds"]


def test_what_may_not_be_asked_is_said_and_the_rest_is_found() -> None:
    answers = Answers(describe_db_instances=[[instance("orders")]], describe_instances="UnauthorizedOperation")
    answer = look(answers)
    assert (answer["status"], answer["reason"]) == ("failed", "UnauthorizedOperation on ec2:DescribeInstances")
    assert [item["identifier"] for item in answer["found"]] == ["orders"]
    denied = Answers(describe_db_clusters="AccessDenied", describe_db_instances="AccessDenied")
    assert look(denied)["reason"] == "AccessDenied on rds:DescribeDBClusters; AccessDenied on rds:DescribeDBInstances"


def test_hosts_are_found_by_the_tag_with_every_address_that_they_have(aws: None) -> None:
    ec2 = plain("ec2")

    def run(**tags: str) -> str:
        listed = [{"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items()]
        made = ec2.run_instances(
            ImageId=ec2.describe_images()["Images"][0]["ImageId"], MinCount=1, MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": listed}] if listed else [],
        )  # fmt: skip
        return str(made["Instances"][0]["InstanceId"])

    mine, ended = run(our_tag=" MSSQL "), run(our_tag="mysql")
    run(other_tag="mysql")
    run()
    ec2.terminate_instances(InstanceIds=[ended])
    answer = look(tag="our:tag")
    (found,) = answer["found"]
    assert (answer["status"], found["identifier"], found["engine"], found["port"]) == ("complete", mine, "mssql", None)
    item = ec2.describe_instances(InstanceIds=[mine])["Reservations"][0]["Instances"][0]
    assert item["PrivateIpAddress"] in found["addresses"]
    assert found["host"] == item["PrivateDnsName"]
    assert found["arn"].startswith("arn:aws:ec2:us-east-1:")


@pytest.mark.parametrize("value", ["msql", "", "\x1b[31mowned", "=cmd()", "x" * 256])
def test_a_tag_value_that_names_no_engine_is_told_and_cannot_reach_a_terminal(value: str) -> None:
    tags = {"Tags": [{"Key": DISCOVER_TAG, "Value": value}], "State": {"Name": "running"}}
    answer = look(Answers(describe_instances=[[{"OwnerId": "1", "Instances": [{"InstanceId": "i-1", **tags}]}]]))
    assert answer["status"] == "failed"
    assert answer["reason"] is not None and answer["reason"].startswith("i-1 has the tag value '")
    assert answer["reason"].isascii() and answer["reason"].isprintable() and len(answer["reason"]) < 250


def test_a_wildcard_in_the_tag_is_no_wildcard_for_ec2() -> None:
    client = plain("ec2")
    with Stubber(client) as stub:
        filters = [{"Name": "tag-key", "Values": ["a\\*b\\?"]}, {"Name": "instance-state-name", "Values": ANY}]
        stub.add_response("describe_instances", {"Reservations": []}, {"Filters": filters, "MaxResults": 100})
        answer = look(lambda service: client if service == "ec2" else Answers()(service), tag="a*b?")
    assert answer["status"] == "complete"


def test_a_service_that_never_answers_is_not_waited_for_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    rds, over = Answers(describe_db_instances=[[instance("orders")]])("rds"), threading.Event()
    monkeypatch.setattr(discovery, "LIMIT_SECONDS", 3.0)

    def client(service: str) -> Any:
        if service == "ec2":
            over.wait(60)
        return rds

    answer = look(client)  # returns, although EC2 never does
    over.set()
    assert (answer["status"], answer["reason"]) == ("failed", "ec2 was not finished in time")
    assert [item["identifier"] for item in answer["found"]] == ["orders"]


def test_what_was_finished_while_the_collection_ran_is_there_although_the_limit_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discovery, "LIMIT_SECONDS", 0.0)
    answer = begin(request(), time.monotonic() + 60, client=Answers(describe_db_instances=[[instance("orders")]]))
    time.sleep(1.5)  # the collection
    assert answer()["status"] == "complete"


def test_the_time_is_over_between_two_pages_and_what_was_listed_stays() -> None:
    client = Answers(describe_db_instances=[[instance("a")], [instance("b")]])("rds")
    *errors, found = clusters_and_instances(client, time.monotonic() - 1)
    assert isinstance(found, list)
    assert [item["identifier"] for item in found] == ["a"]
    assert [str(error) for error in errors] == [
        "rds:DescribeDBClusters was not finished in time",
        "rds:DescribeDBInstances was not finished in time",
    ]


def test_a_service_that_cannot_be_reached_is_asked_for_one_listing_only() -> None:
    asked: list[str] = []

    def client(service: str) -> Any:
        made = plain(service)

        def refuse(params: Any, model: Any, **_: Any) -> None:
            asked.append(model.name)
            raise ConnectTimeoutError(endpoint_url="https://rds")

        made.meta.events.register("before-call", refuse)
        return made if service == "rds" else Answers()(service)

    assert look(client)["reason"] == "ConnectTimeoutError on rds:DescribeDBClusters"
    assert asked == ["DescribeDBClusters"]


@pytest.mark.parametrize(
    ("fault", "told"), [(NoRegionError(), "rds: NoRegionError"), (KeyError("x"), "rds: the answer is not understood")]
)
def test_whatever_goes_wrong_is_a_reason_and_no_exception(fault: Exception, told: str) -> None:
    def client(service: str) -> Any:
        if service == "rds":
            raise fault
        return Answers()(service)

    answer = look(client)
    assert answer["status"] == "failed"
    assert str(answer["reason"]).startswith(told)
