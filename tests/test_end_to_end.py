"""The whole way, with real parts: CLI, `dagster job launch`, the UI's webserver and daemon, workers, databases.

Three ways to ask for a report of the same organization must come to the same report.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dbadmin_assets.cli.instance import open_instance, prepare_instance
from dbadmin_assets.config import Settings, load_settings
from sandbox.stack import Sandbox
from tests.dagster_ui import dagster_ui
from tests.sandbox_fixture import demo_sandbox

__all__ = ["demo_sandbox"]
CLI = str(Path(sys.executable).with_name("db-admin-report"))
FAILURES = [
    ["ERROR: 012345678901", "us-east-1", "ledger-reporting", "MySQL", "Connection Failed: Authentication failed"],
    ["ERROR: 333333333333", "us-east-1", "legacy-erp", "MSSQL", "Worker Failed: Cannot assume role"],
]


@pytest.fixture
def settings(demo_sandbox: Sandbox) -> Settings:
    settings = load_settings(environ=demo_sandbox.environment)
    prepare_instance(settings)
    return settings


def report_rows(sandbox: Sandbox, folder: str) -> list[list[str]]:
    """Every cell but the timestamps, which differ from collection to collection."""
    found = sandbox.s3().get_object(Bucket=sandbox.bucket, Key=f"{folder}db-admin-report.csv")["Body"].read()
    rows = list(csv.reader(io.StringIO(found.decode("utf-8-sig"))))
    return [row[:5] if row[0].startswith(("WARNING:", "ERROR:")) else row[:9] for row in rows]


def manifest(sandbox: Sandbox, folder: str) -> dict[str, Any]:
    found = sandbox.s3().get_object(Bucket=sandbox.bucket, Key=f"{folder}manifest.json")["Body"].read()
    made: dict[str, Any] = json.loads(found)
    return made


def folder_of_run(settings: Settings, run_id: str) -> str:
    """The evidence folder that a run's report asset recorded."""
    with open_instance(settings) as instance:
        wanted = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
        found = [record.asset_materialization for record in wanted]
    (report,) = [m for m in found if m and m.asset_key == dg.AssetKey("db_admin_report")]
    return str(report.metadata["report"].value).split("/", 3)[3]


def launch_job(settings: Settings, environment: dict[str, str]) -> str:
    """`dagster job launch`, by hand; returns the run id when the run has succeeded."""
    run_id = str(uuid.uuid4())
    command = [sys.executable, "-m", "dagster", "job", "launch", "-m", "dbadmin_assets.definitions"]
    subprocess.run(
        [*command, "-j", "db_admin_report", "--run-id", run_id],
        env={**os.environ, **environment}, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with open_instance(settings) as instance:
        give_up = time.monotonic() + 120
        while (run := instance.get_run_by_id(run_id)) is None or not run.is_finished:
            assert time.monotonic() < give_up
            time.sleep(0.2)
    assert run.is_success
    return run_id


def test_a_launched_job_a_partition_and_a_backfill_come_to_the_same_report(
    demo_sandbox: Sandbox, settings: Settings, tmp_path: Path
) -> None:
    launched = folder_of_run(settings, launch_job(settings, demo_sandbox.environment))
    expected = report_rows(demo_sandbox, launched)
    assert [row for row in expected if row[0].startswith("ERROR:")] == FAILURES
    with dagster_ui(demo_sandbox.environment, tmp_path / "ui.log") as ui:
        ui.materialize_partition("111111111111|us-east-1")
        alone = folder_of_run(settings, ui.materialize_report())
        assert report_rows(demo_sandbox, alone) == expected
        with open_instance(settings) as instance:
            keys = sorted(instance.get_dynamic_partitions("targets"))
        assert len(keys) == 5
        backfill = ui.backfill(keys)
    with open_instance(settings) as instance:
        runs = instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill}))
        reports = [run.run_id for run in runs if dg.AssetKey("db_admin_report") in (run.asset_selection or ())]
        check = dg.AssetCheckKey(dg.AssetKey("account_collections"), "collected")
        history = instance.event_log_storage.get_asset_check_execution_history(check, limit=100)
    backfilled = folder_of_run(settings, reports[0])
    assert report_rows(demo_sandbox, backfilled) == expected
    assert manifest(demo_sandbox, backfilled)["collectionId"] == backfill
    latest = {record.partition: record.status.value for record in reversed(history)}
    assert {key for key, status in latest.items() if status == "FAILED"} == {
        "012345678901|us-east-1",
        "333333333333|us-east-1",
        None,
    }


def test_generate_prints_the_failures_and_exits_3(demo_sandbox: Sandbox, tmp_path: Path) -> None:
    ran = subprocess.run(
        [CLI, "generate", "--download", str(tmp_path)],
        env={**os.environ, **demo_sandbox.environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 3, ran.stderr
    shown = ran.stdout + ran.stderr
    assert "ledger-reporting: Connection Failed: Authentication failed" in shown
    assert "legacy-erp: Worker Failed: Cannot assume role" in shown
    assert "INCOMPLETE" in shown
    (found,) = tmp_path.rglob("manifest.json")
    population = json.loads(found.read_text())["population"]
    assert population == {"declared": 7, "complete": 4, "partial": 0, "failed": 2, "excluded": 1}


def test_verbose_shows_the_end_of_the_log_of_a_worker_that_could_not_read_everything(demo_sandbox: Sandbox) -> None:
    ran = subprocess.run(
        [CLI, "generate", "--accounts", "012345678901", "--verbose"],
        env={**os.environ, **demo_sandbox.environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 3, ran.stderr
    told = ran.stderr.split("012345678901|us-east-1: the end of its worker's log:", 1)[1]
    assert 'WARN database failed attempt=1 database=ledger-reporting reason="Connection Failed' in told
    assert "    REPORT RequestId: " in told
    assert "eu-west-1: the end of" not in ran.stderr, "it read everything there"


def test_two_accounts_alone_are_a_complete_report_that_is_not_latest(demo_sandbox: Sandbox, tmp_path: Path) -> None:
    ran = subprocess.run(
        [CLI, "generate", "--accounts", "111111111111", "--json"],
        env={**os.environ, **demo_sandbox.environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["complete"] is True
    keys = [o["Key"] for o in demo_sandbox.s3().list_objects_v2(Bucket=demo_sandbox.bucket)["Contents"]]
    assert "reports/latest.json" not in keys
