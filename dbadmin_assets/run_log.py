"""The log of a run as JSON lines, in the form of the worker's, with what CloudWatch makes metrics of.

For a `dagster.yaml` (deployment/ecs): `python_logs.dagster_handler_config` names RunLogHandler, and standard output
goes to CloudWatch Logs. The run's id is `correlation_id` here and in the worker's log. No account name is in a line.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

import dagster as dg

from dbadmin_assets.failure_reason import told

NAMESPACE = "DbAdminReport"  # the worker's, too
_ASSET, _REPORT = "account_collections", "db_admin_report"
_TYPE = dg.DagsterEventType
_EVENTS = {
    _TYPE.RUN_START, _TYPE.RUN_SUCCESS, _TYPE.RUN_FAILURE, _TYPE.RUN_CANCELED, _TYPE.STEP_START, _TYPE.STEP_SUCCESS,
    _TYPE.STEP_FAILURE, _TYPE.ASSET_MATERIALIZATION, _TYPE.ASSET_CHECK_EVALUATION,
}  # fmt: skip
_COUNT, _MILLISECONDS = "Count", "Milliseconds"

Metrics = dict[str, tuple[float, str]]
"""Value and CloudWatch unit by metric name."""


class RunLogHandler(logging.StreamHandler[TextIO]):
    """Writes what happens in a run; Dagster's engine messages, which say nothing of it, are left out."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream or sys.stdout)
        self.addFilter(lambda record: next(lines(record), None) is not None)

    def format(self, record: logging.LogRecord) -> str:
        """One or more lines."""
        return "\n".join(json.dumps(line, ensure_ascii=True) for line in lines(record))


def lines(record: logging.LogRecord) -> Iterator[dict[str, Any]]:
    """What a record of Dagster's comes to: nothing, a line, or a line and its metrics."""
    meta = getattr(record, "dagster_meta", None)
    if meta is None:
        return
    event: dg.DagsterEvent | None = meta["dagster_event"]
    if event is not None and (event.event_type not in _EVENTS or _passed(event)):
        return
    at = datetime.fromtimestamp(record.created, UTC)
    tags = meta["job_tags"] or {}
    yield {
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": _level(record, event),
        "message": meta["orig_message"],
        "correlation_id": meta["run_id"],
        "collection_id": tags.get("dagster/backfill") or tags.get("dagster/root_run_id") or meta["run_id"],
        **({"step": meta["step_key"]} if meta["step_key"] else {}),
        **(_fields(event) if event else {}),
    }
    if event is not None:
        for dimensions, metrics in _metrics(event):
            yield _embedded(at, dimensions, metrics)


def _level(record: logging.LogRecord, event: dg.DagsterEvent | None) -> str:
    """Dagster logs its events as DEBUG, checks that fail among them."""
    if event is not None and event.event_type == _TYPE.ASSET_CHECK_EVALUATION:
        return event.asset_check_evaluation_data.severity.value
    return record.levelname if event is None or record.levelno > logging.INFO else "INFO"


def _passed(event: dg.DagsterEvent) -> bool:
    """A check that passed: thousands of a run, and the others are told."""
    return event.event_type == _TYPE.ASSET_CHECK_EVALUATION and event.asset_check_evaluation_data.passed


def _fields(event: dg.DagsterEvent) -> dict[str, Any]:
    fields: dict[str, Any] = {"event": event.event_type.value}
    if event.event_type == _TYPE.ASSET_MATERIALIZATION:
        made = event.step_materialization_data.materialization
        fields["asset"] = made.asset_key.to_user_string()
        if made.partition:
            fields["target"] = made.partition
        return fields | {name: _plain(value.value) for name, value in made.metadata.items()}
    if event.event_type == _TYPE.ASSET_CHECK_EVALUATION:
        found = event.asset_check_evaluation_data
        fields |= {"check": found.check_name, "severity": found.severity.value, "reason": found.description}
        return fields | ({"target": found.partition} if found.partition else {})
    if event.event_type == _TYPE.STEP_FAILURE:
        fields["error"] = told(event.step_failure_data.error)
    return fields


def _plain(value: object) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else str(value)


def _metrics(event: dg.DagsterEvent) -> Iterator[tuple[dict[str, str], Metrics]]:
    """Of a target: per account, and of all; of a report and of a run that failed: of all."""
    if event.event_type == _TYPE.RUN_FAILURE:
        yield {}, {"FailedRuns": (1, _COUNT)}
    if event.event_type != _TYPE.ASSET_MATERIALIZATION:
        return
    made = event.step_materialization_data.materialization
    asset = made.asset_key.to_user_string()
    facts: dict[str, Any] = {name: value.value for name, value in made.metadata.items()}
    if asset == _ASSET and made.partition and "status" in facts:
        yield (
            {"AccountId": made.partition.partition("|")[0]},
            {
                "Targets": (1, _COUNT),
                "FailedTargets": (int(facts["failed_databases"] > 0), _COUNT),
                "TargetDuration": (round(facts["duration_seconds"] * 1000), _MILLISECONDS),
                "TargetUsers": (facts["users"], _COUNT),
                "TargetAdmins": (facts["admins"], _COUNT),
            },
        )
    if asset == _REPORT and "complete" in facts:
        yield (
            {},
            {
                "Reports": (1, _COUNT),
                "IncompleteReports": (int(not facts["complete"]), _COUNT),
                "ReportUsers": (facts["users"], _COUNT),
                "ReportAdmins": (facts["admins"], _COUNT),
            },
        )


def _embedded(at: datetime, dimensions: dict[str, str], metrics: Metrics) -> dict[str, Any]:
    """A line in CloudWatch's embedded metric format; always also without dimensions, which is the sum."""
    sets = [list(dimensions), []] if dimensions else [[]]
    definitions = [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()]
    directive = {"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": definitions}
    return {
        "_aws": {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [directive]},
        **dimensions,
        **{name: value for name, (value, _) in metrics.items()},
    }
