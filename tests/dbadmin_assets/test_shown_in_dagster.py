"""What Dagster stores and so shows: a state of every check by partition, plain numbers, and no name of an account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from benchmarks.fake_aws import result_object
from dbadmin_assets.assets.metadata import collection_metadata, outcome_metadata
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.review.records import DatabaseOutcome, Outcome
from tests.dbadmin_assets.fakes import FaultyAws, succeed
from tests.dbadmin_assets.test_pipeline import (
    COLLECTIONS,
    REPORT,
    TARGETS,
    check_results,
    fail_in_account_2,
    instance,
    materialize,
    run_job,
)

__all__ = ["instance"]
COLLECTED = dg.AssetCheckKey(COLLECTIONS, "collected")
RANGE = {"dagster/asset_partition_range_start": TARGETS[0], "dagster/asset_partition_range_end": TARGETS[-1]}
PLOTTED = {"users", "admins", "duration_seconds"}
RED = {**dict.fromkeys(TARGETS, "SUCCEEDED"), TARGETS[2]: "FAILED"}


def shown(instance: dg.DagsterInstance) -> dict[str | None, str]:
    """By partition, what the page of the check has a colour for: evaluations of the latest materialization only."""
    found = instance.event_log_storage.get_asset_check_partition_info([COLLECTED])
    return {i.partition_key: i.latest_execution_status.value for i in found if i.partition_key and i.is_current}


def overview(instance: dg.DagsterInstance) -> tuple[str | None, str]:
    """The evaluation that the lineage page and the check's overview show."""
    (latest,) = instance.event_log_storage.get_asset_check_execution_history(COLLECTED, limit=1)
    return latest.partition, latest.status.value


def metadata(instance: dg.DagsterInstance, asset: dg.AssetKey) -> dict[str, Any]:
    latest = instance.get_latest_materialization_event(asset)
    assert latest is not None and latest.asset_materialization is not None
    return {name: value.value for name, value in latest.asset_materialization.metadata.items()}


def test_after_a_job_run_every_target_has_an_evaluation_and_the_overview_is_of_all(
    instance: dg.DagsterInstance, fake_aws: FaultyAws
) -> None:
    fake_aws.script = [fail_in_account_2]
    assert run_job(instance).success
    assert check_results(instance) == {**RED, None: "FAILED"}
    assert overview(instance) == (None, "FAILED")


def test_after_a_run_of_a_range_or_of_one_partition_every_target_has_its_colour(
    instance: dg.DagsterInstance, fake_aws: FaultyAws
) -> None:
    instance.add_dynamic_partitions("targets", TARGETS)
    fake_aws.script = [fail_in_account_2]
    assert materialize(instance, COLLECTIONS, tags=RANGE).success
    assert shown(instance) == RED
    assert overview(instance) == (None, "FAILED")
    fake_aws.script = [succeed]
    assert materialize(instance, COLLECTIONS, partition_key=TARGETS[2]).success
    assert shown(instance) == dict.fromkeys(TARGETS, "SUCCEEDED")


def test_users_admins_failures_and_duration_are_numbers_that_can_be_plotted(
    instance: dg.DagsterInstance, fake_aws: FaultyAws
) -> None:
    fake_aws.script = [fail_in_account_2]
    assert run_job(instance).success
    whole, report = metadata(instance, COLLECTIONS), metadata(instance, REPORT)
    assert (whole["targets"], whole["failed_targets"], whole["failed_databases"]) == (3, 1, 2)
    assert (report["targets"], report["failed"], report["users"]) == (3, 2, whole["users"])
    for found in (whole, report):
        assert all(type(found[name]) in (int, float) for name in PLOTTED)
    assert report["download"] == f"db-admin-report download {report['report']}"
    assert report["console"].endswith(report["report"].removeprefix("s3://evidence/"))


def outcome(*databases: DatabaseOutcome) -> Outcome:
    at = "2024-01-15T14:22:33Z"
    return Outcome(
        collection_id="c", run_id="r", account_id="111111111111", region="us-east-1", status="partial", attempts=1,
        started_at=at, ended_at=at, databases=databases,
    )  # fmt: skip


def database(name: str, status: Any, reason: str | None = None) -> DatabaseOutcome:
    return DatabaseOutcome(name=name, engine="mysql", status=status, reason=reason, reported_at="2024-01-15T14:22:33Z")


def test_a_partition_says_which_of_its_databases_failed_and_why(store: EvidenceStore) -> None:
    mixed = outcome(
        database("cart", "complete"),
        database("crm", "partial"),
        database("shop", "failed", "Connection Failed: Timed out"),
    )
    told = outcome_metadata(mixed, store)
    assert str(told["not_complete"].value).splitlines() == [
        "crm: only partly visible; its WARNING row names the right to grant",
        "shop: Connection Failed: Timed out",
    ]
    assert "not_complete" not in outcome_metadata(outcome(database("cart", "complete")), store)
    many = outcome(*(database(f"db-{n:03}", "failed", "Connection Failed: Timed out") for n in range(70)))
    lines = str(outcome_metadata(many, store)["not_complete"].value).splitlines()
    assert (len(lines), lines[-1]) == (51, "and 20 more")
    assert collection_metadata([mixed, many], 1.5)["failed_databases"].value == 71


PLANTED = "Pl4nted.Adm1n"


def with_planted_admin(event: dict[str, Any]) -> bytes:
    """What the worker delivers, with one more administrator in every database, whose name is nowhere else."""
    made = json.loads(result_object(event))
    for connection in made["databaseConnections"]:
        who = {"username": f"{PLANTED}@%", "database_name": connection["name"], "tier": "0"}
        rights = {"role_name": "Full Admin (SUPER)", "permission_level": "Admin"}
        made["adminUsers"].append({**made["adminUsers"][0], **who, **rights})
        connection |= {"users": connection["users"] + 1, "admins": 1}
    made["metadata"]["totalUsers"] = len(made["adminUsers"])
    return json.dumps(made).encode()


def test_no_name_of_an_account_is_in_dagsters_store(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance.add_dynamic_partitions("targets", TARGETS)
    assert run_job(instance).success
    monkeypatch.setattr("benchmarks.fake_aws.result_object", with_planted_admin)
    assert run_job(instance).success
    assert metadata(instance, REPORT)["admins"] == 4
    new_tier0 = dg.AssetCheckKey(REPORT, "new_tier0")
    (latest,) = instance.event_log_storage.get_asset_check_execution_history(new_tier0, limit=1)
    assert latest.status.value == "FAILED"
    assert materialize(instance, COLLECTIONS, tags=RANGE).success
    assert materialize(instance, REPORT).success
    evidence = b"".join(fake_aws.objects.values())
    assert PLANTED.encode() in evidence  # else there was nothing to be found
    stored = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(b"new_tier0" in data for data in stored.values())
    assert [path for path, data in stored.items() if PLANTED.encode() in data or b"user7@%" in data] == []
