"""Which databases AWS says run in this account and region: RDS instances, clusters, and EC2 hosts by tag.

Runs in threads beside the collection and never fails it: what may not be asked, or did not answer in time, is the
discovery's own `failed` with its reason, and what the other service found is kept. Only reads; docs/coverage.md.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from worker_lambda.contract import WorkerRequest
from worker_lambda.discovery_lists import IncompleteError, Part, clusters_and_instances, tagged_hosts
from worker_lambda.result_object import Discovery

LIMIT_SECONDS = 20.0
"""From its start: the most that a collection which is finished sooner waits for it."""

_Client = Callable[[str], Any]
_Done = queue.SimpleQueue[tuple[str, list[Part]]]


def begin(request: WorkerRequest, deadline: float, *, client: _Client | None = None) -> Callable[[], Discovery]:
    """Start to look; call what this returns when the collection is done. It waits until `LIMIT_SECONDS` are over.

    Args:
        request: whose `discover_tag` is set.
        deadline: on time.monotonic()'s clock: of the collection, and so of the looking.
        client: makes a boto3 client of a service; replaced by tests.
    """
    tag = request.discover_tag or ""
    until = min(deadline, time.monotonic() + LIMIT_SECONDS)
    make = client or (lambda service: _client(service, request.region))
    parts = {
        "rds": lambda: clusters_and_instances(make("rds"), deadline),
        "ec2": lambda: tagged_hosts(make("ec2"), tag, deadline),
    }
    done: _Done = queue.SimpleQueue()
    for name, list_part in parts.items():
        threading.Thread(target=_run, args=(name, list_part, done), daemon=True, name=f"discovery-{name}").start()

    def answer() -> Discovery:
        waiting = set(parts)
        found: list[Part] = []
        while waiting:
            try:
                name, part = done.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                found += [IncompleteError(f"{name} was not finished in time") for name in sorted(waiting)]
                break
            waiting.discard(name)
            found += part
        return _together(found)

    return answer


def _run(name: str, list_part: Callable[[], Iterable[Part]], done: _Done) -> None:
    from botocore.exceptions import BotoCoreError

    parts: list[Part] = []
    try:
        for part in list_part():
            parts.append(part)  # one by one: what was found before it broke is kept
    except BotoCoreError as error:  # no client at all: a region that botocore does not know
        parts.append(IncompleteError(f"{name}: {type(error).__name__}"))
    except Exception as error:  # noqa: BLE001 - recorded: an answer of an unknown form must not cost the collection
        parts.append(IncompleteError(f"{name}: the answer is not understood ({type(error).__name__})"))
    done.put((name, parts))


def _together(parts: Iterable[Part]) -> Discovery:
    reasons = sorted(str(part) for part in parts if isinstance(part, IncompleteError))
    found = {item["arn"]: item for part in parts if not isinstance(part, IncompleteError) for item in part}
    return {
        "status": "failed" if reasons else "complete",
        "reason": "; ".join(reasons) or None,
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "found": [found[arn] for arn in sorted(found)],
    }


def _client(service: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    # A session of its own: making clients on a shared one is not thread-safe, and the collectors make some.
    config = Config(connect_timeout=3, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.session.Session().client(service, region_name=region, config=config)  # type: ignore[call-overload]
