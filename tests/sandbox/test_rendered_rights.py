"""What roles need and the sandbox's pipeline does not ask for is allowed under the rendered policies, too."""

from __future__ import annotations

from sandbox.organization import BUCKET, INVENTORY_KEY
from sandbox.plan import CENTRAL_ACCOUNT, HOME_REGION
from sandbox.stack import Sandbox
from tests.sandbox.acting import client, stand_in


def test_dagsters_code_location_reads_the_inventory(rendered_sandbox: Sandbox) -> None:
    role = stand_in(rendered_sandbox, CENTRAL_ACCOUNT, "db-admin-report-dagster-code")
    stored = client(rendered_sandbox, "s3", role).get_object(Bucket=BUCKET, Key=INVENTORY_KEY)["Body"].read()
    assert stored.startswith(rendered_sandbox.inventory_file.read_bytes())


def test_the_orchestrator_publishes_alerts(rendered_sandbox: Sandbox) -> None:
    topic = f"arn:aws:sns:{HOME_REGION}:{CENTRAL_ACCOUNT}:db-admin-report-alerts"
    assert rendered_sandbox.as_orchestrator("sns").publish(TopicArn=topic, Message="{}")["MessageId"]
