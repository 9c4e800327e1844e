"""What roles need and the sandbox's pipeline does not ask for is allowed under the rendered policies, too."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.organization import BUCKET, INVENTORY_KEY
from sandbox.plan import CENTRAL_ACCOUNT, HOME_REGION
from sandbox.stack import Sandbox
from tests.sandbox.acting import client, refusal, stand_in

POINTER = "reports/latest.json"


@pytest.fixture
def code_location(rendered_sandbox: Sandbox) -> dict[str, Any]:
    return stand_in(rendered_sandbox, CENTRAL_ACCOUNT, "db-admin-report-dagster-code")


def test_dagsters_code_location_reads_the_inventory(rendered_sandbox: Sandbox, code_location: dict[str, Any]) -> None:
    s3 = client(rendered_sandbox, "s3", code_location)
    stored = s3.get_object(Bucket=BUCKET, Key=INVENTORY_KEY)["Body"].read()
    assert stored.startswith(rendered_sandbox.inventory_file.read_bytes())


def test_it_sees_which_report_is_the_newest(rendered_sandbox: Sandbox, code_location: dict[str, Any]) -> None:
    s3 = client(rendered_sandbox, "s3", code_location)
    assert refusal(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=POINTER)) == (200, "")
    assert refusal(lambda: s3.get_object(Bucket=BUCKET, Key=POINTER)) in ((200, ""), (404, "NoSuchKey"))


def test_runs_and_the_code_location_publish_alerts(rendered_sandbox: Sandbox, code_location: dict[str, Any]) -> None:
    topic = f"arn:aws:sns:{HOME_REGION}:{CENTRAL_ACCOUNT}:db-admin-report-alerts"
    for credentials in (rendered_sandbox.organization.orchestrator(), code_location):
        sns = client(rendered_sandbox, "sns", credentials)
        assert sns.publish(TopicArn=topic, Message="{}")["MessageId"]
