"""From the entries of Dagster's event log to the events that the commands know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbadmin_assets.cli.progress import innermost_cause
from dbadmin_assets.cli.runs import RunEvent, event_kind

if TYPE_CHECKING:
    from dagster import DagsterEvent
    from dagster._core.events.log import EventLogEntry


def to_run_event(entry: EventLogEntry) -> RunEvent:
    """One entry."""
    text, at = str(entry.user_message or entry.message or ""), float(entry.timestamp)
    event = entry.dagster_event
    if event is None:
        return RunEvent("", entry.step_key, text, at)
    kind = event_kind(event.event_type.value)
    if kind == "ASSET_MATERIALIZATION":
        made = event.step_materialization_data.materialization
        return RunEvent(
            kind, entry.step_key, text, at,
            asset="/".join(made.asset_key.path),
            partition=made.partition,
            metadata={name: value.value for name, value in made.metadata.items()},
        )  # fmt: skip
    cause = innermost_cause(_chain(event)) if kind.endswith("_FAILURE") else None
    return RunEvent(kind, entry.step_key, event.message or text if kind.endswith("_FAILURE") else text, at, cause=cause)


def _chain(event: DagsterEvent) -> list[tuple[str, str]]:
    # Whoever marks a run as failed from outside gives a message and no data; `job_failure_data` hides that.
    error: Any = getattr(event.event_specific_data, "error", None)
    chain = []
    while error is not None:
        chain.append((str(error.cls_name or ""), str(error.message)))
        error = error.cause
    return chain
