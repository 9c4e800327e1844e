"""One request is one run, whatever the network does to it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbadmin_assets.cli.remote import launching as module
from dbadmin_assets.cli.remote import queries
from dbadmin_assets.cli.remote.connection import DagsterRefusedError
from dbadmin_assets.cli.remote.deployed import DeployedRuns, open_deployed
from dbadmin_assets.cli.runs import REQUEST_ID_TAG, RunRequest
from dbadmin_assets.config import Settings, load_settings
from dbadmin_assets.errors import ReportError
from tests.deployed_dagster import DeployedDagster, Gate, gate

REQUEST = RunRequest(["111111111111"], [], flat=False, formats=["csv"], target_keys=["111111111111|us-east-1"])


@pytest.fixture
def there(deployed: DeployedDagster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    monkeypatch.setattr(module, "_SETTLE_SECONDS", 1.0)
    with gate(deployed.url) as made:
        yield made


def settings(there: Gate, **more: str) -> Settings:
    return load_settings({}, {"HOME": "/nonexistent", "DBADMIN_DAGSTER_URL": there.url, **more})


@pytest.fixture
def runs(there: Gate) -> Iterator[DeployedRuns]:
    with open_deployed(settings(there)) as runs:
        yield runs


def test_every_query_is_one_that_the_pinned_dagster_understands() -> None:
    from dagster_graphql.schema import create_schema
    from graphql import parse, validate

    schema = create_schema().graphql_schema
    texts = {name: text for name, text in vars(queries).items() if name.isupper()}
    assert len(texts) == 6
    for name, text in texts.items():
        assert validate(schema, parse(text)) == [], name


def test_a_launch_that_never_arrived_is_asked_for_again(
    there: Gate, runs: DeployedRuns, deployed: DeployedDagster
) -> None:
    before = set(deployed.runs())
    there.lose_requests = 1
    run = runs.launch(REQUEST)
    assert there.launches == 2
    assert set(deployed.runs()) - before == {run.run_id}


def test_a_launch_that_arrives_late_is_ended_and_the_older_run_kept(
    there: Gate, runs: DeployedRuns, deployed: DeployedDagster
) -> None:
    deployed.kill("daemon")  # so that both stay in the queue
    try:
        before = set(deployed.runs())
        there.lose_requests, there.hold = 1, threading.Event()
        run = runs.launch(REQUEST)
        there.hold.set()
        give_up = time.monotonic() + 60
        while len(new := set(deployed.runs()) - before) < 2:
            assert time.monotonic() < give_up
            time.sleep(0.2)
        (double,) = new - {run.run_id}
        # At the very start of its life a run cannot be ended yet: every look tries again.
        while run.status() == "QUEUED" and deployed.runs()[double]["status"] != "CANCELED":
            assert time.monotonic() < give_up
        assert deployed.runs()[run.run_id]["status"] == "QUEUED"
        assert deployed.runs()[double][REQUEST_ID_TAG] == deployed.runs()[run.run_id][REQUEST_ID_TAG]
        assert run.cancel() == "CANCELED"
    finally:
        deployed.start_daemon()


def test_it_is_not_asked_for_without_end_and_the_tag_to_look_for_is_told(
    there: Gate, runs: DeployedRuns, deployed: DeployedDagster
) -> None:
    before = set(deployed.runs())
    there.lose_requests = 100
    with pytest.raises(ReportError, match="not certain") as error:
        runs.launch(REQUEST)
    assert there.launches == 3
    assert f"{REQUEST_ID_TAG}=" in (error.value.hint or "")
    assert set(deployed.runs()) == before


def test_a_configuration_that_the_deployed_code_refuses_is_named(there: Gate, runs: DeployedRuns) -> None:
    wrong = RunRequest([], [], flat=False, formats=["papyrus"], target_keys=None)
    with pytest.raises(DagsterRefusedError, match="formats") as error:
        runs.launch(wrong)
    assert "version" in (error.value.hint or "")


def test_a_location_that_is_not_there_is_named_with_those_that_are(there: Gate, tmp_path: Path) -> None:
    elsewhere = settings(there, DBADMIN_DAGSTER_LOCATION="payroll")
    with open_deployed(elsewhere) as runs, pytest.raises(DagsterRefusedError, match=r"dbadmin_assets\.definitions"):
        runs.prepare()
