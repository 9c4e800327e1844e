"""Limits that a real daemon keeps: places of a pool, a run that was killed, a run that takes too long.

Real: code server, webserver, daemon, runs in processes of their own, SIGKILL, the command. Not real: AWS and the
workers (`tests/dbadmin_assets/fleet.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dbadmin_assets.cli.remote.deployed import DeployedRun, open_deployed
from dbadmin_assets.cli.runs import RunRequest
from dbadmin_assets.config import load_settings
from tests.dbadmin_assets.cli.conftest import Machine, stop
from tests.dbadmin_assets.fakes import FaultyAws
from tests.dbadmin_assets.fleet import AT_ONCE, TARGETS, Fleet, fleet_machine, wait_for
from tests.deployed_dagster import DeployedDagster

SMALL = RunRequest(["100000000000"], [], flat=False, formats=["csv"], target_keys=None)


@pytest.fixture
def far(tmp_path: Path, fake_aws: FaultyAws) -> Iterator[tuple[Machine, DeployedDagster]]:
    """A user of a Dagster whose pools have one place, and whose daemon looks every two seconds."""
    machine = fleet_machine(tmp_path)
    with DeployedDagster(tmp_path / "deployed", machine.environment, pool_limit=1) as dagster:
        machine.environment["DBADMIN_DAGSTER_URL"] = dagster.url
        try:
            yield machine, dagster
        finally:
            stop(machine)


def launched(machine: Machine, request: RunRequest, **limits: int) -> str:
    """Launch through the webserver, as the command does; limits that its settings would refuse as too small, too."""
    settings = load_settings({}, {**machine.environment, "DBADMIN_CONFIG": "/dev/null"})
    with open_deployed(replace(settings, **limits)) as runs:  # type: ignore[arg-type]
        run = runs.launch(request)
        assert isinstance(run, DeployedRun)
        return run.run_id


def told(machine: Machine, run_id: str) -> dict[str, Any]:
    _, out, err = machine.run("status", run_id, "--json")
    assert out, err
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.timeout(600)
def test_a_daemon_notices_a_killed_run_frees_its_place_and_retries_it(
    far: tuple[Machine, DeployedDagster], fake_aws: FaultyAws
) -> None:
    """Killed half-way through 200 targets with 20 workers at work; none is collected twice. Others waited meanwhile."""
    machine, dagster = far
    fleet = Fleet(fake_aws, held=TARGETS // 2)
    machine.environment["DBADMIN_RUN_MAX_RETRIES"] = "1"
    process = machine.start("generate", "--json")
    wait_for(lambda: len(fleet.verdicts()) == TARGETS // 2 and fleet.at_work == AT_ONCE)
    (run_id,) = dagster.runs()
    waiting = launched(machine, SMALL)
    dagster.kill_runs()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, out + err
    error = json.loads(out)["error"]
    assert error["type"] == "RunDiedError", error
    (retry,) = [name for name, tags in dagster.runs().items() if tags.get("dagster/parent_run_id") == run_id]
    assert f"Dagster runs it again as {retry}" in error["hint"]
    assert told(machine, run_id)["status"] == "died"
    assert told(machine, run_id)["retried_as"] == retry

    fleet.let_go()
    wait_for(lambda: {dagster.runs()[name]["status"] for name in (retry, waiting)} == {"SUCCESS"}, 300)
    assert (told(machine, retry)["status"], told(machine, waiting)["status"]) == ("complete", "complete")
    assert told(machine, retry)["counts"]["targets"] == TARGETS
    fleet.assert_each_target_once(run_id)


@pytest.mark.timeout(300)
def test_a_run_that_takes_too_long_is_ended_and_said_to_have(
    far: tuple[Machine, DeployedDagster], fake_aws: FaultyAws
) -> None:
    """Its workers never answer; the other request has the one place of the pool once it is ended."""
    machine, dagster = far
    fleet = Fleet(fake_aws, held=0)
    run_id = launched(machine, SMALL, max_runtime_seconds=4, run_max_retries=1)
    wait_for(lambda: fleet.at_work == 2)
    waiting = launched(machine, SMALL, max_runtime_seconds=60)
    wait_for(lambda: dagster.runs()[waiting]["status"] == "QUEUED")
    assert fleet.at_work == 2, "the pool has one place"
    wait_for(lambda: dagster.runs()[run_id]["status"] == "FAILURE")
    found = told(machine, run_id)
    assert found["status"] == "failed"
    assert found["failure"] == "Exceeded maximum runtime of 4 seconds."
    fleet.let_go()
    wait_for(lambda: dagster.runs()[waiting]["status"] == "SUCCESS")
    ended = dagster.runs()[run_id]
    assert ended["status"] == "FAILURE", "its process was asked to end, and did not change that"
    assert ended["dagster/will_retry"] == "true", "Dagster counts it as a run that crashed"
