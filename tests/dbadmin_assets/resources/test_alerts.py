"""Publishing: a real HTTPS receiver, SNS of the local AWS; the webhook's URL gets nowhere."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from dbadmin_assets.cli.main import cli
from dbadmin_assets.config import load_settings
from dbadmin_assets.errors import ConfigurationError
from dbadmin_assets.resources.alerts import SnsTopic, Webhook, open_endpoints
from dbadmin_assets.review.alerts.delivery import UndeliveredError
from dbadmin_assets.review.alerts.model import Alert, AlertTarget, alert_id
from sandbox.aws import LocalAws
from tests.alert_receiver import SECRET_PATH, Receiver, Topic, alert_receiver

ALERT = Alert(
    id=alert_id("a"), kind="check-failed", severity="ERROR", at="2024-01-15T14:22:33Z", said="failed for 1 targets",
    check="collected", asset="account_collections", run_id="run-1", targets=(AlertTarget("1|us-east-1", "why"),),
)  # fmt: skip


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with alert_receiver(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", running.ca_file)
        yield running


@pytest.mark.parametrize("form", ["json", "slack", "teams"])
def test_the_webhook_gets_the_message_in_its_format(receiver: Receiver, form: str) -> None:
    Webhook(receiver.url, form).send(ALERT)
    assert receiver.paths == [SECRET_PATH]
    assert {"json": "targets", "slack": "blocks", "teams": "attachments"}[form] in receiver.bodies[0]


@pytest.mark.parametrize(("status", "refused"), [(500, False), (429, False), (404, True), (400, True), (302, False)])
def test_any_answer_but_2xx_is_no_delivery(receiver: Receiver, status: int, refused: bool) -> None:
    receiver.statuses = [status]
    receiver.location = "http://127.0.0.1:1/elsewhere"
    with pytest.raises(UndeliveredError, match=f"the webhook answered {status}") as error:
        Webhook(receiver.url, "json").send(ALERT)
    assert error.value.refused is refused
    assert len(receiver.paths) == 1  # a redirect is not followed: there may be no TLS where it leads


def test_a_certificate_that_nobody_vouches_for_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(UndeliveredError, match="TLS verification failed"):
        Webhook(receiver.url, "json").send(ALERT)
    assert receiver.paths == []


@pytest.mark.parametrize("trouble", ["status", "tls", "refused"])
def test_the_url_is_in_no_error_no_traceback_and_no_log(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.statuses = [500]
    url = receiver.url
    if trouble == "tls":
        monkeypatch.delenv("SSL_CERT_FILE")
    if trouble == "refused":
        url = f"https://localhost:1{SECRET_PATH}"
    webhook = Webhook(url, "json")
    with pytest.raises(UndeliveredError) as error:
        webhook.send(ALERT)
    told = "".join(traceback.format_exception(error.value)) + caplog.text + repr(webhook)
    assert "very-secret" not in told


def test_a_webhook_without_tls_is_refused_by_settings_and_class_alike() -> None:
    with pytest.raises(ConfigurationError) as error:
        load_settings(environ={"DBADMIN_ALERT_WEBHOOK": f"http://localhost{SECRET_PATH}", "HOME": "/nowhere"})
    assert "an https:// URL" in str(error.value)
    assert "very-secret" not in str(error.value)
    with pytest.raises(ValueError, match="must be https"):
        Webhook(f"http://localhost{SECRET_PATH}", "json")


def test_the_url_is_neither_shown_nor_handed_to_a_process_that_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"DBADMIN_ALERT_WEBHOOK": f"https://localhost{SECRET_PATH}", "HOME": str(tmp_path)}
    settings = load_settings(environ=environ)
    assert "very-secret" not in repr(settings) + str(settings.environment())
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        cli.main(["config", "show", "--json"])
    shown = json.loads(capsys.readouterr().out)["settings"]["alert_webhook"]
    assert shown == {"value": "(set, not shown)", "origin": "environment DBADMIN_ALERT_WEBHOOK"}


def test_nothing_configured_is_no_endpoint_and_opens_no_session() -> None:
    def no_session() -> boto3.Session:
        raise AssertionError

    assert open_endpoints(no_session, load_settings(environ={"HOME": "/nowhere"})) == {}


def test_the_topic_gets_subject_text_and_attributes_to_filter_by(
    local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = Topic(local_aws)
    for name, value in topic.environment.items():
        monkeypatch.setenv(name, value)
    SnsTopic(boto3.Session(), topic.arn).send(ALERT)
    (message,) = topic.received()
    assert message["Subject"].startswith("db-admin-report ERROR: check collected of account_collections")
    assert "- 1|us-east-1: why" in message["Message"]
    assert {name: value["Value"] for name, value in message["MessageAttributes"].items()} == {
        "kind": "check-failed",
        "severity": "ERROR",
        "check": "collected",
    }


def test_a_topic_that_is_gone_is_no_delivery(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(local_aws)
    for name, value in topic.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UndeliveredError, match="SNS answered NotFound"):
        SnsTopic(boto3.Session(), f"{topic.arn}-gone").send(ALERT)
