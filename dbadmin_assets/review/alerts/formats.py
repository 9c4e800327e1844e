"""An alert as each endpoint wants it. Target names and sentences are hostile text: each format escapes for itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

import msgspec

from dbadmin_assets.review.alerts.model import Alert
from dbadmin_assets.review.csv_cells import visible

SUBJECT_LENGTH = 100  # SNS refuses a longer one
_SLACK_SECTION = 3000
_TEAMS_BYTES = 24_000  # of lines; a card may have 28 KB
_LINE = 240
_NOT_PLAIN_ASCII = re.compile(r"[^\x20-\x7e]")
_TITLES = {
    "check-failed": "check {check} of {asset}: {said}",
    "check-recovered": "check {check} of {asset}: {said}",
    "run-failed": "a run failed",
    "run-recovered": "runs succeed again",
    "undelivered": "alerts were not delivered",
}


def title(alert: Alert) -> str:
    """One line for people: how bad, what, how many targets."""
    what = _TITLES[alert.kind].format(check=alert.check, asset=alert.asset, said=_cut(visible(alert.said)))
    return f"db-admin-report {alert.severity}: {what}"


def subject(alert: Alert) -> str:
    """The title as the subject of a mail: ASCII, at most 100 characters."""
    text = _NOT_PLAIN_ASCII.sub("?", title(alert))
    return text if len(text) <= SUBJECT_LENGTH else text[: SUBJECT_LENGTH - 3] + "..."


def plain_text(alert: Alert) -> str:
    """The whole message as lines of text: what SNS gets."""
    return "\n".join([title(alert), "", *_lines(alert)]) + "\n"


def as_json(alert: Alert) -> dict[str, Any]:
    """For a receiver of its own: raw text, every field every time."""
    return {
        "schemaVersion": "1", "source": "db-admin-report", "id": alert.id, "kind": alert.kind,
        "severity": alert.severity, "at": alert.at, "title": title(alert), "said": alert.said,
        "check": alert.check or None, "asset": alert.asset or None, "runId": alert.run_id or None,
        "targets": [msgspec.to_builtins(target) for target in alert.targets], "moreTargets": alert.more,
    }  # fmt: skip


def slack(alert: Alert) -> dict[str, Any]:
    """For an incoming webhook of Slack: text that is told to be plain, with the three characters escaped.

    Slack's control sequences (`<!channel>`, `<https://…|…>`) need a `<`; `plain_text` knows no markup.
    """
    body = _kept(_lines(alert), _SLACK_SECTION, _slack_escaped)
    return {
        "text": _slack_escaped(title(alert)),
        "mrkdwn": False,
        "blocks": [
            {"type": "section", "text": {"type": "plain_text", "emoji": False, "text": _slack_escaped(title(alert))}},
            {"type": "section", "text": {"type": "plain_text", "emoji": False, "text": body}},
        ],
    }


def teams(alert: Alert) -> dict[str, Any]:
    """For a Workflows webhook of Teams: an Adaptive Card of text runs, which know no Markdown."""
    lines = [_text_block(line) for line in _lines(alert)]
    sums = accumulate(len(json.dumps(line)) + 2 for line in lines)
    kept = sum(total <= _TEAMS_BYTES for total in sums)
    more = [_text_block(f"and {len(lines) - kept} more lines")] if kept < len(lines) else []
    blocks = [_text_block(title(alert), weight="Bolder"), *lines[:kept], *more]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard", "version": "1.4", "body": blocks,
    }  # fmt: skip
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


WEBHOOK_FORMATS: Mapping[str, Callable[[Alert], dict[str, Any]]] = {"json": as_json, "slack": slack, "teams": teams}
"""By the setting `alert_format`."""


def _lines(alert: Alert) -> Iterator[str]:
    if alert.kind not in ("check-failed", "check-recovered"):
        yield _cut(visible(alert.said))
    for target in alert.targets:
        yield _cut(visible(f"- {target.target}" + (f": {target.reason}" if target.reason else "")))
    if alert.more:
        yield f"- and {alert.more} more"
    if alert.run_id:
        yield f"Run: {visible(alert.run_id)}"
    yield f"At: {alert.at}"
    yield f"Alert: {alert.id}"


def _kept(lines: Iterator[str], most: int, escape: Callable[[str], str]) -> str:
    """As many whole lines as fit, escaped, and how many do not."""
    every = [escape(line) for line in lines]
    kept: list[str] = []
    room = most - len("and 1000 more lines")
    for line in every:
        if len(line) + 1 > room:
            return "\n".join([*kept, f"and {len(every) - len(kept)} more lines"])
        kept.append(line)
        room -= len(line) + 1
    return "\n".join(kept)


def _cut(text: str) -> str:
    return text if len(text) <= _LINE else text[: _LINE - 1] + "…"


def _slack_escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text_block(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
