"""A run that is killed half-way through 200 targets goes on where it died, and collects none of them twice.

Real: the command, its Dagster instance, the run in processes of its own, SIGKILL, every request over HTTP. Not real:
AWS is one fake server, and the workers in it deliver made-up results of the agreed shape (`dbadmin_assets/fleet.py`);
they go on when the run is dead, and refuse to deliver twice, as the real ones do.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dbadmin_assets.cli.conftest import Machine, stop
from tests.dbadmin_assets.fakes import FaultyAws, fake_aws
from tests.dbadmin_assets.fleet import AT_ONCE, TARGETS, Fleet, fleet_machine, wait_for

__all__ = ["fake_aws"]


@pytest.fixture
def machine(tmp_path: Path, fake_aws: FaultyAws) -> Iterator[Machine]:
    machine = fleet_machine(tmp_path)
    try:
        yield machine
    finally:
        stop(machine)


@pytest.mark.timeout(400)
def test_a_run_that_is_killed_half_way_is_resumed_and_collects_nothing_twice(
    machine: Machine, fake_aws: FaultyAws
) -> None:
    """The 20 workers that were at work when it died deliver only after the second run has begun to wait for them."""
    fleet = Fleet(fake_aws, held=TARGETS // 2)
    process = machine.start("generate", "--json")
    wait_for(lambda: len(fleet.verdicts()) == TARGETS // 2 and fleet.at_work == AT_ONCE)
    (record,) = (machine.state / "runs").glob("*.json")
    run_id = record.stem
    os.killpg(json.loads(record.read_text())["pgid"], signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, json.loads(out)["error"]["type"]) == (1, "RunDiedError"), err

    again = machine.start("generate", "--json", "--resume", run_id)
    wait_for(lambda: len(fleet.keys("requests/")) == 2)
    fleet.let_go()
    out, err = again.communicate(timeout=240)
    assert again.returncode == 0, err
    report = json.loads(out)
    assert (report["counts"]["targets"], report["population"]["complete"]) == (TARGETS, TARGETS)
    assert report["collection_id"] == run_id
    assert report["run_id"] != run_id
    fleet.assert_each_target_once(run_id)


def test_only_a_run_that_has_ended_can_be_resumed_and_asks_for_the_same(machine: Machine, fake_aws: FaultyAws) -> None:
    fleet = Fleet(fake_aws, held=0)
    code, out, err = machine.run("generate", "--no-wait", "--accounts", "100000000000")
    assert code == 0, err
    run_id = out.strip()
    wait_for(lambda: fleet.at_work == 2)
    code, _, err = machine.run("generate", "--resume", run_id)
    assert (code, f"run {run_id} goes on" in err) == (2, True), err
    code, _, err = machine.run("generate", "--resume", run_id, "--regions", "us-east-1", "--flat")
    assert (code, "--regions, --flat cannot change it" in err) == (2, True), err
    code, _, err = machine.run("cancel", run_id)
    assert code == 0, err
    fleet.let_go()
    code, out, err = machine.run("generate", "--resume", run_id, "--json")
    assert code == 0, err
    assert json.loads(out)["counts"]["targets"] == 2
    assert fleet.delivered == 2
