"""200 targets for tests of runs that are killed: an inventory, and workers that go on when nobody listens any more."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fake_aws import Answer
from tests.dbadmin_assets.cli.conftest import Machine, make_machine
from tests.dbadmin_assets.fakes import FaultyAws

TARGETS = 200
AT_ONCE = 20


def fleet_machine(home: Path, **more: str) -> Machine:
    """A user of 100 accounts in two regions, on the fake AWS of the environment; 20 workers at once."""
    machine = make_machine(home, os.environ["AWS_ENDPOINT_URL"], DBADMIN_MAX_CONCURRENCY=str(AT_ONCE), **more)
    machine.environment["DBADMIN_INVENTORY"] = str(home / "inventory.yaml")
    database = {"databases": [{"name": "db", "engine": "mysql", "host": "h", "secret": "s"}]}
    regions = {"regions": dict.fromkeys(("us-east-1", "eu-west-1"), database)}
    accounts = {str(100_000_000_000 + n): regions for n in range(TARGETS // 2)}
    (home / "inventory.yaml").write_text(json.dumps({"version": 1, "accounts": accounts}))
    return machine


class Fleet:
    """The workers of all targets. From the `held`th call on they are at work until they are let go.

    Each delivers once under a key, as the real one does, and is refused where something lies there already.

    Attributes:
        delivered: how many results; puts: how often S3 took something under a key.
    """

    def __init__(self, aws: FaultyAws, held: int) -> None:
        self.aws = aws
        self.held = held
        self.delivered = 0
        self.puts: Counter[str] = Counter()
        aws.script = [self._work]
        self._s3 = aws.s3
        aws.s3 = self._counted  # type: ignore[method-assign]

    async def _work(self, aws: FaultyAws, event: dict[str, Any]) -> Answer:
        number = len(aws.events)
        await asyncio.sleep(0.1)
        while number > self.held:
            await asyncio.sleep(0.05)
        if f"/{event['result']['bucket']}/{event['result']['key']}" in aws.objects:
            refused = {"errorType": "DeliveryError", "errorMessage": "PreconditionFailed on s3:PutObject"}
            return Answer(json.dumps(refused).encode(), headers={"X-Amz-Function-Error": "Unhandled"})
        self.delivered += 1
        return Answer(json.dumps(aws.deliver(event)).encode())

    def _counted(self, method: str, path: str, *rest: Any) -> Answer:
        answer = self._s3(method, path, *rest)
        self.puts[path] += method == "PUT" and answer.status == 200
        return answer

    @property
    def at_work(self) -> int:
        return len(self.aws.events) - self.delivered

    def let_go(self) -> None:
        """Whoever is at work, or will be, delivers."""
        self.held = 1 << 30

    def keys(self, prefix: str, suffix: str = "") -> list[str]:
        """What lies in the evidence bucket."""
        begin = f"/evidence/{prefix}"
        return sorted(key for key in list(self.aws.objects) if key.startswith(begin) and key.endswith(suffix))

    def verdicts(self, collection: str = "") -> list[str]:
        return [key for key in self.keys(f"outcomes/{collection}") if not key.endswith(".asked.json")]

    def assert_each_target_once(self, collection: str) -> None:
        """One call, one result object, one verdict in one version, one report of all of them."""
        events = [event for event in self.aws.events if event["collection_id"] == collection]
        asked = Counter(f"{event['account_id']}|{event['region']}" for event in events)
        assert (len(asked), set(asked.values())) == (TARGETS, {1})
        assert len(self.keys(f"collections/{collection}/")) == TARGETS
        assert [self.puts[key] for key in self.verdicts(collection)] == [1] * TARGETS
        assert len(self.keys("reports/", f"-{collection.partition('-')[0]}/manifest.json")) == 1


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)
