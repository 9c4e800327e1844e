"""Each format says the same, keeps its endpoint's limits, and lets no hostile text out of its place."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbadmin_assets.review.alerts.formats import WEBHOOK_FORMATS, as_json, plain_text, slack, subject, teams
from dbadmin_assets.review.alerts.model import Alert, AlertTarget, alert_id, listed

HOSTILE = [
    "<!channel>",
    "<https://evil.example|click>",
    "*bold* _it_ `code` ~s~ &lt;",
    "[click](https://evil.example)",
    "<at>everyone</at><script>alert(1)</script>",
    "a\nRun: forged",
    "a\r\nSubject: forged",
    "\u202egnp.exe\u2066",
    "\x1b[2J\x07",
    '"},{"text":"x',
    "\ud800",
]


def alert(*targets: str, said: str = "failed for some", more: int = 0) -> Alert:
    return Alert(
        id=alert_id("x"), kind="check-failed", severity="ERROR", at="2024-01-15T14:22:33Z", said=said,
        check="collected", asset="account_collections", run_id="run-1",
        targets=tuple(AlertTarget(t, "Worker Failed: Timed out") for t in targets), more=more,
    )  # fmt: skip


def strings(value: Any) -> list[str]:
    """Every text of a message, keys apart."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def test_a_mail_tells_check_targets_reason_run_and_time() -> None:
    text = plain_text(alert("111111111111|us-east-1", more=3))
    assert text.splitlines() == [
        "db-admin-report ERROR: check collected of account_collections: failed for some",
        "",
        "- 111111111111|us-east-1: Worker Failed: Timed out",
        "- and 3 more",
        "Run: run-1",
        "At: 2024-01-15T14:22:33Z",
        f"Alert: {alert_id('x')}",
    ]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_and_subject_stay_on_their_line_and_show_what_is_invisible(hostile: str) -> None:
    message = alert(hostile, said=hostile)
    lines = plain_text(message).split("\n")
    assert len(lines) == 7
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\u2066\ud800]", plain_text(message))
    assert re.fullmatch(r"[\x20-\x7e]{1,100}", subject(message))


@given(st.text(), st.text())
def test_any_subject_is_one_that_sns_takes(said: str, target: str) -> None:
    assert re.fullmatch(r"[\x20-\x7e]{1,100}", subject(alert(target, said=said)))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_slack_gets_plain_text_objects_without_a_bare_bracket_or_ampersand(hostile: str) -> None:
    message = slack(alert(hostile, said=hostile))
    assert message["mrkdwn"] is False
    assert {block["text"]["type"] for block in message["blocks"]} == {"plain_text"}
    for text in strings(message):
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_teams_gets_text_runs_only_which_know_no_markdown(hostile: str) -> None:
    (attachment,) = teams(alert(hostile, said=hostile))["attachments"]
    for block in attachment["content"]["body"]:
        assert block["type"] == "RichTextBlock"
        assert [run["type"] for run in block["inlines"]] == ["TextRun"]


@pytest.mark.parametrize("form", WEBHOOK_FORMATS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_every_format_is_json_whose_structure_hostile_text_does_not_change(form: str, hostile: str) -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(item) for key, item in value.items()}
        return [shape(item) for item in value] if isinstance(value, list) else type(value)

    sent = json.loads(json.dumps(WEBHOOK_FORMATS[form](alert(hostile, said=hostile))))
    assert shape(sent) == shape(WEBHOOK_FORMATS[form](alert("t", said="s")))


def test_json_has_the_raw_name_and_every_field() -> None:
    told = as_json(alert("<t>", more=2))
    assert told["targets"] == [{"target": "<t>", "reason": "Worker Failed: Timed out"}]
    assert (told["moreTargets"], told["runId"], told["id"]) == (2, "run-1", alert_id("x"))


def test_slack_keeps_its_3000_characters_and_says_how_much_is_left_out() -> None:
    message = slack(alert(*(f"{n:012d}|us-east-1{'<' * 100}" for n in range(200))))
    body = message["blocks"][1]["text"]["text"]
    assert len(body) <= 3000
    told = re.search(r"and (\d+) more lines$", body)
    assert told is not None
    assert body.count("\n") + int(told[1]) == 203


def test_teams_keeps_its_28_kb() -> None:
    message = teams(alert(*(f"{n:012d}|us-east-1" for n in range(200))))
    assert len(json.dumps(message)) < 28_000
    assert strings(message)[-1].endswith(" more lines")


@pytest.mark.parametrize("letter", ["x", "ü", "\U0001f512", '"'])
def test_teams_keeps_its_28_kb_whatever_the_reasons_are_made_of(letter: str) -> None:
    targets = tuple(AlertTarget(f"{n:012d}|us-east-1", letter * 500) for n in range(200))
    message = teams(msgspec.structs.replace(alert("a"), targets=targets))
    assert len(json.dumps(message)) < 28_000
    assert strings(message)[-1].endswith(" more lines")


def test_ten_thousand_targets_are_cut_in_the_alert_itself() -> None:
    targets, more = listed([AlertTarget(str(n)) for n in range(10_000)])
    assert (len(targets), more) == (200, 9800)
