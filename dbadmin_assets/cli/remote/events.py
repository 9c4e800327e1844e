"""From GraphQL's events to the events that the commands know."""

from __future__ import annotations

from typing import Any

from dbadmin_assets.cli.progress import innermost_cause
from dbadmin_assets.cli.runs import RunEvent, event_kind

_VALUES = {"text": str, "url": str, "intRepr": int, "floatRepr": float, "boolValue": bool}


def to_run_event(event: dict[str, Any]) -> RunEvent:
    """One event of `queries.EVENTS`."""
    error = event.get("error")
    chain = [error, *error["causes"]] if error else []
    asset = event.get("assetKey") or {}
    return RunEvent(
        kind=event_kind(event.get("eventType") or ""),
        step_key=event.get("stepKey"),
        text=str(event.get("message") or ""),
        at=float(event["timestamp"]) / 1000,
        cause=innermost_cause([(str(e["className"] or ""), str(e["message"])) for e in chain]),
        asset="/".join(asset.get("path", ())),
        partition=event.get("partition"),
        metadata={entry["label"]: _value(entry) for entry in event.get("metadataEntries", ())},
    )


def _value(entry: dict[str, Any]) -> Any:
    """A plain value; None for a kind of metadata that is not ours."""
    for name, kind in _VALUES.items():
        if entry.get(name) is not None:
            return kind(entry[name])
    return None
