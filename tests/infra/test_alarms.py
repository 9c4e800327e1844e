"""Every alarm watches a metric that somebody publishes, and says what to do in the runbook."""

from __future__ import annotations

import re
from pathlib import Path

from dbadmin_assets import run_log
from dbadmin_assets.checks.report import CHECKS
from tests.infra.recording import Stack
from worker_lambda import handler

ROOT = Path(__file__).resolve().parents[2]


RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8").split("## Alarms\n")[1].split("\n## ")[0]


def test_the_runbook_has_a_section_for_every_alarm_and_watched_event_and_for_nothing_else(
    every_stack: list[Stack],
) -> None:
    told = {name for line in re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE) for name in line.split(", ")}
    alarms = {
        alarm.inputs["name"].rsplit("/", 1)[1]
        for stack in every_stack
        for alarm in stack.of("cloudwatch/metricAlarm:MetricAlarm")
    }
    rules = {
        re.sub("^db-admin-report-(central|worker)-", "", rule.inputs["name"])
        for stack in every_stack
        for rule in stack.of("cloudwatch/eventRule:EventRule")
        if "name" in rule.inputs
    }
    assert len(alarms) > 10 and len(rules) > 5
    assert told - {"Dagster's own alerts"} == alarms | rules - {"alarms"}  # that one forwards the alarms themselves


def test_the_runbook_says_what_to_do_about_every_check() -> None:
    table = RUNBOOK.split("### Dagster's own alerts")[1]
    told = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert told == {*CHECKS, "collected", "visibility_complete"}


def test_alarms_on_our_own_metrics_watch_what_worker_and_run_publish(every_stack: list[Stack]) -> None:
    sources = "".join(Path(str(module.__file__)).read_text("utf-8") for module in (handler, run_log))
    published = set(re.findall(r'"([A-Z][A-Za-z]+)":', sources))
    watched = {
        alarm.inputs["metricName"]
        for stack in every_stack
        for alarm in stack.of("cloudwatch/metricAlarm:MetricAlarm")
        if alarm.inputs["namespace"] == "DbAdminReport"
    }
    assert watched and watched <= published
