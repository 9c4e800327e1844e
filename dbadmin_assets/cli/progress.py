"""What is known of a run from its events: the state of every target, the report, the reason of a failure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbadmin_assets.cli.runs import RunEvent

COLLECTIONS = "account_collections"
REPORT = "db_admin_report"
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
        keys: its targets; None where they are not known beforehand.

    Attributes:
        total: how many targets it has; None where only its events tell them.
        failure: why it failed, where it did.
        messages: the text of the events of the last `take`, for --verbose.
        last_event_at: seconds since 1970; None before the first event.
    """

    keys: Iterable[str] | None = None
    targets: dict[str, TargetProgress] = field(init=False)
    total: int | None = field(init=False)
    report: dict[str, Any] | None = None
    failure: str | None = None
    messages: list[str] = field(default_factory=list)
    last_event_at: float | None = None

    def __post_init__(self) -> None:
        self.targets = {key: TargetProgress(key) for key in self.keys or ()}
        self.total = len(self.targets) if self.keys is not None else None

    def take(self, events: Iterable[RunEvent]) -> list[TargetProgress]:
        """Learn from new events; the targets that changed, each once, in the order of their first event."""
        changed: dict[str, TargetProgress] = {}
        self.messages = []
        for event in events:
            if event.text:
                self.messages.append(f"{event.step_key or '-'}: {event.text}")
            self.last_event_at = event.at
            changed |= {target.key: target for target in self._take(event)}
        return list(changed.values())

    def _take(self, event: RunEvent) -> list[TargetProgress]:
        if event.kind == "STEP_START" and event.step_key == COLLECTIONS:
            waiting = [target for target in self.targets.values() if target.state == "waiting"]
            for target in waiting:
                target.state = "collecting"
            return waiting
        if event.kind == "STEP_FAILURE" and self.failure is None:
            self.failure = f"{event.step_key}: {event.cause or event.text}"
        if event.kind == "RUN_FAILURE" and self.failure is None:
            self.failure = event.cause or event.text or "the run failed"
        if event.kind == "ASSET_MATERIALIZATION":
            return self._materialized(event)
        return []

    def _materialized(self, event: RunEvent) -> list[TargetProgress]:
        values = event.metadata
        if event.asset == REPORT:
            self.report = dict(values)
        if event.asset != COLLECTIONS or event.partition is None:
            return []
        target = self.targets.setdefault(event.partition, TargetProgress(event.partition))
        if "status" not in values:
            return []
        target.state = str(values["status"])
        for name in ("databases", "failed_databases", "partial_databases", "users", "admins", "attempts"):
            setattr(target, name, int(values.get(name, 0)))
        target.duration_seconds = float(values.get("duration_seconds", 0.0))
        target.reason, target.detail = values.get("reason"), values.get("detail")
        return [target]


def innermost_cause(chain: Sequence[tuple[str, str]]) -> str | None:
    """The first error of a chain that is not Dagster's wrapping, without the name of its class.

    Args:
        chain: class name and message of each error, from the outermost on.
    """
    for n, (name, message) in enumerate(chain):
        if not name.startswith("Dagster") or n == len(chain) - 1:
            return _CLASS.sub("", message).strip()
    return None
