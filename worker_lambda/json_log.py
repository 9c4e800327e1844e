"""The worker's log: one JSON object per line, and the metrics line that CloudWatch turns into metrics.

Identifiers, counts and milliseconds only: no secret, no account name, no result row.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

NAMESPACE = "DbAdminReport"


class JsonLog:
    """Writes lines that all carry the same context.

    Args:
        context: correlation id and target, on every line.
    """

    def __init__(self, **context: str | int) -> None:
        self._context = context

    def info(self, message: str, **fields: Any) -> None:
        """Something that went as it should."""
        self._write("INFO", message, fields)

    def warn(self, message: str, **fields: Any) -> None:
        """Something that is recorded as an outcome."""
        self._write("WARN", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        """Something that keeps the result from being delivered."""
        self._write("ERROR", message, fields)

    def _write(self, level: str, message: str, fields: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        _print({"timestamp": at, "level": level, "message": message, **self._context, **fields})


def metrics(account_id: str, region: str, values: dict[str, tuple[float, str]]) -> None:
    """One line in CloudWatch's embedded metric format.

    Args:
        values: number and CloudWatch unit (`Count`, `Milliseconds`) by metric name.
    """
    definitions = [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["AccountId", "Region"]], "Metrics": definitions}
    _print(
        {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
            "AccountId": account_id,
            "Region": region,
            **{name: value for name, (value, _) in values.items()},
        }
    )


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")
    sys.stdout.flush()
