"""The end of a worker's log, as Lambda hands it out with the answer: at most 4 KB, for whoever asks why it failed.

It goes into Dagster's event log, where no name of an account may stand. The worker's own lines have none; of the
rest (a traceback, what a library printed) only the kind is told, and how many lines there were.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any

_OWN = ("timestamp", "level", "message", "correlation_id")
_SHOWN_ONCE = {"correlation_id", "collection_id", "target"}  # the same on every line, and known to who reads them
_LONGEST_VALUE = 300
# What Lambda itself writes. START and END say nothing; the numbers of a REPORT do.
_SAID_NOTHING = re.compile(r"(START|END) RequestId: [0-9a-f-]+.*")
_PLATFORM = re.compile(
    r"REPORT RequestId: [\w .:\t-]+|[\dTZ:.-]+ [0-9a-f-]+ Task timed out after [\d.]+ seconds"
    r"|(RequestId: [0-9a-f-]+ )?Error: Runtime exited [\w .:-]+|INIT_REPORT [\w .:\t-]+"
)
_EXCEPTION = re.compile(r"\[ERROR\] (?P<name>[A-Za-z_][\w.]*)(:.*)?")


def log_tail(encoded: str | None) -> tuple[str, ...]:
    """Lines for people, oldest first; empty where Lambda gave none.

    Args:
        encoded: `LogResult` of an invocation, base64.
    """
    try:
        text = base64.b64decode(encoded or "", validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return ("(what Lambda gave for a log is not base64)",)
    return tuple(_shown(text.splitlines()))


def _shown(lines: list[str]) -> Iterator[str]:
    left_out = 0
    for line in lines:
        if _SAID_NOTHING.fullmatch(line) or not line.strip():
            continue
        said = _json_object(line)
        shown = _of_text(line) if said is None else _of_object(said)
        left_out += shown is None
        if shown:
            yield shown
    if left_out:
        yield f"(lines that are not the worker's own and left out: {left_out}; its log group has them)"


def _of_object(said: dict[str, Any]) -> str | None:
    """None for a line that nobody vouches for; empty for one that says nothing here."""
    if "_aws" in said:
        return ""  # metrics: the line before has the same numbers
    if all(name in said for name in _OWN):
        fields = {name: value for name, value in said.items() if name not in _OWN and name not in _SHOWN_ONCE}
        words = [f"{_plain(name)}={_value(value)}" for name, value in fields.items()]
        return " ".join([_plain(said["timestamp"]), _plain(said["level"]), _plain(said["message"]), *words])
    if str(said.get("type", "")).startswith("platform."):
        numbers = said["record"].get("metrics") if isinstance(said.get("record"), dict) else None
        return f"{_plain(said['type'])} {_value(numbers)}" if isinstance(numbers, dict) else ""
    if isinstance(kind := said.get("errorType"), str):
        return f"ERROR {_plain(kind)}"
    return None


def _of_text(line: str) -> str | None:
    if _PLATFORM.fullmatch(line.strip()):
        return line.strip().replace("\t", " ")
    found = _EXCEPTION.fullmatch(line)
    return f"ERROR {found['name']}" if found else None


def _plain(text: object) -> str:
    """ASCII on one line: a worker's account may write what it likes."""
    return ascii(str(text)[:_LONGEST_VALUE])[1:-1]


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)
    shown = json.dumps(text, ensure_ascii=True) if re.search(r"[^!-~]", text) else text
    return shown if len(shown) <= _LONGEST_VALUE else shown[: _LONGEST_VALUE - 1] + "…"


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
