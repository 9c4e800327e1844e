"""A fake STS, Lambda and S3 over real HTTP, whose Lambda misbehaves as a test says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import boto3
import pytest

from benchmarks.fake_aws import Answer, FakeAws, serve
from dbadmin_assets.inventory import parse_inventory
from dbadmin_assets.resources.accounts import AwsAccounts
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.resources.worker import Limits, WorkerLambda

Behaviour = Callable[["FaultyAws", dict[str, Any]], Awaitable[Answer | None]]


class FaultyAws(FakeAws):
    """Invocations follow `script`, one behaviour each, the last one for ever; None of a behaviour cuts the line."""

    def __init__(self) -> None:
        super().__init__(worker_seconds=0)
        self.script: list[Behaviour] = [succeed]
        self.events: list[dict[str, Any]] = []
        self.sts_calls: list[dict[str, list[str]]] = []
        self.sts_errors: list[str] = []
        self.cut_downloads = False

    async def invoke(self, event: dict[str, Any]) -> Answer:
        """Play the next behaviour."""
        self.events.append(event)
        behaviour = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        answer = await behaviour(self, event)
        if answer is None:
            raise ConnectionError
        return answer

    def s3(self, method: str, path: str, *rest: Any) -> Answer:
        """Cut the line in the middle of an object, if told to."""
        answer = super().s3(method, path, *rest)
        if self.cut_downloads and method == "GET" and path in self.objects:
            return Answer(answer.body[:40], announced=len(answer.body))
        return answer

    def sts(self, form: dict[str, list[str]]) -> Answer:
        """Fail as often as told, then as before."""
        if form["Action"] == ["AssumeRole"]:
            self.sts_calls.append(form)
            if self.sts_errors:
                code = self.sts_errors.pop(0)
                body = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
                return Answer(body.encode(), 403 if code == "AccessDenied" else 400)
        return super().sts(form)


async def succeed(aws: FaultyAws, event: dict[str, Any]) -> Answer:
    """Deliver and say so."""
    return await FakeAws.invoke(aws, event)


@pytest.fixture
def fake_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyAws]:
    """The fake, and an environment that leads every boto3 client to it."""
    fake, started = FaultyAws(), threading.Event()
    port: list[int] = []
    stop: list[Callable[[], None]] = []

    async def run() -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(over.set))  # type: ignore[arg-type, return-value]
        server = await asyncio.start_server(lambda r, w: serve(fake, r, w), "127.0.0.1", 0, limit=1 << 20)
        port.append(server.sockets[0].getsockname()[1])
        started.set()
        await over.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    started.wait()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port[0]}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    yield fake
    stop[0]()
    thread.join()


INVENTORY = b"""
version: 1
defaults: {secret: "db-admin-report/{database}"}
worker: {external_id: ext-1, timeout_seconds: 60}
accounts:
  "111111111111":
    name: payments
    regions:
      us-east-1: {databases: [{name: orders, engine: mysql, host: db1}]}
      eu-west-1: {databases: [{name: ledger, engine: mysql, host: db2}]}
  "222222222222":
    regions:
      us-east-1: {databases: [{name: shop, engine: mysql, host: db3}, {name: cart, engine: mysql, host: db4}]}
"""


@pytest.fixture
def inventory() -> Any:
    """Three targets in two accounts."""
    return parse_inventory(INVENTORY, "test")


@pytest.fixture
def store(fake_aws: FaultyAws) -> EvidenceStore:
    """The evidence bucket in the fake."""
    return EvidenceStore(boto3.Session(region_name="us-east-1"), bucket="evidence", region="us-east-1")


@pytest.fixture
def accounts(fake_aws: FaultyAws) -> AwsAccounts:
    """The accounts behind the fake STS."""
    return AwsAccounts(boto3.Session(region_name="us-east-1"), run_id="run-1", max_connections=16)


@pytest.fixture
def worker(accounts: AwsAccounts, store: EvidenceStore) -> WorkerLambda:
    """The worker under test; it does not really sleep between attempts."""
    return WorkerLambda(accounts, store, bucket_region="us-east-1", limits=Limits(), sleep=lambda _: None)
