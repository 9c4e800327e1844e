"""Rendered statements that turn on what the local AWS does not tell a policy, decided by its evaluator all the same."""

from __future__ import annotations

import pytest

from sandbox.aws import ORGANIZATION_ID
from sandbox.organization import BUCKET
from sandbox.plan import CENTRAL_ACCOUNT, PAYMENTS
from sandbox.stack import Sandbox
from tests.sandbox.evaluator import decide
from tests.sandbox.rendered import RenderedDeployment

WRITER = f"arn:aws:sts::{CENTRAL_ACCOUNT}:assumed-role/db-admin-report-writer-{PAYMENTS}/worker"
ORCHESTRATOR = f"arn:aws:sts::{CENTRAL_ACCOUNT}:assumed-role/db-admin-report-orchestrator/run"
WORKER = f"arn:aws:sts::{PAYMENTS}:assumed-role/db-admin-report-worker-us-east-1/db-admin-report-worker"
RESULT = f"arn:aws:s3:::{BUCKET}/collections/run/{PAYMENTS}/us-east-1/1.json"
AS_SENT = {
    "aws:PrincipalOrgID": ORGANIZATION_ID,
    "aws:PrincipalIsAWSService": "false",
    "s3:TlsVersion": "1.3",
    "s3:if-none-match": "*",
    "s3:ObjectCreationOperation": "true",
}
SSE, SSE_KEY = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
NOT_DENIED = "ImplicitDeny"  # the bucket policy itself allows nothing: that is the writer's identity policy's part


@pytest.fixture
def stacks(rendered_sandbox: Sandbox, deployment: RenderedDeployment) -> RenderedDeployment:
    return deployment


def put(stacks: RenderedDeployment, *absent: str, key: str = RESULT, who: str = WRITER, **changed: str) -> str:
    """What the evidence bucket's policy says to a PUT as the product sends it, but for `absent` and `changed`."""
    policy = stacks.central.one("s3/bucketPolicy:BucketPolicy", "evidence-evidence-policy").inputs["policy"]
    keys = {name: value for name, value in (AS_SENT | changed).items() if name not in absent}
    return decide(policy, who=who, action="s3:PutObject", resource=key, keys=keys, of_a_resource=True)


def test_a_result_as_the_worker_sends_it_is_not_denied(stacks: RenderedDeployment) -> None:
    """It names no key: the bucket's default does, and a policy is asked before that is filled in."""
    assert put(stacks) == NOT_DENIED


@pytest.mark.parametrize(
    ("changed", "sid"),
    [
        ({"s3:TlsVersion": "1.1"}, "DenyOldTls"),
        ({"aws:SecureTransport": "false"}, "DenyInsecureTransport"),
        ({"aws:PrincipalOrgID": "o-another00000"}, "DenyOutsideOrganization"),
        ({SSE: "AES256"}, "DenyOtherKeys"),
        ({SSE: "aws:kms"}, "DenyOtherKeys"),
        ({SSE: "aws:kms", SSE_KEY: "arn:aws:kms:us-east-1:209371858707:key/another"}, "DenyOtherKeys"),
    ],
    ids=["old TLS", "plain HTTP", "from outside", "without KMS", "with AWS's own key", "with another key"],
)
def test_a_result_sent_in_another_way_is_denied(stacks: RenderedDeployment, changed: dict[str, str], sid: str) -> None:
    assert put(stacks, **changed) == f"Deny {sid}"


def test_what_names_the_buckets_key_is_not_denied(stacks: RenderedDeployment) -> None:
    key = stacks.central.outputs["evidence_key_arn"]
    assert put(stacks, **{SSE: "aws:kms", SSE_KEY: key}) == NOT_DENIED


def test_evidence_is_written_once_but_for_the_pointer_and_parts_of_an_upload(stacks: RenderedDeployment) -> None:
    bucket = f"arn:aws:s3:::{BUCKET}"
    for key in ("requests/c/r.json", "chain/1.json", "reports/2026/01/02/folder/manifest.json"):
        assert put(stacks, "s3:if-none-match", key=f"{bucket}/{key}", who=ORCHESTRATOR) == "Deny DenyOverwriting"
    assert put(stacks, "s3:if-none-match") == "Deny DenyOverwriting"
    pointer = f"{bucket}/reports/latest.json"
    assert put(stacks, "s3:if-none-match", key=pointer, who=ORCHESTRATOR) == NOT_DENIED
    part = {"s3:ObjectCreationOperation": "false"}
    assert put(stacks, "s3:if-none-match", key=f"{bucket}/chain/1.json", who=ORCHESTRATOR, **part) == NOT_DENIED


def test_lambda_may_attach_the_worker_to_its_network_and_the_workers_code_may_not(stacks: RenderedDeployment) -> None:
    worker = stacks.worker(PAYMENTS, "us-east-1")
    policy = worker.one("iam/rolePolicy:RolePolicy", "role-worker-least-privilege").inputs["policy"]

    def attach(keys: dict[str, str]) -> str:
        action = "ec2:CreateNetworkInterface"
        return decide(policy, who=WORKER, action=action, resource="*", keys=keys, of_a_resource=False)

    function = f"arn:aws:lambda:us-east-1:{PAYMENTS}:function:db-admin-report-worker"
    assert attach({}) == "Allow"
    assert attach({"lambda:SourceFunctionArn": function}) == "Deny KeepCodeFromNetwork"


def test_the_evidence_key_works_through_s3_only(stacks: RenderedDeployment) -> None:
    policy = stacks.central.one("kms/key:Key", "evidence-key").inputs["policy"]
    key = stacks.central.outputs["evidence_key_arn"]

    def decrypt(**keys: str) -> str:
        ours = {"kms:CallerAccount": CENTRAL_ACCOUNT}
        return decide(policy, who=ORCHESTRATOR, action="kms:Decrypt", resource=key, keys=ours | keys,
                      of_a_resource=True)  # fmt: skip

    assert decrypt(**{"kms:ViaService": "s3.us-east-1.amazonaws.com"}) == "Allow"
    assert decrypt(**{"kms:ViaService": "ebs.us-east-1.amazonaws.com"}) == "ImplicitDeny"
    assert decrypt() == "ImplicitDeny"


def test_only_alarm_roles_of_the_organization_send_to_the_central_bus(stacks: RenderedDeployment) -> None:
    (bus,) = stacks.central.of("cloudwatch/eventBusPolicy:EventBusPolicy")

    def send(role: str, organization: str = ORGANIZATION_ID) -> str:
        who = f"arn:aws:sts::{PAYMENTS}:assumed-role/{role}/x"
        resource = f"arn:aws:events:us-east-1:{CENTRAL_ACCOUNT}:event-bus/db-admin-report"
        return decide(bus.inputs["policy"], who=who, action="events:PutEvents", resource=resource,
                      keys={"aws:PrincipalOrgID": organization}, of_a_resource=True)  # fmt: skip

    assert send("db-admin-report-alarms-eu-west-1") == "Allow"
    assert send("db-admin-report-worker-eu-west-1") == "ImplicitDeny"
    assert send("db-admin-report-alarms-eu-west-1", "o-another00000") == "ImplicitDeny"


def test_not_even_root_signs_or_makes_up_a_result(stacks: RenderedDeployment) -> None:
    """The local AWS asks no policy of a key or a bucket about an account's root user; AWS does."""
    root = f"arn:aws:iam::{CENTRAL_ACCOUNT}:root"
    policy = stacks.central.one("kms/key:Key", "signing-key").inputs["policy"]
    key = stacks.central.outputs["signing_key_arn"]

    def sign(who: str) -> str:
        return decide(policy, who=who, action="kms:Sign", resource=key, keys={}, of_a_resource=True)

    assert (sign(ORCHESTRATOR), sign(root)) == ("Allow", "Deny DenySigningByOthers")
    assert put(stacks, who=root) == "Deny DenyResultsFromOthers"


def test_dagster_starts_runs_of_one_family_in_one_cluster(stacks: RenderedDeployment) -> None:
    policy = stacks.central.one("iam/rolePolicy:RolePolicy", "dagster-roles-services-least-privilege").inputs["policy"]
    ecs = f"arn:aws:ecs:us-east-1:{CENTRAL_ACCOUNT}"

    def ask(action: str, resource: str, **keys: str) -> str:
        who = f"arn:aws:sts::{CENTRAL_ACCOUNT}:assumed-role/db-admin-report-dagster-services/task"
        named = {name.replace("_", ":"): value for name, value in keys.items()}
        return decide(policy, who=who, action=action, resource=resource, keys=named, of_a_resource=False)

    ours, other = f"{ecs}:cluster/db-admin-report", f"{ecs}:cluster/another"
    run = f"{ecs}:task-definition/db-admin-report-run:7"
    assert ask("ecs:RunTask", run, ecs_cluster=ours) == "Allow"
    assert ask("ecs:RunTask", run, ecs_cluster=other) == "ImplicitDeny"
    assert ask("ecs:RunTask", f"{ecs}:task-definition/another:1", ecs_cluster=ours) == "ImplicitDeny"
    orchestrator = f"arn:aws:iam::{CENTRAL_ACCOUNT}:role/db-admin-report-orchestrator"
    assert ask("iam:PassRole", orchestrator, iam_PassedToService="ecs-tasks.amazonaws.com") == "Allow"
    assert ask("iam:PassRole", orchestrator, iam_PassedToService="lambda.amazonaws.com") == "ImplicitDeny"


@pytest.mark.parametrize(
    ("role", "component", "action"),
    [
        ("role-worker", "worker", "logs:CreateLogStream"),
        ("role-worker", "worker", "logs:PutLogEvents"),
        ("dagster-roles-execution", "dagster-daemon", "logs:CreateLogStream"),
        ("dagster-roles-services", "runs", "logs:GetLogEvents"),
    ],
)
def test_logs_are_written_and_read_in_their_own_groups(
    stacks: RenderedDeployment, role: str, component: str, action: str
) -> None:
    """AWS asks about the stream; the local AWS about its group, which no policy of ours names."""
    stack = stacks.worker(PAYMENTS, "us-east-1") if role == "role-worker" else stacks.central
    policy = stack.one("iam/rolePolicy:RolePolicy", f"{role}-least-privilege").inputs["policy"]
    groups = [group.inputs["name"] for group in stack.of("cloudwatch/logGroup:LogGroup")]
    (own,) = (name for name in groups if name.endswith(f"/{component}"))

    def ask(group: str) -> str:
        stream = f"arn:aws:logs:us-east-1:{stack.account_id}:log-group:{group}:log-stream:2026/01/02/[$LATEST]0"
        return decide(policy, who=WORKER, action=action, resource=stream, keys={}, of_a_resource=False)

    assert (ask(own), ask("/payroll/application")) == ("Allow", "ImplicitDeny")
