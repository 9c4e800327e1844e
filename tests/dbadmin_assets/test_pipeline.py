"""The real job and the real assets on a real instance, with worker Lambdas that misbehave as told.

`tests/test_end_to_end.py` runs the same with real workers, databases and daemon.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy.exc import IntegrityError

from benchmarks.fake_aws import Answer
from dbadmin_assets.definitions import build_definitions
from dbadmin_assets.resources.evidence import EvidenceStore
from tests.dbadmin_assets.fakes import INVENTORY, FaultyAws, succeed

COLLECTIONS = dg.AssetKey("account_collections")
REPORT = dg.AssetKey("db_admin_report")
TARGETS = ["111111111111|eu-west-1", "111111111111|us-east-1", "222222222222|us-east-1"]


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_aws: FaultyAws) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "inventory.yaml").write_bytes(INVENTORY)
    monkeypatch.setenv("DBADMIN_INVENTORY", str(tmp_path / "inventory.yaml"))
    monkeypatch.setenv("DBADMIN_BUCKET", "evidence")
    monkeypatch.setenv("DBADMIN_REGION", "us-east-1")
    monkeypatch.setenv("DBADMIN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DBADMIN_CONFIG", "/dev/null")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


async def fail_in_account_2(aws: FaultyAws, event: dict[str, Any]) -> Answer:
    if event["account_id"] == "222222222222":
        return Answer(b'{"message": "no"}', 403, {"x-amzn-ErrorType": "AccessDeniedException"})
    return await succeed(aws, event)


def run_job(instance: dg.DagsterInstance, **config: Any) -> dg.ExecuteInProcessResult:
    job = build_definitions().resolve_job_def("db_admin_report")
    return job.execute_in_process(
        instance=instance, run_config={"ops": {"account_collections": {"config": config}}}, raise_on_error=False
    )


def the_job() -> dg.JobDefinition:
    return build_definitions().resolve_job_def("db_admin_report")


def re_execute(instance: dg.DagsterInstance, run_id: str) -> dg.JobExecutionResult:
    """As the UI's "Re-execute all" does: a new run, whose root is the first."""
    options = dg.ReexecutionOptions(parent_run_id=run_id)
    return dg.execute_job(dg.reconstructable(the_job), instance=instance, reexecution_options=options)


def materialize(instance: dg.DagsterInstance, *assets: dg.AssetKey, **kwargs: Any) -> dg.ExecuteInProcessResult:
    job = build_definitions().resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, asset_selection=list(assets), **kwargs)


def check_results(instance: dg.DagsterInstance) -> dict[str | None, str]:
    """The latest state of the check by partition."""
    key = dg.AssetCheckKey(COLLECTIONS, "collected")
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
    return {record.partition: record.status.value for record in reversed(history)}


def report_of(store: EvidenceStore, result: dg.ExecuteInProcessResult) -> tuple[list[list[str]], dict[str, Any]]:
    """The CSV's rows and the manifest of the report that a run made."""
    assert result.success
    (materialization,) = result.asset_materializations_for_node("report")
    folder = str(materialization.metadata["report"].value).removeprefix("s3://evidence/")
    data, manifest = store.read(folder + "db-admin-report.csv"), store.read(folder + "manifest.json")
    assert data is not None and manifest is not None
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig")))), json.loads(manifest)


def data_rows(rows: list[list[str]]) -> list[list[str]]:
    """Without the times, which differ from collection to collection."""
    return [row[:9] for row in rows[1:] if ":" not in row[0]]


def test_a_run_reports_every_target_and_says_complete(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    rows, manifest = report_of(store, run_job(instance))
    assert len(data_rows(rows)) == 400
    assert manifest["complete"] is True
    assert manifest["population"] == {"declared": 4, "complete": 4, "partial": 0, "failed": 0, "excluded": 0}
    assert store.read("reports/latest.json") is not None
    assert check_results(instance) == dict.fromkeys([*TARGETS, None], "SUCCEEDED")


def test_an_unreachable_account_becomes_error_rows_and_a_red_check(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    fake_aws.script = [fail_in_account_2]
    rows, manifest = report_of(store, run_job(instance))
    errors = [row for row in rows if row[0].startswith("ERROR:")]
    assert [row[:5] for row in errors] == [
        ["ERROR: 222222222222", "us-east-1", name, "MySQL", "Worker Failed: Invalid answer"]
        for name in ("cart", "shop")
    ]
    assert (manifest["complete"], manifest["population"]["failed"]) == (False, 2)
    assert store.read("reports/latest.json") is None
    all_failed = {"222222222222|us-east-1": "FAILED", None: "FAILED"}  # the last one of all targets together
    assert check_results(instance) == {**dict.fromkeys(TARGETS, "SUCCEEDED"), **all_failed}


def test_a_failed_partition_is_red_after_a_run_of_a_range_too(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    instance.add_dynamic_partitions("targets", TARGETS)
    fake_aws.script = [fail_in_account_2]
    tags = {"dagster/asset_partition_range_start": TARGETS[0], "dagster/asset_partition_range_end": TARGETS[-1]}
    assert materialize(instance, COLLECTIONS, tags=tags).success
    assert check_results(instance) == {
        **dict.fromkeys(TARGETS, "SUCCEEDED"),
        "222222222222|us-east-1": "FAILED",
        None: "FAILED",
    }


def test_one_partition_then_the_report_alone_covers_the_inventory_from_latest_outcomes(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    fake_aws.script = [fail_in_account_2]
    run_job(instance)
    fake_aws.script = [succeed]
    instance.add_dynamic_partitions("targets", TARGETS)
    assert materialize(instance, COLLECTIONS, partition_key=TARGETS[2]).success
    assert check_results(instance)[TARGETS[2]] == "SUCCEEDED"
    rows, manifest = report_of(store, materialize(instance, REPORT))
    assert len(data_rows(rows)) == 400
    assert manifest["complete"] is True


def test_a_target_never_collected_is_an_error_in_the_report_alone(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    run_job(instance, accounts=["111111111111"])
    rows, manifest = report_of(store, materialize(instance, REPORT))
    assert [row[4] for row in rows if row[0].startswith("ERROR:")] == ["Worker Failed: Result missing"] * 2
    assert manifest["complete"] is False


def test_a_report_of_part_of_the_scope_never_becomes_latest(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    _, manifest = report_of(store, run_job(instance, accounts=["111111111111"], regions=["us-east-1"]))
    assert (manifest["complete"], manifest["scope"]["full"]) == (True, False)
    assert store.read("reports/latest.json") is None


def test_an_unknown_account_fails_the_run_before_anything_is_invoked(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    assert not run_job(instance, accounts=["999999999999"]).success
    assert (fake_aws.events, store.keys("")) == ([], [])


def test_account_names_never_enter_dagsters_event_store(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    result = run_job(instance)
    stored = "".join(str(record.event_log_entry) for record in instance.get_records_for_run(result.run_id).records)
    assert "222222222222|us-east-1" in stored
    assert "user7@%" not in stored


def test_a_re_execution_collects_only_targets_without_a_success(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    fake_aws.script = [fail_in_account_2]
    first = run_job(instance)
    collected = len(fake_aws.events)
    fake_aws.script = [succeed]
    with re_execute(instance, first.run_id) as again:
        assert again.success
    new = fake_aws.events[collected:]
    assert [(e["account_id"], e["collection_id"]) for e in new] == [("222222222222", first.run_id)]
    assert store.read("reports/latest.json") is not None


def test_an_object_that_was_delivered_but_never_judged_is_not_collected_again(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    first = run_job(instance)
    for key in [k for k in fake_aws.objects if k.startswith("/evidence/outcomes/") or "/reports/" in k]:
        del fake_aws.objects[key]
    invoked = len(fake_aws.events)
    with re_execute(instance, first.run_id) as again:
        assert again.success
    assert len(fake_aws.events) == invoked
    assert store.read("reports/latest.json") is not None


def test_a_target_whose_databases_are_all_excluded_is_not_asked_and_still_counted(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws, tmp_path: Path
) -> None:
    excluded = INVENTORY.replace(b"host: db1}", b'host: db1, exclude: "no data, SEC-1"}')
    (tmp_path / "inventory.yaml").write_bytes(excluded)
    _, manifest = report_of(store, run_job(instance))
    assert {event["region"] for event in fake_aws.events if event["account_id"] == "111111111111"} == {"eu-west-1"}
    assert manifest["population"] == {"declared": 4, "complete": 3, "partial": 0, "failed": 0, "excluded": 1}
    assert manifest["complete"] is True
    assert check_results(instance) == dict.fromkeys([*TARGETS, None], "SUCCEEDED")


def test_a_run_that_loses_the_race_for_the_partition_keys_goes_on(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = instance.add_dynamic_partitions
    lost: list[str] = []

    def lose_once(name: str, keys: list[str]) -> None:
        add(name, keys)
        if not lost:
            lost.append(name)
            raise IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))

    monkeypatch.setattr(instance, "add_dynamic_partitions", lose_once)
    assert run_job(instance).success
    assert (lost, sorted(instance.get_dynamic_partitions("targets"))) == (["targets"], TARGETS)


async def look_too(aws: FaultyAws, event: dict[str, Any]) -> Answer:
    """A worker that finds one database that nobody declared, and the one that is declared in another spelling."""
    answer = await succeed(aws, event)
    key = f"/{event['result']['bucket']}/{event['result']['key']}"
    result = json.loads(aws.objects[key])
    names = ("archive.rds", event["databases"][0]["host"].upper())
    result["discovery"] = {
        "status": "complete", "reason": None, "at": "2026-01-15T14:22:33Z",
        "found": [
            {
                "identifier": name, "arn": name, "kind": "instance", "engine": "mysql", "product": "mariadb",
                "state": "available", "host": name, "port": 3306, "addresses": [],
            }
            for name in names
        ],
    }  # fmt: skip
    data = aws.objects[key] = json.dumps(result).encode()
    changed = {"sha256": hashlib.sha256(data).hexdigest(), "sizeBytes": len(data)}
    return Answer(json.dumps(json.loads(answer.body) | changed).encode())


def test_what_runs_and_is_not_declared_is_in_the_report_and_leaves_it_complete(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws, tmp_path: Path
) -> None:
    asked = INVENTORY.replace(b"external_id: ext-1,", b"external_id: ext-1, discover: true, discover_tag: engine,")
    (tmp_path / "inventory.yaml").write_bytes(asked)
    fake_aws.script = [look_too]
    rows, manifest = report_of(store, run_job(instance))
    assert {event["discover_tag"] for event in fake_aws.events} == {"engine"}
    warned = [row[:5] for row in rows if row[0].startswith("WARNING:")]
    assert warned == [
        [f"WARNING: {account}", region, "archive.rds", "MySQL", "Not in inventory"]
        for account, region in (key.split("|") for key in TARGETS)
    ]
    assert manifest["complete"] is True
    assert [target["known"] for target in manifest["discovered"]["targets"]] == [1, 1, 1]
    assert len(manifest["discovered"]["undeclared"]) == 3


def test_a_target_is_collected_again_where_more_was_declared_since(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws, tmp_path: Path
) -> None:
    first = run_job(instance)
    more = b"[{name: orders, engine: mysql, host: db1}, {name: late, engine: mysql, host: db9}]"
    text = INVENTORY.replace(b"[{name: orders, engine: mysql, host: db1}]", more)
    (tmp_path / "inventory.yaml").write_bytes(text)
    asked = len(fake_aws.events)
    assert re_execute(instance, first.run_id).success
    assert [(e["account_id"], e["region"], e["attempt"]) for e in fake_aws.events[asked:]] == [
        ("111111111111", "us-east-1", 2)
    ]
