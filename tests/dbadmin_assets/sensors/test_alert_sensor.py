"""The sensor on a real instance after real runs: what is told, to whom, how often."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from dbadmin_assets import alerting
from dbadmin_assets.checks.evaluation import check_evaluation
from dbadmin_assets.checks.freshness import FRESHNESS
from dbadmin_assets.checks.sealed_report import REPORT
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.resources.wiring import AlertsResource, AwsResource
from dbadmin_assets.review.alerts import delivery
from dbadmin_assets.review.alerts.delivery import UndeliveredError
from dbadmin_assets.review.alerts.formats import plain_text
from dbadmin_assets.review.alerts.model import Alert
from dbadmin_assets.review.alerts.state import OFF, decode
from dbadmin_assets.review.checks.judgement import Judgement
from dbadmin_assets.sensors import alert_sensor
from tests.dbadmin_assets.fakes import FaultyAws, succeed
from tests.dbadmin_assets.test_pipeline import (
    COLLECTIONS,
    TARGETS,
    fail_in_account_2,
    instance,
    materialize,
    run_job,
    the_job,
)

__all__ = ["instance"]


class Watch:
    """The sensor with its cursor, and what its endpoints got."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._sensor = alert_sensor()
        self.cursor: str | None = None
        self.got: dict[str, list[Alert]] = {"topic": []}
        self.dead: set[str] = set()

    def tick(self, *, keep_cursor: bool = True) -> dg.SensorResult:
        """One evaluation; without `keep_cursor` the daemon dies before it can store the cursor."""
        watch = self

        class Kept(AlertsResource):
            def endpoints(self) -> Any:
                return {name: watch._endpoint(name) for name in watch.got}

        with dg.build_sensor_context(
            instance=self._instance, cursor=self.cursor, resources={"alerts": Kept(aws=AwsResource())}
        ) as context:
            result = self._sensor(context)
        assert isinstance(result, dg.SensorResult)
        if keep_cursor:
            self.cursor = result.cursor
        return result

    def _endpoint(self, name: str) -> Callable[[Alert], None]:
        def send(alert: Alert) -> None:
            if name in self.dead:
                raise UndeliveredError("down")
            self.got[name].append(alert)

        return send

    def new(self, name: str = "topic") -> list[tuple[str, str, list[str]]]:
        """Kind, check and targets of what one endpoint got since the last call."""
        got, self.got[name] = self.got[name], []
        return [(a.kind, a.check, [t.target for t in a.targets]) for a in got]


@pytest.fixture
def watch(instance: dg.DagsterInstance, fake_aws: FaultyAws, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr(alerting, "SETTLE_SECONDS", 0)
    return Watch(instance)


FAILED = ("check-failed", "collected", [TARGETS[2]])
STALE = ("check-failed", "report_freshness", [])


def test_a_failed_target_is_told_once_with_its_reason(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch
) -> None:
    fake_aws.script = [fail_in_account_2]
    run = run_job(instance)
    watch.tick()
    collected = watch.got["topic"][0]
    assert (collected.run_id, collected.targets[0].reason) == (
        run.run_id,
        "2 databases failed: Worker Failed: Invalid answer",
    )
    assert watch.new() == [FAILED, STALE]
    watch.tick()
    assert watch.new() == []


def test_every_run_that_fails_is_told_and_recovery_once(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch
) -> None:
    for script in ([fail_in_account_2], [fail_in_account_2], [succeed]):
        fake_aws.script = script
        run_job(instance)
        watch.tick()
    assert watch.new() == [
        FAILED,
        STALE,
        FAILED,
        STALE,
        ("check-recovered", "collected", [TARGETS[2]]),
        ("check-recovered", "report_freshness", []),
    ]
    run_job(instance)
    watch.tick()
    assert watch.new() == []


def test_what_passed_before_it_failed_again_has_not_recovered(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch
) -> None:
    fake_aws.script = [fail_in_account_2]
    run_job(instance)
    watch.tick()
    watch.new()
    fake_aws.script = [succeed]
    run_job(instance)
    fake_aws.script = [fail_in_account_2]
    run_job(instance)
    watch.tick()
    assert [(kind, check) for kind, check, _ in watch.new()] == [
        ("check-failed", "collected"),
        ("check-recovered", "report_freshness"),
    ]


def test_a_run_that_is_marked_as_failed_from_outside_is_told_with_that_word(
    instance: dg.DagsterInstance, watch: Watch
) -> None:
    run = instance.create_run_for_job(the_job(), status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(run, "its process was killed")
    watch.tick()
    assert watch.got["topic"][0].said == f"run {run.run_id}: its process was killed"


def test_a_run_of_a_range_from_the_ui_tells_the_target_and_not_the_sum_of_all(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch
) -> None:
    instance.add_dynamic_partitions("targets", TARGETS)
    fake_aws.script = [fail_in_account_2]
    tags = {"dagster/asset_partition_range_start": TARGETS[0], "dagster/asset_partition_range_end": TARGETS[-1]}
    materialize(instance, COLLECTIONS, tags=tags)
    watch.tick()
    assert watch.new() == [FAILED]
    fake_aws.script = [succeed]
    materialize(instance, COLLECTIONS, partition_key=TARGETS[2])
    watch.tick()
    assert watch.new() == [("check-recovered", "collected", [TARGETS[2]])]


def test_a_run_that_fails_is_told_with_its_reason_and_the_next_success_too(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch
) -> None:
    run_job(instance, accounts=["999999999999"])
    watch.tick()
    (failed,) = watch.got["topic"]
    assert "999999999999" in failed.said
    assert watch.new() == [("run-failed", "", [])]
    run_job(instance)
    watch.tick()
    assert watch.new() == [("run-recovered", "", [])]


def test_the_text_of_an_error_that_is_not_written_for_people_is_not_told(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("row of account 'alice'@'%'")

    monkeypatch.setattr(EvidenceStore, "put_request", fail)
    run_job(instance)
    watch.tick()
    assert watch.got["topic"][0].said.endswith("step account_collections: RuntimeError")


def test_runs_of_somebody_else_on_the_same_instance_are_nobodys_alert_here(
    instance: dg.DagsterInstance, watch: Watch
) -> None:
    @dg.op
    def fails() -> None:
        raise RuntimeError

    @dg.job
    def theirs() -> None:
        fails()

    theirs.execute_in_process(instance=instance, raise_on_error=False)
    watch.tick()
    assert watch.new() == []


def test_a_daemon_killed_before_its_cursor_is_stored_tells_the_same_again_with_the_same_id(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch
) -> None:
    fake_aws.script = [fail_in_account_2]
    run_job(instance)
    watch.tick(keep_cursor=False)
    watch.tick()
    ids = [alert.id for alert in watch.got["topic"]]
    assert len(ids) == 4
    assert ids[:2] == ids[2:]


def test_what_failed_while_no_daemon_was_there_is_told_when_it_is_back(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch
) -> None:
    watch.tick()
    fake_aws.script = [fail_in_account_2]
    run_job(instance)
    later = decode(watch.cursor)
    assert later is not None
    assert later.runs_after is None
    watch.tick()
    assert watch.new() == [FAILED, STALE]


def test_a_dead_endpoint_keeps_its_alerts_while_the_other_gets_them(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_FIRST_WAIT", 0.0)
    watch.got = {"topic": [], "webhook": []}
    watch.dead = {"webhook"}
    fake_aws.script = [fail_in_account_2]
    run_job(instance)
    watch.tick()
    watch.tick()
    assert (watch.new("topic"), watch.new("webhook")) == ([FAILED, STALE], [])
    watch.dead = set()
    watch.tick()
    assert (watch.new("topic"), watch.new("webhook")) == ([], [FAILED, STALE])


def test_an_endpoint_that_stays_dead_is_given_up_in_dagster_and_to_the_other_endpoint(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_FIRST_WAIT", 0.0)
    watch.got = {"topic": [], "webhook": []}
    watch.dead = {"webhook"}
    run_job(instance, accounts=["999999999999"])
    results = [watch.tick() for _ in range(delivery.MOST_TRIES)]
    assert [len(result.asset_events) for result in results] == [0] * (delivery.MOST_TRIES - 1) + [1]
    (observation,) = results[-1].asset_events
    assert observation.metadata["alerts_given_up"].value == 1
    watch.tick()
    assert [kind for kind, _, _ in watch.new("topic")] == ["run-failed", "undelivered"]


def test_without_an_endpoint_nothing_is_read_and_the_tick_says_so(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch
) -> None:
    fake_aws.script = [fail_in_account_2]
    run_job(instance)
    watch.got = {}
    result = watch.tick()
    assert result.cursor == OFF
    assert result.skip_reason is not None
    assert "alert_topic" in str(result.skip_reason.skip_message)


def test_a_check_that_a_sensor_evaluates_is_told_at_its_turn_and_back(
    instance: dg.DagsterInstance, watch: Watch
) -> None:
    for passed in (True, False, False, True):
        judged = Judgement(passed, "ERROR", "101 days old")
        instance.report_runless_asset_event(check_evaluation(REPORT, FRESHNESS, judged))
        watch.tick()
    assert watch.new() == [STALE, ("check-recovered", "report_freshness", [])]


def test_an_evaluation_that_may_still_be_overtaken_waits_for_the_next_tick(
    instance: dg.DagsterInstance, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL may show the later of two before the earlier one, which would be passed over for good."""
    monkeypatch.setattr(alerting, "SETTLE_SECONDS", 60)
    judged = Judgement(False, "ERROR", "101 days old")
    instance.report_runless_asset_event(check_evaluation(REPORT, FRESHNESS, judged))
    watch.tick()
    assert watch.new() == []
    monkeypatch.setattr(alerting, "SETTLE_SECONDS", 0)
    watch.tick()
    assert watch.new() == [STALE]


def test_a_target_that_left_the_inventory_is_forgotten(
    instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch
) -> None:
    fake_aws.script = [fail_in_account_2]
    run_job(instance)
    watch.tick()
    run_job(instance, accounts=["111111111111"])
    instance.delete_dynamic_partition("targets", TARGETS[2])
    watch.tick()
    state = decode(watch.cursor)
    assert state is not None
    assert "account_collections:collected" not in state.red


def test_no_message_names_an_account(instance: dg.DagsterInstance, fake_aws: FaultyAws, watch: Watch) -> None:
    fake_aws.script = [fail_in_account_2]
    run_job(instance)
    watch.tick()
    told = "".join(plain_text(alert) for alert in watch.got["topic"]) + json.dumps(watch.cursor)
    assert TARGETS[2] in told
    assert "user7" not in told
