"""CloudWatch alarms, each written down once as what it means (P1): docs/runbook.md has a section per name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.event_patterns import ALARM_PREFIX
from infra.policies.resources import METRIC_NAMESPACE

_LONG_RUN_SHARE = 0.8  # of the function's time-out
_FREE_STORAGE_BYTES = 2 * 1024**3

Missing = Literal["notBreaching", "breaching"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm.

    Attributes:
        name: last part of its name, and of its section in the runbook.
        threshold: it goes off at `comparison` to this, in the metric's own unit.
        missing: a report is made on demand, so for most metrics no data means that nothing ran.
    """

    name: str
    meaning: str
    namespace: str
    metric: str
    dimensions: Mapping[str, pulumi.Input[str]]
    threshold: float
    statistic: str = "Maximum"
    comparison: str = "GreaterThanOrEqualToThreshold"
    period_seconds: int = 300
    periods: int = 1
    missing: Missing = "notBreaching"


def worker_alarms(
    account_id: str, region: str, function: str, *, timeout_seconds: int, most_users: int
) -> tuple[Alarm, ...]:
    """Worker failures, long runs, unexpected volume of data."""
    own = {"AccountId": account_id, "Region": region}
    lambda_own = {"FunctionName": function}
    long_ms = timeout_seconds * 1000 * _LONG_RUN_SHARE
    below = "LessThanThreshold"
    return (
        Alarm("worker-errors", "the worker crashed or ran out of time", "AWS/Lambda", "Errors", lambda_own, 1, "Sum"),
        Alarm(
            "worker-throttled", "the worker's concurrency is used up", "AWS/Lambda", "Throttles", lambda_own, 1, "Sum"
        ),
        Alarm("long-run", "the worker needed most of its time-out", "AWS/Lambda", "Duration", lambda_own, long_ms),
        Alarm("failed-databases", "a database could not be read", METRIC_NAMESPACE, "FailedDatabases", own, 1),
        Alarm(
            "too-many-users", "far more accounts were read than expected", METRIC_NAMESPACE, "Users", own, most_users
        ),
        Alarm(
            "no-users", "the worker ran and read no account at all", METRIC_NAMESPACE, "Users", own, 1, "Minimum", below
        ),
    )


def dagster_alarms(
    *,
    database: pulumi.Input[str],
    load_balancer: pulumi.Input[str],
    target_group: pulumi.Input[str],
    cluster: str,
    services: Sequence[str],
) -> tuple[Alarm, ...]:
    """A run failed; Dagster does not answer, its database fills up, a service of it does not run."""
    behind = {"LoadBalancer": load_balancer, "TargetGroup": target_group}
    below, lowest = "LessThanThreshold", "Minimum"
    running = tuple(
        Alarm(
            f"{service}-down",
            f"Dagster's {service} does not run",
            "ECS/ContainerInsights",
            "RunningTaskCount",
            {"ClusterName": cluster, "ServiceName": service},
            1,
            lowest,
            below,
            periods=2,
            missing="breaching",
        )
        for service in services
    )
    return (
        *running,
        Alarm("run-failed", "a report could not be made", METRIC_NAMESPACE, "FailedRuns", {}, 1, "Sum"),
        Alarm(
            "dagster-unhealthy",
            "the webserver does not answer its health check",
            "AWS/ApplicationELB",
            "HealthyHostCount",
            behind,
            1,
            lowest,
            below,
            periods=2,
            missing="breaching",
        ),
        Alarm(
            "dagster-database-full",
            "Dagster's database is nearly full",
            "AWS/RDS",
            "FreeStorageSpace",
            {"DBInstanceIdentifier": database},
            _FREE_STORAGE_BYTES,
            lowest,
            below,
        ),
    )


@dataclass(frozen=True, slots=True)
class AlarmsArgs:
    """The alarms of one stack.

    Attributes:
        scope: middle of their names, such as `123456789012/us-east-1`.
        topic_arn: where they go; none from a worker account, whose alarms a rule forwards.
    """

    scope: str
    alarms: Sequence[Alarm]
    topic_arns: Sequence[pulumi.Input[str]] = field(default_factory=tuple)


class Alarms(Component):
    """Every alarm, named `db-admin-report/{scope}/{name}`."""

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        for alarm in args.alarms:
            aws.cloudwatch.MetricAlarm(
                f"{name}-{alarm.name}",
                name=f"{ALARM_PREFIX}{args.scope}/{alarm.name}",
                alarm_description=f"{alarm.meaning}. What to do: docs/runbook.md, {alarm.name}",
                namespace=alarm.namespace,
                metric_name=alarm.metric,
                dimensions=alarm.dimensions,
                statistic=alarm.statistic,
                comparison_operator=alarm.comparison,
                threshold=alarm.threshold,
                period=alarm.period_seconds,
                evaluation_periods=alarm.periods,
                treat_missing_data=alarm.missing,
                alarm_actions=list(args.topic_arns),
                ok_actions=list(args.topic_arns),
                opts=self.child(),
            )
        self.register_outputs({})
