"""At least once, in order, a bounded number of times; a dead endpoint costs the others nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from dbadmin_assets.review.alerts.delivery import (
    MOST_REFUSALS,
    MOST_TRIES,
    Send,
    UndeliveredError,
    deliver,
    undelivered,
)
from dbadmin_assets.review.alerts.model import Alert
from dbadmin_assets.review.alerts.state import MOST_WAITING, State, Waiting

AT = "2024-01-15T14:22:33Z"


def alert(number: int, kind: str = "run-failed") -> Alert:
    return Alert(id=f"{number}", kind=kind, severity="ERROR", at=AT, said="it failed")  # type: ignore[arg-type]


def waiting(*numbers: int) -> list[Waiting]:
    return [Waiting(alert(n)) for n in numbers]


def failing(refused: bool = False) -> Send:
    def send(_: Alert) -> None:
        raise UndeliveredError("down", refused=refused)

    return send


def keeping(got: list[str]) -> Callable[[Alert], None]:
    return lambda sent: got.append(sent.id)


def test_everything_is_sent_in_order_and_leaves_the_queue() -> None:
    got: list[str] = []
    (delivery,) = deliver({"a": waiting(1, 2, 3)}, {"a": keeping(got)}, now=0).values()
    assert (got, delivery.sent, delivery.waiting) == (["1", "2", "3"], ("1", "2", "3"), [])


def test_a_failing_endpoint_keeps_its_alerts_in_order_and_the_other_gets_them() -> None:
    got: list[str] = []
    queues = {"dead": waiting(1, 2), "well": waiting(1, 2)}
    done = deliver(queues, {"dead": failing(), "well": keeping(got)}, now=100)
    assert got == ["1", "2"]
    assert [(w.alert.id, w.tries, w.next_at) for w in done["dead"].waiting] == [("1", 1, 130.0), ("2", 0, 0.0)]
    assert done["dead"].problem == "down"


def test_an_endpoint_that_hangs_is_left_behind_and_the_other_gets_its_alerts() -> None:
    got: list[str] = []
    release = threading.Event()

    def hang(_: Alert) -> None:
        release.wait(60)

    done = deliver({"hangs": waiting(1, 2), "well": waiting(1)}, {"hangs": hang, "well": keeping(got)}, now=0,
                   seconds=0.1)  # fmt: skip
    release.set()
    assert got == ["1"]
    assert [w.alert.id for w in done["hangs"].waiting] == ["1", "2"]
    assert done["hangs"].waiting[0].tries == 1
    assert done["hangs"].problem.startswith("no answer within")


def test_nothing_is_tried_before_its_time_and_nothing_overtakes() -> None:
    got: list[str] = []
    queue = [Waiting(alert(1), tries=1, next_at=50.0), Waiting(alert(2))]
    assert deliver({"a": queue}, {"a": keeping(got)}, now=49)["a"].waiting == queue
    deliver({"a": queue}, {"a": keeping(got)}, now=50)
    assert got == ["1", "2"]


@pytest.mark.parametrize(("refused", "most"), [(False, MOST_TRIES), (True, MOST_REFUSALS)])
def test_a_dead_endpoint_is_tried_so_often_and_then_given_up(refused: bool, most: int) -> None:
    queue, now, tries = waiting(1), 0.0, 0
    while queue:
        delivery = deliver({"a": queue}, {"a": failing(refused)}, now=now)["a"]
        queue, tries = delivery.waiting, tries + 1
        now = queue[0].next_at if queue else now
    assert (tries, [a.id for a in delivery.given_up]) == (most, ["1"])


def test_an_error_nobody_thought_of_is_recorded_without_its_text() -> None:
    def broken(_: Alert) -> None:
        raise KeyError("https://hooks.example/SECRET")

    delivery = deliver({"a": waiting(1)}, {"a": broken}, now=0)["a"]
    assert (delivery.problem, len(delivery.waiting)) == ("unexpected KeyError", 1)


def test_too_many_waiting_alerts_give_up_the_oldest_and_say_so() -> None:
    queue = [Waiting(alert(0), tries=1, next_at=1e9), *waiting(*range(1, MOST_WAITING + 5))]
    delivery = deliver({"a": queue}, {"a": failing()}, now=0)["a"]
    assert [a.id for a in delivery.given_up] == ["0", "1", "2", "3", "4"]
    notice = undelivered("a", delivery, AT)
    assert notice is not None
    assert notice.said == "5 alerts for a were given up on (too many wait): 0, 1, 2, 3, 4"


def test_two_dead_endpoints_do_not_tell_each_other_for_ever() -> None:
    queue = [Waiting(alert(1, "undelivered"), tries=MOST_TRIES - 1)]
    delivery = deliver({"a": queue}, {"a": failing()}, now=0)["a"]
    assert len(delivery.given_up) == 1
    assert undelivered("a", delivery, AT) is None


def test_what_waits_for_an_endpoint_that_is_configured_no_more_is_dropped() -> None:
    state = State(since=0, waiting={"old": waiting(1), "kept": waiting(2)})
    state.enqueue([alert(3)], ["kept", "new"])
    assert {name: [w.alert.id for w in queue] for name, queue in state.waiting.items()} == {
        "kept": ["2", "3"],
        "new": ["3"],
    }
