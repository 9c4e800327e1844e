"""The checks in runs of the job and in runs as the UI makes them: the same answers, and no account name stored."""

from __future__ import annotations

import json

import dagster as dg
import pytest

from dbadmin_assets.checks.report import CHECKS, judged
from dbadmin_assets.checks.sealed_report import SealedReport
from dbadmin_assets.config import load_settings
from dbadmin_assets.resources.evidence import EvidenceStore
from tests.dbadmin_assets.fakes import FaultyAws, succeed
from tests.dbadmin_assets.test_pipeline import (
    COLLECTIONS,
    REPORT,
    TARGETS,
    fail_in_account_2,
    instance,
    materialize,
    run_job,
)

__all__ = ["instance"]


def states(instance: dg.DagsterInstance) -> dict[str, tuple[bool, str]]:
    """Passed and sentence of the newest evaluation of each check of the report."""
    found = {}
    for name in CHECKS:
        key = dg.AssetCheckKey(REPORT, name)
        (newest,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        evaluation = newest.evaluation
        assert evaluation is not None
        found[name] = (evaluation.passed, evaluation.description or "")
    return found


def visibility(instance: dg.DagsterInstance) -> dict[str | None, str]:
    key = dg.AssetCheckKey(COLLECTIONS, "visibility_complete")
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
    return {record.partition: record.status.value for record in reversed(history)}


def test_a_job_run_evaluates_every_check_of_the_report(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    assert run_job(instance).success
    found = states(instance)
    assert {name for name, (passed, _) in found.items() if passed} == set(CHECKS)
    assert found["data_volume"][1] == "there is no earlier report of this scope"
    assert visibility(instance) == dict.fromkeys([*TARGETS, None], "SUCCEEDED")


def test_the_report_alone_from_the_ui_evaluates_them_too(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    run_job(instance)
    assert materialize(instance, REPORT).success
    found = states(instance)
    assert found["data_volume"] == (True, "4 databases are within the band")
    assert found["new_tier0"] == (True, "no new administrator since the last report")


def test_an_incomplete_first_report_leaves_freshness_red_and_the_run_green(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    fake_aws.script = [fail_in_account_2]
    assert run_job(instance).success
    assert states(instance)["report_freshness"] == (False, "there is no complete report of the full scope yet")


def test_visibility_is_evaluated_by_partition_in_a_run_of_the_ui(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    instance.add_dynamic_partitions("targets", TARGETS)
    fake_aws.script = [fail_in_account_2]
    tags = {"dagster/asset_partition_range_start": TARGETS[0], "dagster/asset_partition_range_end": TARGETS[-1]}
    assert materialize(instance, COLLECTIONS, tags=tags).success
    assert visibility(instance) == {**dict.fromkeys(TARGETS, "SUCCEEDED"), None: "SUCCEEDED"}


def test_a_report_that_is_broken_afterwards_turns_its_checks_red_and_fails_no_run(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    run_job(instance)
    (manifest,) = [key for key in fake_aws.objects if key.endswith("/manifest.json")]
    fake_aws.objects[manifest] = b"{}"
    report = SealedReport(store, manifest.removeprefix("/evidence/").removesuffix("manifest.json"))
    found = {name: judged(name, report, load_settings()) for name in CHECKS}
    assert {name for name, judgement in found.items() if judgement.passed} == {"report_freshness"}
    assert found["population_balances"].said.startswith("could not be evaluated: ")


def test_an_earlier_report_that_had_to_be_passed_over_is_not_no_history(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    run_job(instance)
    (first,) = [key for key in fake_aws.objects if key.endswith("/manifest.json")]
    fake_aws.objects[first] = json.dumps({"schemaVersion": "1"}).encode()
    run_job(instance)
    passed, said = states(instance)["data_volume"]
    assert (passed, said.startswith("could not be evaluated: ")) == (False, True)


def test_without_any_report_a_check_is_red_and_says_so() -> None:
    assert judged("data_volume", None, load_settings()).said == "could not be evaluated: Dagster knows of no report yet"


@pytest.mark.parametrize("behaviour", [succeed, fail_in_account_2])
def test_no_evaluation_names_an_account(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws, behaviour: object
) -> None:
    fake_aws.script = [behaviour]  # type: ignore[list-item]
    runs = [run_job(instance), run_job(instance)]
    stored = "".join(
        str(record.event_log_entry) for run in runs for record in instance.get_records_for_run(run.run_id).records
    )
    assert "new_tier0" in stored
    assert "user7@%" not in stored
