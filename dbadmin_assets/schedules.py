"""Schedules: the same report by the clock. Off until somebody turns them on; they need a daemon."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dagster as dg

from dbadmin_assets.assets.run_scope import REQUEST_ID_TAG, REQUESTED_BY_TAG
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import ConfigurationError
from dbadmin_assets.jobs import db_admin_report_job
from dbadmin_assets.review.times import to_text


@dataclass(frozen=True, slots=True)
class Clock:
    """When; cron expressions of five fields, and the time zone that they are meant in."""

    quarterly: str = "0 6 1 1,4,7,10 *"
    weekly: str = "0 6 * * 1"
    timezone: str = "UTC"

    @classmethod
    def of(cls, settings: Settings) -> "Clock":
        """As it is configured."""
        return cls(settings.schedule_quarterly, settings.schedule_weekly, settings.schedule_timezone)


def report_schedules(clock: Clock) -> list[dg.ScheduleDefinition]:
    """`quarterly_report` and `weekly_report`, stopped.

    Raises:
        ConfigurationError: what is configured is no time zone, or no cron expression.
    """
    try:
        ZoneInfo(clock.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError([f"schedule_timezone is {clock.timezone!a}, not a time zone"]) from error
    return [_schedule("quarterly", clock.quarterly, clock), _schedule("weekly", clock.weekly, clock)]


def _schedule(name: str, cron: str, clock: Clock) -> dg.ScheduleDefinition:
    try:
        return dg.ScheduleDefinition(
            name=f"{name}_report",
            cron_schedule=cron,
            execution_timezone=clock.timezone,
            job=db_admin_report_job,
            execution_fn=_request(name),
            default_status=dg.DefaultScheduleStatus.STOPPED,
            description="A report of the whole inventory. Turn it on in the UI; cron and time zone are settings.",
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError([f"schedule_{name} is {cron!a}, not a cron expression"]) from error


def _request(name: str) -> Callable[[dg.ScheduleEvaluationContext], dg.RunRequest]:
    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """The run key is the time that it was due: a tick that is evaluated twice makes one report."""
        key = f"{name}-{to_text(context.scheduled_execution_time.astimezone(UTC))}"
        return dg.RunRequest(run_key=key, tags={REQUESTED_BY_TAG: f"schedule {name}_report", REQUEST_ID_TAG: key})

    return request
