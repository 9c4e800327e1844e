"""Lambda handlers that misbehave on demand, for tests of the Lambda host: the event says how."""

from __future__ import annotations

import os
import time
from typing import Any

_STATE = {"invocations": 0}


def handler(event: dict[str, Any], context: Any) -> Any:
    """Do what `event["do"]` says; without it, tell about this process."""
    _STATE["invocations"] += 1
    what = event.get("do", "tell")
    if what == "raise":
        raise ValueError("asked for")
    if what == "exit":
        os._exit(7)
    if what == "sleep":
        time.sleep(event["seconds"])
    if what == "large":
        return "x" * event["bytes"]
    if what == "print":
        print("a line for the log", flush=True)
    if what == "call":
        return _call(event["service"], event["operation"], event["arguments"])
    return {
        "pid": os.getpid(),
        "invocations": _STATE["invocations"],
        "arn": context.invoked_function_arn,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "region": os.environ["AWS_REGION"],
    }


def slow(event: dict[str, Any], context: Any) -> Any:
    """Note the target in a file, then work for longer than any test waits."""
    with open(os.environ["SLOW_LOG"], "a", encoding="utf-8") as log:  # noqa: PTH123 - one write, appended
        log.write(f"{event['account_id']}|{event['region']}\n")
    time.sleep(60)


def _call(service: str, operation: str, arguments: dict[str, Any]) -> Any:
    import boto3

    answer = getattr(boto3.client(service), operation)(**arguments)
    answer.pop("ResponseMetadata")
    return answer
