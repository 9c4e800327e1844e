"""The freshness of the report turns red by the clock, and the event log is not filled with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import dagster as dg

from dbadmin_assets.resources.evidence import LATEST_KEY, EvidenceStore
from dbadmin_assets.resources.wiring import AwsResource, EvidenceResource
from dbadmin_assets.sensors import freshness_sensor
from tests.dbadmin_assets.fakes import FaultyAws
from tests.dbadmin_assets.test_pipeline import instance

__all__ = ["instance"]


def tick(instance: dg.DagsterInstance, cursor: str | None) -> tuple[str | None, list[bool]]:
    """The new cursor, and whether each evaluation passed."""
    evidence = EvidenceResource(aws=AwsResource())
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources={"evidence": evidence}) as context:
        result = freshness_sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result.cursor or cursor, [event.passed for event in result.asset_events]  # type: ignore[union-attr]


def seal(aws: FaultyAws, age_days: int) -> None:
    at = (datetime.now(UTC) - timedelta(days=age_days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    aws.objects[f"/evidence/{LATEST_KEY}"] = json.dumps({"endedAt": at}).encode()


def test_it_is_evaluated_at_every_change_and_else_once_a_day(
    instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws
) -> None:
    seal(fake_aws, 1)
    cursor, fresh = tick(instance, None)
    cursor, again = tick(instance, cursor)
    seal(fake_aws, 101)
    cursor, stale = tick(instance, cursor)
    assert (fresh, again, stale) == ([True], [], [False])
    yesterday = f"failed {datetime.now(UTC).timestamp() - 86_401:.0f}"
    assert tick(instance, yesterday)[1] == [False]


def test_without_any_report_it_is_red(instance: dg.DagsterInstance, store: EvidenceStore, fake_aws: FaultyAws) -> None:
    assert tick(instance, None)[1] == [False]
