"""Times as the report and its records write them: UTC, ISO 8601 with a Z, whole seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_WORKER_TIME = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|\+00:00)", re.ASCII)


def utc_now() -> str:
    """This moment, as `2024-01-15T14:22:33Z`."""
    return to_text(datetime.now(UTC))


def to_text(at: datetime) -> str:
    """An aware datetime, as `2024-01-15T14:22:33Z`."""
    return at.astimezone(UTC).strftime(_FORMAT)


def parse_time(text: str) -> datetime:
    """The aware datetime of a time as this module writes it.

    Raises:
        ValueError: for any other form.
    """
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def whole_seconds(text: str) -> str:
    """A UTC time with or without fraction, cut to whole seconds: `…:33.912Z` is `…:33Z`.

    Raises:
        ValueError: where `text` is not a UTC time, or not a time at all.
    """
    found = _WORKER_TIME.fullmatch(text)
    if not found:
        raise ValueError(f"not a UTC time: {text[:60]!r}")
    cut = f"{found[1]}Z"
    parse_time(cut)
    return cut


def seconds_between(started_at: str, ended_at: str) -> float:
    """Seconds from one time to a later one; negative where the clock was set back."""
    return (parse_time(ended_at) - parse_time(started_at)).total_seconds()
