"""What of a worker's log may enter Dagster: its own lines, Lambda's numbers, and nothing that names anybody."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbadmin_assets.resources.worker_log import log_tail

ID = "33da2d6c-0f72-4f59-b83c-15887990714a"
CONTEXT = {"correlation_id": "run-1", "collection_id": "c-1", "attempt": 2, "target": "111111111111|us-east-1"}
OWN = {"timestamp": "2026-11-25T07:40:37.210Z", "level": "WARN", "message": "database failed", **CONTEXT}
TRACEBACK = """[ERROR] OperationalError: access denied for 'root'@'%'
Traceback (most recent call last):
  File "/var/task/worker_lambda/collect.py", line 3, in collect
    login("root")"""


def shown(*lines: object) -> tuple[str, ...]:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return log_tail(base64.b64encode(text.encode("utf-8", "surrogatepass")).decode())


def test_the_workers_own_lines_are_shown_with_what_differs() -> None:
    assert shown({**OWN, "database": "ledger", "reason": "Connection Failed: Timed out"}) == (
        '2026-11-25T07:40:37.210Z WARN database failed attempt=2 database=ledger reason="Connection Failed: Timed out"',
    )


@pytest.mark.parametrize(
    "line",
    [
        f"REPORT RequestId: {ID} Duration: 743.99 ms Memory Size: 512 MB Max Memory Used: 90 MB",
        f"2026-11-25T07:40:37.210Z {ID} Task timed out after 60.00 seconds",
        "Error: Runtime exited with error: signal: killed",
        f"RequestId: {ID} Error: Runtime exited with error: exit status 7",
    ],
)
def test_what_lambda_says_of_the_run_is_shown(line: str) -> None:
    assert shown(f"START RequestId: {ID} Version: $LATEST", line, f"END RequestId: {ID}") == (line,)


def test_lambdas_lines_in_json_are_shown_too() -> None:
    report = {"type": "platform.report", "record": {"requestId": ID, "metrics": {"durationMs": 7}}}
    assert shown({"type": "platform.start", "record": {"requestId": ID}}, report) == (
        'platform.report "{\\"durationMs\\": 7}"',
    )


def test_of_an_exception_only_its_class_is_told() -> None:
    told = shown(TRACEBACK, {"level": "ERROR", "message": "root", "errorType": "ValueError", "stackTrace": ["root"]})
    assert told == (
        "ERROR OperationalError",
        "ERROR ValueError",
        "(lines that are not the worker's own and left out: 3; its log group has them)",
    )


def test_metrics_are_not_told_twice_and_nothing_gives_nothing() -> None:
    assert shown({"_aws": {}, "Users": 3}) == ()
    assert log_tail(None) == ()
    assert log_tail("?") == ("(what Lambda gave for a log is not base64)",)


def test_control_characters_in_a_value_are_written_out() -> None:
    (line,) = shown({**OWN, "database": "a\x1b[2Jb\u202ec d"})
    assert line.endswith('database="a\\u001b[2Jb\\u202ec d"')


def test_no_part_of_a_line_can_move_the_cursor_or_make_another_line() -> None:
    evil = "a\x1b[2J\nb"
    (line,) = shown({**OWN, "timestamp": evil, "level": evil, "message": evil, evil: 1})
    assert not any(ord(c) < 32 for c in line)
    told = shown({"level": "ERROR", "errorType": evil}, {"type": "platform." + evil, "record": {"metrics": {evil: 1}}})
    assert not any(ord(c) < 32 for text in told for c in text)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=200))
def test_a_line_that_nobody_vouches_for_is_never_shown(text: str) -> None:
    assert shown("not ours: " + text) == (
        "(lines that are not the worker's own and left out: 1; its log group has them)",
    )
