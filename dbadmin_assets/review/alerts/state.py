"""What the sensor remembers between two ticks: how far it has read, what is red, what waits to be delivered."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable

import msgspec

from dbadmin_assets.review.alerts.grouping import Red
from dbadmin_assets.review.alerts.model import Alert

MOST_WAITING = 500
"""Alerts that wait for one endpoint; the oldest beyond are given up, and said to be."""

OFF = "off"
"""The cursor while no endpoint is configured: whoever configures one later does not want to hear of last month."""

_COMPRESSED = "z:"
_SHORT = 1000


class Waiting(msgspec.Struct, omit_defaults=True):
    """An alert on its way to one endpoint. `tries`: that failed; `next_at`: Unix time before which it is left alone."""

    alert: Alert
    tries: int = 0
    next_at: float = 0.0


class State(msgspec.Struct, omit_defaults=True):
    """All of it.

    Attributes:
        since: Unix time from which runs are looked at, until the first has been seen.
        runs_after: storage id of the last event of a run's end that was handled.
        runless_after: by check, id of the last evaluation without a run that was handled.
        red: checks that were announced as failed.
        newest_failed: by check, id of the newest evaluation that was announced as failed.
        failed_jobs: jobs of which a failed run was announced, and no success since.
        waiting: by name of the endpoint, oldest first.
    """

    since: float
    runs_after: int | None = None
    runless_after: dict[str, int] = msgspec.field(default_factory=dict)
    red: Red = msgspec.field(default_factory=dict)
    newest_failed: dict[str, int] = msgspec.field(default_factory=dict)
    failed_jobs: list[str] = msgspec.field(default_factory=list)
    waiting: dict[str, list[Waiting]] = msgspec.field(default_factory=dict)

    def enqueue(self, alerts: Iterable[Alert], endpoints: Iterable[str]) -> None:
        """Have new alerts wait for every endpoint; what waits for one that is configured no more is dropped."""
        new = list(alerts)
        self.waiting = {name: [*self.waiting.get(name, []), *map(Waiting, new)] for name in endpoints}


def encode(state: State) -> str:
    """The cursor: JSON, packed where it is long, for Dagster keeps it with every tick."""
    state.red = {check: targets for check, targets in state.red.items() if targets}
    state.waiting = {name: waiting for name, waiting in state.waiting.items() if waiting}
    data = msgspec.json.encode(state)
    if len(data) <= _SHORT:
        return data.decode()
    return _COMPRESSED + base64.b85encode(zlib.compress(data, 6)).decode()


def decode(cursor: str | None) -> State | None:
    """The state of a cursor; None where there is none yet.

    Raises:
        ValueError: it is none of ours.
    """
    if not cursor or cursor == OFF:
        return None
    try:
        data = zlib.decompress(base64.b85decode(cursor[len(_COMPRESSED) :])) if cursor[:2] == _COMPRESSED else cursor
        return msgspec.json.decode(data, type=State)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"the sensor's cursor cannot be understood: {error}") from error
