"""A real daemon over a real SQLite instance, killed between the failed check and its alert, which arrives once."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from dbadmin_assets.cli.instance import open_instance, prepare_instance
from dbadmin_assets.config import load_settings
from dbadmin_assets.review.times import utc_now
from sandbox.aws import LocalAws
from tests.alert_receiver import Receiver, Topic, alert_receiver
from tests.dbadmin_assets.fakes import INVENTORY, FaultyAws, succeed
from tests.dbadmin_assets.test_pipeline import TARGETS, fail_in_account_2, run_job

GIVE_UP_SECONDS = 120
MODULE = "tests.dbadmin_assets.sensors.daemon_definitions"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with alert_receiver(tmp_path) as running:
        yield running


@pytest.fixture
def instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_aws: FaultyAws, receiver: Receiver
) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "inventory.yaml").write_bytes(INVENTORY)
    for name, value in {
        "DBADMIN_INVENTORY": str(tmp_path / "inventory.yaml"),
        "DBADMIN_BUCKET": "evidence",
        "DBADMIN_REGION": "us-east-1",
        "DBADMIN_STATE_DIR": str(tmp_path / "state"),
        "DBADMIN_CONFIG": os.devnull,
        "DBADMIN_ALERT_WEBHOOK": receiver.url,
        "SSL_CERT_FILE": receiver.ca_file,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    settings = load_settings()
    prepare_instance(settings)
    monkeypatch.setenv("DAGSTER_HOME", str(settings.dagster_home))
    with open_instance(settings) as opened:
        yield opened


@contextlib.contextmanager
def daemon(log: Path) -> Iterator[None]:
    """A daemon with its code server; both are killed at the end, as when a machine goes away."""
    command = [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-m", MODULE]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ticks(instance: dg.DagsterInstance) -> int:
    """How often the sensor has looked so far."""
    states = [state for state in instance.all_instigator_state() if state.instigator_name == "alerts"]
    return sum(len(instance.get_ticks(s.instigator_origin_id, s.selector_id, statuses=None)) for s in states)


def wait(until: Callable[[], bool], log: Path) -> None:
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while not until():
        assert time.monotonic() < give_up, log.read_text()[-3000:]
        time.sleep(0.3)


def more_ticks(instance: dg.DagsterInstance, number: int, log: Path) -> None:
    before = ticks(instance)
    wait(lambda: ticks(instance) >= before + number + 1, log)  # one of them may have begun before


def told(receiver: Receiver) -> list[tuple[str, str | None, list[str]]]:
    return [(b["kind"], b["check"], [t["target"] for t in b["targets"]]) for b in receiver.bodies]


@pytest.mark.timeout(600)
def test_the_alert_of_a_check_that_failed_while_the_daemon_was_dead_arrives_once(
    instance: dg.DagsterInstance,
    fake_aws: FaultyAws,
    receiver: Receiver,
    local_aws: LocalAws,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    log, topic = tmp_path / "daemon.log", Topic(local_aws)
    for name, value in {**topic.environment, "DBADMIN_ALERT_TOPIC": topic.arn}.items():
        monkeypatch.setenv(name, value)
    fresh = {"endedAt": utc_now(), "sequence": 0}  # else the other sensor's check is told, too
    fake_aws.objects["/evidence/reports/latest.json"] = json.dumps(fresh).encode()
    with daemon(log):
        wait(lambda: ticks(instance) >= 1, log)
    looked = ticks(instance)
    fake_aws.script = [fail_in_account_2]
    assert run_job(instance).success
    assert (receiver.bodies, ticks(instance)) == ([], looked)
    with daemon(log):
        wait(lambda: len(receiver.bodies) >= 1, log)
        more_ticks(instance, 2, log)
    with daemon(log):  # and once more, killed at whatever it was doing
        more_ticks(instance, 2, log)
        assert told(receiver) == [("check-failed", "collected", [TARGETS[2]])]
        fake_aws.script = [succeed]
        assert run_job(instance).success
        wait(lambda: len(receiver.bodies) >= 2, log)
        more_ticks(instance, 2, log)
    assert told(receiver)[1:] == [("check-recovered", "collected", [TARGETS[2]])]
    subjects = [message["Subject"] for message in topic.received()]
    assert sorted(subject.split(" of ")[0] for subject in subjects) == [
        "db-admin-report ERROR: check collected",
        "db-admin-report INFO: check collected",
    ]
    assert "very-secret" not in log.read_text()
