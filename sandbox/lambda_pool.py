"""Runs invocations in execution environments: warm ones again, cold starts, time-outs, crashes, and a cap on all."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.lambda_function import Function
from sandbox.lambda_runtime import Environment, RoleCredentials

RESPONSE_LIMIT_BYTES = 6_291_556
LIVE_LIMIT = 32
"""Processes at once on this machine, 40 MiB each; more invocations wait, where AWS would start more."""

Credentials = Callable[[Function], Awaitable[RoleCredentials]]


@dataclass(frozen=True, slots=True)
class Invocation:
    """How an invocation ended: `error` is None or `Unhandled`, `log` what the process printed."""

    payload: bytes
    error: str | None = None
    log: bytes = b""


class Pool:
    """The execution environments of all functions."""

    def __init__(
        self, credentials: Credentials, base_environment: dict[str, str], logs: Path, live_limit: int = LIVE_LIMIT
    ) -> None:
        self._credentials = credentials
        self._base = base_environment
        self._logs = logs
        self._live_limit = live_limit
        self._live: set[Environment] = set()
        self._slots = 0
        self._idle: dict[str, list[Environment]] = {}
        self._changed = asyncio.Condition()

    async def run(self, function: Function, request_id: str, event: bytes) -> Invocation:
        """One synchronous invocation, from a warm or a cold environment."""
        environment = await self._acquire(function)
        if isinstance(environment, Invocation):
            return environment
        started = time.monotonic()
        try:
            outcome = await environment.invoke(request_id, event, function.timeout_seconds)
        except TimeoutError:
            log = self._log(environment, request_id, started)
            await self._discard(environment)
            return _timed_out(request_id, function.timeout_seconds, log)
        log = self._log(environment, request_id, started)
        if outcome.kind == "exit":
            status = environment.exit_status
            await self._discard(environment)
            return _failed(
                "Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {status}", log
            )
        await self._release(environment)
        if outcome.kind == "response" and len(outcome.payload) > RESPONSE_LIMIT_BYTES:
            said = f"Response payload size ({len(outcome.payload)} bytes) exceeded maximum allowed payload size"
            return _failed("Function.ResponseSizeTooLarge", f"{said} ({RESPONSE_LIMIT_BYTES} bytes).", log)
        return Invocation(outcome.payload, None if outcome.kind == "response" else "Unhandled", log)

    async def close(self) -> None:
        """Kill every environment."""
        for environment in list(self._live):
            await self._discard(environment)

    async def _acquire(self, function: Function) -> Environment | Invocation:
        warm = await self._warm_or_slot(function)
        if warm is not None:
            return warm
        result: Environment | Invocation | None = None
        try:
            result = await self._cold_start(function, function.init_timeout_seconds)
            if isinstance(result, Invocation) and b"Sandbox.Timedout" in result.payload:
                result = await self._cold_start(function, function.timeout_seconds)
            return result
        finally:
            if not isinstance(result, Environment):
                await self._free_slot()

    async def _warm_or_slot(self, function: Function) -> Environment | None:
        """A warm environment of the function; or None, and a slot for a new one is taken. Waits for either."""
        async with self._changed:
            while True:
                idle = self._idle.setdefault(function.arn, [])
                while idle:
                    environment = idle.pop()
                    if _usable(environment):
                        return environment
                    await self._end(environment)
                    self._slots -= 1
                spare = [e for environments in self._idle.values() for e in environments]
                if self._slots >= self._live_limit and spare:
                    oldest = min(spare, key=lambda e: e.used_at)
                    self._idle[oldest.function.arn].remove(oldest)
                    await self._end(oldest)
                    self._slots -= 1
                if self._slots < self._live_limit:
                    self._slots += 1
                    return None
                await self._changed.wait()

    async def _free_slot(self) -> None:
        async with self._changed:
            self._slots -= 1
            self._changed.notify_all()

    async def _end(self, environment: Environment) -> None:
        self._live.discard(environment)
        await environment.kill()

    async def _cold_start(self, function: Function, timeout_seconds: float) -> Environment | Invocation:
        credentials = await self._credentials(function)
        log_file = self._logs / f"lambda-{function.account_id}-{function.region}-{function.name}.log"
        environment = Environment(function, credentials, self._base, log_file)
        await environment.start()
        self._live.add(environment)
        try:
            await asyncio.wait_for(environment.ready.wait(), timeout_seconds)
        except TimeoutError:
            await self._end(environment)
            return _timed_out("init", timeout_seconds, b"".join(environment.log))
        if environment.init_error is not None:
            log, payload = b"".join(environment.log), environment.init_error
            await self._end(environment)
            return Invocation(payload, "Unhandled", log)
        if environment.exited.is_set():
            status = environment.exit_status
            await self._end(environment)
            return _failed(
                "Runtime.ExitError", f"Error: Runtime exited with error: {status}", b"".join(environment.log)
            )
        return environment

    async def _release(self, environment: Environment) -> None:
        async with self._changed:
            self._idle.setdefault(environment.function.arn, []).append(environment)
            self._changed.notify_all()

    async def _discard(self, environment: Environment) -> None:
        await self._end(environment)
        await self._free_slot()

    def _log(self, environment: Environment, request_id: str, started: float) -> bytes:
        duration = (time.monotonic() - started) * 1000
        start = f"START RequestId: {request_id} Version: $LATEST\n".encode()
        report = f"END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\n".encode()
        return start + b"".join(environment.log) + report


def _usable(environment: Environment) -> bool:
    lasts = environment.credentials.expires_at - dt.datetime.now(dt.UTC)
    return not environment.exited.is_set() and lasts > dt.timedelta(seconds=environment.function.timeout_seconds)


def _timed_out(request_id: str, seconds: float, log: bytes) -> Invocation:
    return _failed(
        "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds", log
    )


def _failed(kind: str, message: str, log: bytes) -> Invocation:
    return Invocation(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled", log)
