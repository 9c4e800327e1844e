"""The sensor that publishes failed checks and failed runs. Its cursor moves after publishing: at least once."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg

from dbadmin_assets.alerting import FIRST_LOOK_SECONDS, Look
from dbadmin_assets.checks.by_target import ASSET, COLLECTED, VISIBLE
from dbadmin_assets.checks.report import CHECKS
from dbadmin_assets.checks.sealed_report import REPORT
from dbadmin_assets.resources.wiring import AlertsResource
from dbadmin_assets.review.alerts.delivery import Delivery, deliver, undelivered
from dbadmin_assets.review.alerts.state import OFF, State, decode, encode
from dbadmin_assets.review.times import to_text

ALL_CHECKS = (
    *(dg.AssetCheckKey(ASSET, name) for name in (COLLECTED, VISIBLE)),
    *(dg.AssetCheckKey(REPORT, name) for name in CHECKS),
)


def alert_sensor(interval_seconds: int = 30) -> dg.SensorDefinition:
    """The sensor; tests let it look more often."""

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Publishes failed checks and failed runs to the SNS topic and the webhook that are configured.",
    )
    def alerts_sensor(context: dg.SensorEvaluationContext, alerts: AlertsResource) -> dg.SensorResult:
        """One look: what is new is put behind what waits, then every endpoint is tried."""
        endpoints = alerts.endpoints()
        if not endpoints:
            reason = "alerts go nowhere: neither alert_topic nor alert_webhook is set"
            return dg.SensorResult(skip_reason=reason, cursor=OFF)
        now = time.time()
        state = decode(context.cursor) or State(since=now - FIRST_LOOK_SECONDS)
        new = Look(context.instance, ALL_CHECKS, now).new_alerts(state)
        state.enqueue(new, endpoints)
        results = deliver(state.waiting, endpoints, now=now)
        state.waiting = {name: delivery.waiting for name, delivery in results.items()}
        told = _tell_of_failures(context, state, results)
        return dg.SensorResult(skip_reason=_summary(len(new), results), cursor=encode(state), asset_events=told)

    return alerts_sensor


def _tell_of_failures(
    context: dg.SensorEvaluationContext, state: State, results: Mapping[str, Delivery]
) -> list[dg.AssetObservation]:
    """What was given up on: in the log, as an observation of the report, and to whatever endpoint is left."""
    at, told = to_text(datetime.now(UTC)), []
    for name, delivery in results.items():
        if delivery.problem:
            context.log.warning(f"{name}: {delivery.problem}; {len(delivery.waiting)} alerts wait for it")
        if not delivery.given_up:
            continue
        ids = ", ".join(alert.id for alert in delivery.given_up)
        context.log.error(f"{len(delivery.given_up)} alerts were given up on for {name}: {ids}")
        number, problem = len(delivery.given_up), delivery.problem or "too many wait"
        metadata: dict[str, str | int] = {"endpoint": name, "alerts_given_up": number, "problem": problem}
        told.append(dg.AssetObservation(REPORT, metadata=metadata))
        if notice := undelivered(name, delivery, at):
            others = [other for other in results if other != name]
            waiting = dict(state.waiting)
            state.enqueue([notice], others)
            state.waiting = {**waiting, **state.waiting}
    return told


def _summary(new: int, results: Mapping[str, Delivery]) -> str:
    parts = [f"{name} {len(d.sent)} delivered, {len(d.waiting)} waiting" for name, d in results.items()]
    return f"{new} new alerts; " + "; ".join(parts)
