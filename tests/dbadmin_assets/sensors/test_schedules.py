"""Schedules: stopped, as configured, one report for one time however often it is evaluated."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest

from dbadmin_assets.config import load_settings
from dbadmin_assets.definitions import build_definitions
from dbadmin_assets.errors import ConfigurationError
from dbadmin_assets.schedules import Clock, report_schedules

DUE = datetime(2024, 4, 1, 6, tzinfo=UTC)


def test_both_are_off_until_somebody_turns_them_on() -> None:
    schedules = build_definitions().schedules
    assert schedules is not None
    found = {s.name: (s.cron_schedule, s.default_status) for s in schedules if isinstance(s, dg.ScheduleDefinition)}
    assert found == {
        "quarterly_report": ("0 6 1 1,4,7,10 *", dg.DefaultScheduleStatus.STOPPED),
        "weekly_report": ("0 6 * * 1", dg.DefaultScheduleStatus.STOPPED),
    }


def test_cron_and_time_zone_are_those_that_are_configured() -> None:
    environ = {
        "DBADMIN_SCHEDULE_QUARTERLY": "30 4 2 */3 *",
        "DBADMIN_SCHEDULE_WEEKLY": "0 7 * * FRI",
        "DBADMIN_SCHEDULE_TIMEZONE": "Europe/Berlin",
        "HOME": "/nowhere",
    }
    quarterly, weekly = report_schedules(Clock.of(load_settings(environ=environ)))
    assert (quarterly.cron_schedule, weekly.cron_schedule) == ("30 4 2 */3 *", "0 7 * * FRI")
    assert {quarterly.execution_timezone, weekly.execution_timezone} == {"Europe/Berlin"}


def test_a_tick_that_is_evaluated_twice_asks_for_one_run() -> None:
    quarterly, weekly = report_schedules(Clock())
    keys = []
    for schedule in (quarterly, quarterly, weekly):
        with dg.build_schedule_context(scheduled_execution_time=DUE) as context:
            (request,) = schedule.evaluate_tick(context).run_requests or ()
        assert request.tags["db-admin-report/requested_by"] == f"schedule {schedule.name}"
        keys.append(request.run_key)
    assert keys == ["quarterly-2024-04-01T06:00:00Z"] * 2 + ["weekly-2024-04-01T06:00:00Z"]


@pytest.mark.parametrize(
    "clock", [Clock(timezone="Mars/Olympus"), Clock(timezone="../etc/passwd"), Clock(weekly="61 * * * *")]
)
def test_what_is_no_time_is_refused_by_name(clock: Clock) -> None:
    with pytest.raises(ConfigurationError, match=r"schedule_(timezone|weekly) is"):
        report_schedules(clock)


def test_a_cron_that_is_none_is_refused_by_the_settings() -> None:
    with pytest.raises(ConfigurationError, match="a cron expression of five fields"):
        load_settings(environ={"DBADMIN_SCHEDULE_WEEKLY": "@weekly; rm", "HOME": "/nowhere"})
