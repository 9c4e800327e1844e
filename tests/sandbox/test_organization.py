"""Who may do what in the seeded organization, asked of the running local AWS."""

from __future__ import annotations

import json
import urllib.request

import psutil
import pytest

from sandbox.aws import ORGANIZATION_ID
from sandbox.organization import BUCKET, INVENTORY_KEY, INVENTORY_PARAMETER
from sandbox.plan import CENTRAL_ACCOUNT
from sandbox.stack import Sandbox
from tests.sandbox.acting import client, invoker, refusal, worker, writer

ONE, OTHER = "100000000000", "100000000001"
RESULT = f"collections/c1/{ONE}/us-east-1/1.json"


@pytest.mark.parametrize("external_id", ["another", None])
def test_an_invoker_role_is_refused_without_the_right_external_id(
    fault_sandbox: Sandbox, external_id: str | None
) -> None:
    assert refusal(lambda: invoker(fault_sandbox, ONE, external_id)) == (403, "AccessDenied")


def test_only_the_orchestrator_becomes_an_invoker(fault_sandbox: Sandbox) -> None:
    estate = fault_sandbox.organization.estate
    arn = estate.role_arn(OTHER, estate.invoker_role)
    as_worker = client(fault_sandbox, "sts", worker(fault_sandbox, ONE))
    refused = refusal(lambda: as_worker.assume_role(RoleArn=arn, RoleSessionName="xx", ExternalId=estate.external_id))
    assert refused == (403, "AccessDenied")
    # Not even the central account's root: the trust names the orchestrator role.
    root = fault_sandbox.organization.aws.client("sts", CENTRAL_ACCOUNT, "us-east-1")
    assert refusal(lambda: root.assume_role(RoleArn=arn, RoleSessionName="xx", ExternalId=estate.external_id))[0] == 403


def test_a_worker_writes_its_own_results_once_and_nothing_else(fault_sandbox: Sandbox) -> None:
    s3 = client(fault_sandbox, "s3", writer(fault_sandbox, ONE, of=ONE))

    def put(key: str) -> tuple[int, str]:
        return refusal(lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}", IfNoneMatch="*"))

    assert put(RESULT) == (200, "")
    assert put(RESULT) == (412, "PreconditionFailed")
    assert put(f"collections/c1/{OTHER}/us-east-1/1.json") == (403, "AccessDenied")
    assert put(f"outcomes/c1/{ONE}/us-east-1.json") == (403, "AccessDenied")
    assert put(INVENTORY_KEY) == (403, "AccessDenied")
    assert refusal(lambda: s3.get_object(Bucket=BUCKET, Key=RESULT))[0] == 403


def test_a_worker_becomes_only_its_own_writer(fault_sandbox: Sandbox) -> None:
    assert refusal(lambda: writer(fault_sandbox, ONE, of=OTHER)) == (403, "AccessDenied")
    assert refusal(lambda: writer(fault_sandbox, ONE, of=ONE, external_id="another")) == (403, "AccessDenied")


def test_a_worker_reads_its_own_secrets_only(fault_sandbox: Sandbox) -> None:
    secrets = client(fault_sandbox, "secretsmanager", worker(fault_sandbox, ONE))
    text = secrets.get_secret_value(SecretId="db-admin-report/db-0000")["SecretString"]
    assert set(json.loads(text)) == {"username", "password", "engine"}
    others = f"arn:aws:secretsmanager:us-east-1:{OTHER}:secret:db-admin-report/db-0000"
    assert refusal(lambda: secrets.get_secret_value(SecretId=others))[0] in (400, 403)
    elsewhere = fault_sandbox.organization.aws.client("secretsmanager", ONE, "us-east-1")
    elsewhere.create_secret(Name="payroll/admin", SecretString="{}")
    assert refusal(lambda: secrets.get_secret_value(SecretId="payroll/admin")) == (403, "AccessDeniedException")


def test_the_orchestrator_cannot_write_a_workers_result(fault_sandbox: Sandbox) -> None:
    s3 = fault_sandbox.as_orchestrator("s3")
    assert refusal(lambda: s3.put_object(Bucket=BUCKET, Key=RESULT, Body=b"{}")) == (403, "AccessDenied")
    for key in ("outcomes/c1/x/y.json", "requests/c1/r.json", "reports/2024/01/01/x/manifest.json"):
        assert refusal(lambda key=key: s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")) == (200, "")
    assert refusal(lambda: s3.delete_object(Bucket=BUCKET, Key="outcomes/c1/x/y.json")) == (403, "AccessDenied")
    assert refusal(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="outcomes/c1/")) == (200, "")
    assert refusal(lambda: s3.list_objects_v2(Bucket=BUCKET)) == (403, "AccessDenied")
    assert refusal(lambda: s3.head_object(Bucket=BUCKET, Key="collections/c1/absent.json"))[0] == 404


def test_an_administrator_cannot_make_up_a_result_either(fault_sandbox: Sandbox) -> None:
    iam = fault_sandbox.organization.aws.client("iam", CENTRAL_ACCOUNT, "us-east-1")
    trust = {"Effect": "Allow", "Principal": {"AWS": CENTRAL_ACCOUNT}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.create_role(RoleName="Administrator", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    iam.put_role_policy(
        RoleName="Administrator", PolicyName="all", PolicyDocument=json.dumps({"Statement": [everything]})
    )
    sts = fault_sandbox.organization.aws.client("sts", CENTRAL_ACCOUNT, "us-east-1")
    arn = fault_sandbox.organization.estate.role_arn(CENTRAL_ACCOUNT, "Administrator")
    s3 = client(fault_sandbox, "s3", sts.assume_role(RoleArn=arn, RoleSessionName="xx")["Credentials"])
    assert refusal(lambda: s3.put_object(Bucket=BUCKET, Key="other/x", Body=b"{}")) == (200, "")
    key = f"collections/c9/{ONE}/us-east-1/1.json"
    assert refusal(lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")) == (403, "AccessDenied")


def test_the_bucket_keeps_versions_under_object_lock(fault_sandbox: Sandbox) -> None:
    s3 = fault_sandbox.s3()
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    rule = s3.get_object_lock_configuration(Bucket=BUCKET)["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule == {"Mode": "COMPLIANCE", "Days": 400}
    version = s3.put_object(Bucket=BUCKET, Key="reports/locked", Body=b"evidence")["VersionId"]
    assert refusal(lambda: s3.delete_object(Bucket=BUCKET, Key="reports/locked", VersionId=version))[0] == 403


def test_the_inventory_is_the_same_in_the_bucket_the_parameter_and_the_file(fault_sandbox: Sandbox) -> None:
    text = fault_sandbox.inventory_file.read_text()
    stored = fault_sandbox.as_orchestrator("s3").get_object(Bucket=BUCKET, Key=INVENTORY_KEY)["Body"].read().decode()
    parameter = fault_sandbox.as_orchestrator("ssm").get_parameter(Name=INVENTORY_PARAMETER)["Parameter"]["Value"]
    assert stored == parameter == text


def test_nothing_listens_beyond_loopback(fault_sandbox: Sandbox) -> None:
    client(fault_sandbox, "lambda", invoker(fault_sandbox, ONE)).invoke(FunctionName="db-admin-report-worker")
    listeners = [
        (process.name(), connection.laddr)
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listeners) >= 4  # local AWS, Invoke API, a Runtime API, a stand-in
    assert {address.ip for _, address in listeners} <= {"127.0.0.1", "::1"}
    assert min(address.port for _, address in listeners) > 1023, "as root, too: nothing but free ports is taken"


def test_the_local_aws_is_one_organization_and_speaks_tls_only(fault_sandbox: Sandbox) -> None:
    aws = fault_sandbox.organization.aws
    asked = [aws.client("organizations", account_id, "us-east-1") for account_id in (CENTRAL_ACCOUNT, ONE, OTHER)]
    assert {a.describe_organization()["Organization"]["Id"] for a in asked} == {ORGANIZATION_ID}
    stranger = aws.client("organizations", "999999999999", "us-east-1")
    assert stranger.describe_organization()["Organization"]["Id"] != ORGANIZATION_ID
    with pytest.raises(OSError):
        urllib.request.urlopen(aws.endpoint.replace("https://", "http://"), timeout=5)
