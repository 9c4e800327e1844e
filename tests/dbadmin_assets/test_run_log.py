"""The log of real runs, written by the handler that the ECS template configures: what a grep for a run's id finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.run_log import NAMESPACE
from infra.policies.resources import METRIC_NAMESPACE
from tests.dbadmin_assets.fakes import FaultyAws
from tests.dbadmin_assets.test_pipeline import COLLECTIONS, TARGETS, fail_in_account_2, instance, materialize, run_job
from worker_lambda.json_log import NAMESPACE as WORKERS_NAMESPACE

__all__ = ["instance"]

ROOT = Path(__file__).resolve().parents[2]
Lines = list[dict[str, Any]]


@pytest.fixture
def logged(instance: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """An instance whose runs are logged as on ECS."""
    template = yaml.safe_load((ROOT / "deployment" / "ecs" / "dagster.yaml").read_text(encoding="utf-8"))
    with dg.instance_for_test(overrides={"python_logs": template["python_logs"]}) as made:
        yield made


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[Lines, Lines]:
    """Log lines and metrics lines on standard output; every line there is JSON."""
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in found if "_aws" not in line], [line for line in found if "_aws" in line]


def sums(metrics: Lines, name: str, **dimensions: str) -> float:
    """What CloudWatch adds up for these dimensions."""
    kept = [m for m in metrics if name in m and all(m.get(key) == value for key, value in dimensions.items())]
    assert all(list(dimensions) in m["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for m in kept)
    return sum(m[name] for m in kept)


def test_every_line_of_a_run_has_its_id_and_every_target_its_line(
    logged: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_aws.script = [fail_in_account_2]
    run_id = run_job(logged).run_id
    lines, _ = printed(capsys)
    assert {line["correlation_id"] for line in lines} == {run_id}
    assert {line["collection_id"] for line in lines} == {run_id}
    made = {line["target"]: line for line in lines if line.get("asset") == "account_collections" and "target" in line}
    assert set(made) == set(TARGETS)
    failed = made["222222222222|us-east-1"]
    assert (failed["status"], failed["failed_databases"], failed["reason"]) == (
        "failed", 2, "Worker Failed: Invalid answer",
    )  # fmt: skip
    red = [line for line in lines if line.get("check") == "collected" and "target" in line]
    assert [(line["target"], line["level"]) for line in red] == [("222222222222|us-east-1", "ERROR")]
    assert fake_aws.events[0]["run_id"] == run_id, "which the worker writes as correlation_id, too"


def test_the_metrics_of_a_run_by_account_and_in_all(
    logged: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_aws.script = [fail_in_account_2]
    run_job(logged)
    _, metrics = printed(capsys)
    assert {m["_aws"]["CloudWatchMetrics"][0]["Namespace"] for m in metrics} == {NAMESPACE}
    assert NAMESPACE == METRIC_NAMESPACE == WORKERS_NAMESPACE
    assert (sums(metrics, "Targets"), sums(metrics, "FailedTargets")) == (3, 1)
    payments = {"AccountId": "111111111111"}
    assert (sums(metrics, "Targets", **payments), sums(metrics, "FailedTargets", **payments)) == (2, 0)
    assert (sums(metrics, "Reports"), sums(metrics, "IncompleteReports")) == (1, 1)
    assert sums(metrics, "TargetUsers") == sums(metrics, "ReportUsers") > 0
    assert sums(metrics, "TargetAdmins") == sums(metrics, "ReportAdmins")
    assert all(isinstance(m["TargetDuration"], int) for m in metrics if "TargetDuration" in m)


def test_partitions_of_the_ui_are_logged_and_counted_as_well(
    logged: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws, capsys: pytest.CaptureFixture[str]
) -> None:
    logged.add_dynamic_partitions("targets", TARGETS)
    tags = {"dagster/asset_partition_range_start": TARGETS[0], "dagster/asset_partition_range_end": TARGETS[-1]}
    assert materialize(logged, COLLECTIONS, tags=tags).success
    lines, metrics = printed(capsys)
    assert {line["target"] for line in lines if "target" in line} == set(TARGETS)
    assert sums(metrics, "Targets") == 3


def test_a_run_that_fails_says_why_without_an_unknown_errors_text(
    logged: dg.DagsterInstance,
    store: EvidenceStore,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise ValueError("alice@'%'")

    monkeypatch.setattr("dbadmin_assets.assets.collection.select_targets", explode)
    assert not run_job(logged).success
    lines, metrics = printed(capsys)
    (failed,) = [line for line in lines if line.get("event") == "STEP_FAILURE"]
    assert (failed["level"], failed["error"]) == ("ERROR", "ValueError")
    assert "alice" not in json.dumps(lines)
    assert sums(metrics, "FailedRuns") == 1


def test_no_line_names_an_account(
    logged: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws, capsys: pytest.CaptureFixture[str]
) -> None:
    run_job(logged)
    out = capsys.readouterr().out
    assert "ReportUsers" in out
    assert "user7" not in out
