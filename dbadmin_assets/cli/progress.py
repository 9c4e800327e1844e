"""What is known of a run from its events: the state of every target, the report, the reason of a failure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagster import AssetMaterialization, DagsterInstance
    from dagster._core.events.log import EventLogEntry

COLLECTIONS = ["account_collections"]
REPORT = ["db_admin_report"]
_CLASS = re.compile(r"^(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*: ")


@dataclass(slots=True)
class TargetProgress:
    """One target. `state` is waiting, collecting, complete, partial or failed; counts are known at the end."""

    key: str
    state: str = "waiting"
    databases: int = 0
    failed_databases: int = 0
    partial_databases: int = 0
    users: int = 0
    admins: int = 0
    attempts: int = 0
    duration_seconds: float = 0.0
    reason: str | None = None
    detail: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether its outcome is known."""
        return self.state not in ("waiting", "collecting")


@dataclass(slots=True)
class RunProgress:
    """Everything that the events of one run have said so far.

    Args:
        instance: where the events are.
        run_id: the run.
        keys: its targets, where they are known beforehand.
    """

    instance: DagsterInstance
    run_id: str
    keys: Iterable[str] = ()
    targets: dict[str, TargetProgress] = field(init=False)
    report: dict[str, Any] | None = None
    failure: str | None = None
    messages: list[str] = field(default_factory=list)
    _cursor: str | None = None

    def __post_init__(self) -> None:
        self.targets = {key: TargetProgress(key) for key in self.keys}

    def refresh(self) -> list[TargetProgress]:
        """Read the events since the last time; the targets that changed, each once, in the order of their first event.

        `messages` then holds the text of these events, for --verbose.
        """
        changed: dict[str, TargetProgress] = {}
        self.messages = []
        while True:
            page = self.instance.get_records_for_run(self.run_id, cursor=self._cursor, limit=1000)
            for record in page.records:
                changed |= {target.key: target for target in self._take(record.event_log_entry)}
            self._cursor = page.cursor
            if not page.has_more:
                return list(changed.values())

    def _take(self, entry: EventLogEntry) -> list[TargetProgress]:
        from dagster import DagsterEventType

        if text := entry.user_message or entry.message:
            self.messages.append(f"{entry.step_key or '-'}: {text}")
        event = entry.dagster_event
        if event is None:
            return []
        if event.event_type == DagsterEventType.STEP_START and entry.step_key == COLLECTIONS[0]:
            waiting = [target for target in self.targets.values() if target.state == "waiting"]
            for target in waiting:
                target.state = "collecting"
            return waiting
        if event.event_type == DagsterEventType.STEP_FAILURE and self.failure is None:
            self.failure = f"{entry.step_key}: {_cause(event.step_failure_data.error) or event.message}"
        if event.event_type == DagsterEventType.RUN_FAILURE and self.failure is None:
            # Whoever marks a run as failed from outside gives a message and no data; `job_failure_data` hides that.
            data = event.event_specific_data
            self.failure = _cause(getattr(data, "error", None)) or event.message or "the run failed"
        if event.event_type == DagsterEventType.ASSET_MATERIALIZATION:
            return self._materialized(event.step_materialization_data.materialization)
        return []

    def _materialized(self, materialization: AssetMaterialization) -> list[TargetProgress]:
        values: dict[str, Any] = {name: value.value for name, value in materialization.metadata.items()}
        if list(materialization.asset_key.path) == REPORT:
            self.report = values
        if list(materialization.asset_key.path) != COLLECTIONS or materialization.partition is None:
            return []
        key = materialization.partition
        target = self.targets.setdefault(key, TargetProgress(key))
        if "status" not in values:
            return []
        target.state = str(values["status"])
        for name in ("databases", "failed_databases", "partial_databases", "users", "admins", "attempts"):
            setattr(target, name, int(values.get(name, 0)))
        target.duration_seconds = float(values.get("duration_seconds", 0.0))
        target.reason, target.detail = values.get("reason"), values.get("detail")
        return [target]


def _cause(error: Any) -> str | None:
    """The first error of a chain that is not Dagster's wrapping, without the name of its class."""
    while error is not None:
        name = str(error.cls_name or "")
        if not name.startswith("Dagster") or error.cause is None:
            return _CLASS.sub("", str(error.message)).strip()
        error = error.cause
    return None
