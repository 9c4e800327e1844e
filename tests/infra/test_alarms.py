"""Every alarm watches a metric that somebody publishes, and says what to do in the runbook."""

from __future__ import annotations

import re
from pathlib import Path

from tests.infra.recording import Stack
from worker_lambda import handler

ROOT = Path(__file__).resolve().parents[2]


def test_every_alarm_has_its_section_in_the_runbook(every_stack: list[Stack]) -> None:
    text = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    told = {name for line in re.findall(r"^### (.+)$", text, re.MULTILINE) for name in line.split(", ")}
    alarms = {
        alarm.inputs["name"].rsplit("/", 1)[1]
        for stack in every_stack
        for alarm in stack.of("cloudwatch/metricAlarm:MetricAlarm")
    }
    assert alarms and alarms <= told, alarms - told


def test_alarms_on_our_own_metrics_watch_what_the_worker_publishes(every_stack: list[Stack]) -> None:
    published = set(re.findall(r'"([A-Z][A-Za-z]+)":', Path(handler.__file__).read_text("utf-8")))
    watched = {
        alarm.inputs["metricName"]
        for stack in every_stack
        for alarm in stack.of("cloudwatch/metricAlarm:MetricAlarm")
        if alarm.inputs["namespace"] == "DbAdminReport"
    }
    assert watched and watched <= published
