"""What `doctor` says of runs that are not finished and never will be, and that it leaves them as they are."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from dbadmin_assets.cli import stale_runs as module
from dbadmin_assets.cli.instance import open_instance, prepare_instance
from dbadmin_assets.cli.launch import RunRecord, runs_folder
from dbadmin_assets.cli.runs import JOB
from dbadmin_assets.cli.stale_runs import stale_runs
from dbadmin_assets.config import Settings, load_settings
from tests.dbadmin_assets.cli.conftest import Machine


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))  # prepare_instance sets it, too
    return load_settings({}, {"HOME": str(tmp_path), "DBADMIN_STATE_DIR": str(tmp_path)})


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    prepare_instance(settings)
    with open_instance(settings) as instance:
        yield instance


def run_of(instance: dg.DagsterInstance, status: str) -> str:
    made = create_run_for_test(instance, JOB, run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus(status))
    return made.run_id


def launched(settings: Settings, run_id: str, pid: int) -> None:
    runs_folder(settings).mkdir(exist_ok=True)
    scope: dict[str, list[str]] = {"accounts": [], "regions": [], "targets": []}
    record = RunRecord(run_id, pid, pid, "2024-01-15T14:22:33Z", "alice@laptop", scope)
    (runs_folder(settings) / f"{run_id}.json").write_text(json.dumps(asdict(record)))


def test_there_is_nothing_stale_where_nothing_was_ever_launched(settings: Settings) -> None:
    assert stale_runs(settings) == []
    assert not settings.dagster_home.exists(), "looking makes no instance"


def test_a_run_whose_processes_are_gone_is_told_and_left_as_it_is(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    dead, alive = run_of(instance, "STARTED"), run_of(instance, "STARTED")
    run_of(instance, "FAILURE")
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", alive], start_new_session=True)
    try:
        launched(settings, alive, process.pid)
        launched(settings, dead, 2**22 - 3)  # above what Linux gives by default
        assert stale_runs(settings) == [f"run {dead} is STARTED and its processes are gone"]
    finally:
        process.kill()
        process.wait()
    run = instance.get_run_by_id(dead)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.STARTED


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING", "STARTED", "CANCELING"])
def test_a_run_that_says_nothing_for_too_long_is_told(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """Twenty minutes after its last event, where a target may take fourteen and the rest five."""
    run_id = run_of(instance, status)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_engine_event("at work", run)
    assert stale_runs(settings) == []
    now = time.time()
    monkeypatch.setattr(module.time, "time", lambda: now + 1200)
    (said,) = stale_runs(settings)
    assert said.startswith(f"run {run_id} is {status} and has said nothing for ")


def test_doctor_tells_of_it(offline: Machine) -> None:
    code, out, _ = offline.run("doctor", "--json")
    checks = {check["check"]: check for check in json.loads(out)["checks"]}
    assert checks["runs"]["ok"] is True
    environment = load_settings({}, offline.environment)
    prepare_instance(environment)
    with open_instance(environment) as instance:
        dead = run_of(instance, "STARTED")
    launched(environment, dead, 2**22 - 3)
    code, out, _ = offline.run("doctor", "--json")
    checks = {check["check"]: check for check in json.loads(out)["checks"]}
    assert code == 1
    assert (checks["runs"]["ok"], f"run {dead} is STARTED" in checks["runs"]["detail"]) == (False, True)
    assert "generate --resume" in checks["runs"]["fix"]
