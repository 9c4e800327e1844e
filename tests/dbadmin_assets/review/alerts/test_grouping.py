"""One alert per run and check; silence while red; recovery once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbadmin_assets.review.alerts.grouping import (
    WHOLE,
    FailedEvaluation,
    Red,
    failed_in_run,
    failed_without_run,
    recovered,
)
from dbadmin_assets.review.alerts.state import State, Waiting, decode, encode

AT = "2024-01-15T14:22:33Z"
COLLECTED, FRESH = "account_collections:collected", "db_admin_report:report_freshness"


def failure(target: str = WHOLE, check: str = COLLECTED, severity: str = "ERROR") -> FailedEvaluation:
    return FailedEvaluation(check, target, severity, "why")  # type: ignore[arg-type]


def test_a_run_gives_one_alert_per_check_with_its_targets() -> None:
    red: Red = {}
    alerts = list(failed_in_run("r1", AT, [failure("b"), failure("a"), failure(check=FRESH, severity="WARN")], red))
    assert [(a.check, a.severity, [t.target for t in a.targets]) for a in alerts] == [
        ("collected", "ERROR", ["a", "b"]),
        ("report_freshness", "WARN", []),
    ]
    assert alerts[0].said == "failed for 2 targets"
    assert red == {COLLECTED: ["a", "b"], FRESH: [WHOLE]}


def test_dagsters_evaluation_of_all_partitions_together_is_no_target() -> None:
    red: Red = {}
    (alert,) = failed_in_run("r1", AT, [failure("a"), failure(WHOLE)], red)
    assert ([t.target for t in alert.targets], red) == (["a"], {COLLECTED: ["a"]})


def test_the_next_run_that_fails_is_told_again_and_the_same_run_has_the_same_id() -> None:
    ids = [next(failed_in_run(run, AT, [failure("a")], {})).id for run in ("r1", "r1", "r2")]
    assert ids[0] == ids[1] != ids[2]


def test_a_check_that_a_sensor_evaluates_is_told_once_while_it_stays_red() -> None:
    red: Red = {}
    told = [list(failed_without_run(failure(check=FRESH), AT, n, red)) for n in range(3)]
    assert [len(alerts) for alerts in told] == [1, 0, 0]
    (back,) = recovered(red, {FRESH: {WHOLE: 9}}, AT)
    assert (back.kind, back.said) == ("check-recovered", "passes again")
    assert len(list(failed_without_run(failure(check=FRESH), AT, 4, red))) == 1


def test_recovery_names_what_passes_again_and_how_many_do_not() -> None:
    red: Red = {COLLECTED: ["a", "b", "c"]}
    (alert,) = recovered(red, {COLLECTED: {"a": 1, "b": 2, "z": 3}}, AT)
    assert [t.target for t in alert.targets] == ["a", "b"]
    assert alert.said == "passes again for 2 targets; 1 are still red"
    assert red == {COLLECTED: ["c"]}
    assert list(recovered(red, {COLLECTED: {"a": 1, "b": 2}}, AT)) == []


@given(st.lists(st.text(), max_size=300), st.integers(0, 2**40))
def test_the_state_survives_its_cursor(targets: list[str], after: int) -> None:
    (alert,) = failed_in_run("r1", AT, [failure("x")], {})
    state = State(since=1.5, runs_after=after, waiting={"webhook": [Waiting(alert, 2, 9.0)]})
    state.red = {COLLECTED: targets} if targets else {}
    assert decode(encode(state)) == state


def test_a_thousand_red_targets_are_a_small_cursor() -> None:
    red = {COLLECTED: [f"{n * 7919 % 10**12:012d}|us-east-1" for n in range(1000)]}
    assert len(encode(State(since=0, red=red))) < 10_000
