"""Delivering what waits: every endpoint by itself, in order, a bounded number of times, within a bounded time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dbadmin_assets.review.alerts.model import Alert, alert_id
from dbadmin_assets.review.alerts.state import MOST_WAITING, Waiting

MOST_TRIES = 10
"""Half a minute after the first, then twice as long each time, up to an hour: over three hours in all."""
MOST_REFUSALS = 5
"""Tries where the endpoint answers and refuses: it will hardly change its mind, and the next alerts wait behind."""
TICK_SECONDS = 20.0

_FIRST_WAIT = 30.0
_LONGEST_WAIT = 3600.0
_MOST_SHOWN = 5


class UndeliveredError(Exception):
    """An endpoint did not take an alert. The text is for people and holds neither its URL nor what it answered."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


Send = Callable[[Alert], None]
"""Publishes one alert. Raises UndeliveredError; must be safe to call in a thread of its own."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one endpoint's alerts in one tick.

    Attributes:
        sent: ids that were delivered; given_up: alerts that are not tried any more; waiting: the rest, in order.
        problem: why the last try failed; empty where none did.
    """

    sent: tuple[str, ...]
    given_up: tuple[Alert, ...]
    waiting: list[Waiting]
    problem: str


def deliver(
    waiting: Mapping[str, Sequence[Waiting]],
    endpoints: Mapping[str, Send],
    *,
    now: float,
    seconds: float = TICK_SECONDS,
) -> dict[str, Delivery]:
    """Try every endpoint once per tick until it fails; those that hang are left behind after `seconds`.

    An endpoint that fails costs one time-out a tick, and the others nothing: each has a daemon thread of its own.
    """
    said: queue.SimpleQueue[tuple[str, str, UndeliveredError | None]] = queue.SimpleQueue()
    deadline = time.monotonic() + seconds
    open_ = set()
    for name, send in endpoints.items():
        due = [item.alert for item in waiting.get(name, ()) if item.next_at <= now]
        if due and waiting[name][0].next_at <= now:  # in order: what failed last comes first
            open_.add(name)
            threading.Thread(target=_send_all, args=(name, send, due, said, deadline), daemon=True).start()
    results: dict[str, dict[str, UndeliveredError | None]] = {name: {} for name in endpoints}
    while open_:
        try:
            name, alert, error = said.get(timeout=max(0.0, deadline + 1 - time.monotonic()))
        except queue.Empty:
            break
        if alert:
            results[name][alert] = error
        else:
            open_.remove(name)
    for name in open_:  # in flight still: it may yet arrive, and will be sent again
        hanging = next(item.alert.id for item in waiting[name] if item.alert.id not in results[name])
        results[name][hanging] = UndeliveredError(f"no answer within {seconds:g} s")
    return {name: _settled(waiting.get(name, ()), results[name], now) for name in endpoints}


def _send_all(
    name: str,
    send: Send,
    alerts: Sequence[Alert],
    said: queue.SimpleQueue[tuple[str, str, UndeliveredError | None]],
    deadline: float,
) -> None:
    for alert in alerts:
        try:
            send(alert)
        except UndeliveredError as error:
            said.put((name, alert.id, error))
            break
        except Exception as error:  # noqa: BLE001 - recorded; its text might hold the URL
            said.put((name, alert.id, UndeliveredError(f"unexpected {type(error).__name__}")))
            break
        said.put((name, alert.id, None))
        if time.monotonic() >= deadline:
            break
    said.put((name, "", None))


def _settled(waiting: Sequence[Waiting], results: Mapping[str, UndeliveredError | None], now: float) -> Delivery:
    sent, given_up, left, problem = [], [], [], ""
    for item in waiting:
        if item.alert.id not in results:
            left.append(item)
            continue
        error = results[item.alert.id]
        if error is None:
            sent.append(item.alert.id)
            continue
        problem = str(error)
        tries = item.tries + 1
        if tries >= (MOST_REFUSALS if error.refused else MOST_TRIES):
            given_up.append(item.alert)
        else:
            wait = min(_FIRST_WAIT * 2 ** (tries - 1), _LONGEST_WAIT)
            left.append(Waiting(item.alert, tries, now + wait))
    if len(left) > MOST_WAITING:
        given_up += [item.alert for item in left[:-MOST_WAITING]]
        left = left[-MOST_WAITING:]
    return Delivery(tuple(sent), tuple(given_up), left, problem)


def undelivered(name: str, delivery: Delivery, at: str) -> Alert | None:
    """What the other endpoints are told when one had to be given up on.

    Nothing where only such notices were given up: two dead endpoints would tell each other for ever.
    """
    ids = [alert.id for alert in delivery.given_up if alert.kind != "undelivered"]
    if not ids:
        return None
    shown = ", ".join(ids[:_MOST_SHOWN]) + (f" and {len(ids) - _MOST_SHOWN} more" if len(ids) > _MOST_SHOWN else "")
    said = f"{len(ids)} alerts for {name} were given up on ({delivery.problem or 'too many wait'}): {shown}"
    return Alert(id=alert_id("undelivered", name, ids), kind="undelivered", severity="ERROR", at=at, said=said)
