"""Cold starts, the cap and the init time-out, on the pool itself: processes are real, AWS is not needed."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil

from sandbox.lambda_function import Function, code_sha256
from sandbox.lambda_pool import Pool
from sandbox.lambda_runtime import RoleCredentials


def a_function(name: str = "f", module: str = "fault_handlers", **more: Any) -> Function:
    handler = f"tests.sandbox.{module}.handler"
    return Function("111111111111", "us-east-1", name, "arn:aws:iam::111111111111:role/w", handler=handler, **more)


def in_a_pool(
    logs: Path, what: Callable[[Pool], Awaitable[Any]], live_limit: int = 4, lasts: dt.timedelta = dt.timedelta(hours=1)
) -> Any:
    """Run `what` with a pool; whatever happens no process is left."""

    async def credentials(function: Function) -> RoleCredentials:
        return RoleCredentials("AKIA", "secret", "token", dt.datetime.now(dt.UTC) + lasts)

    async def run() -> Any:
        pool = Pool(credentials, {}, logs, live_limit)
        try:
            return await what(pool)
        finally:
            await pool.close()

    before = set(psutil.Process().children())
    result = asyncio.run(run())
    assert set(psutil.Process().children()) <= before
    return result


async def tell(pool: Pool, function: Function) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((await pool.run(function, "r", b"{}")).payload)
    return told


def test_no_more_processes_live_than_the_limit_allows(tmp_path: Path) -> None:
    async def what(pool: Pool) -> list[int]:
        told = await asyncio.gather(*(tell(pool, a_function()) for _ in range(6)))
        return [t["pid"] for t in told]

    pids = in_a_pool(tmp_path, what, live_limit=2)
    assert len(pids) == 6
    assert len(set(pids)) <= 2


def test_an_idle_process_makes_room_for_another_function(tmp_path: Path) -> None:
    async def what(pool: Pool) -> tuple[int, bool]:
        first = (await tell(pool, a_function("one")))["pid"]
        await tell(pool, a_function("two"))
        return first, psutil.pid_exists(first)

    _, still_there = in_a_pool(tmp_path, what, live_limit=1)
    assert not still_there


def test_a_process_whose_credentials_would_run_out_is_replaced(tmp_path: Path) -> None:
    async def what(pool: Pool) -> tuple[int, int]:
        function = a_function(timeout_seconds=60)
        return (await tell(pool, function))["pid"], (await tell(pool, function))["pid"]

    first, second = in_a_pool(tmp_path, what, live_limit=1, lasts=dt.timedelta(seconds=30))
    assert first != second


def test_an_import_error_is_reported_with_its_type(tmp_path: Path) -> None:
    result = in_a_pool(tmp_path, lambda pool: pool.run(a_function(module="broken_import"), "r", b"{}"))
    payload = json.loads(result.payload)
    assert result.error == "Unhandled"
    assert payload["errorType"] == "RuntimeError"
    assert "cannot be imported" in payload["errorMessage"]


def test_a_slow_start_is_tried_once_more_and_then_reported(tmp_path: Path) -> None:
    function = a_function(module="slow_import", init_timeout_seconds=0.3, timeout_seconds=0.5)
    result = in_a_pool(tmp_path, lambda pool: pool.run(function, "r", b"{}"))
    assert json.loads(result.payload)["errorType"] == "Sandbox.Timedout"
    assert "0.50 seconds" in json.loads(result.payload)["errorMessage"]  # the second try's limit


def test_failed_starts_do_not_use_up_the_limit(tmp_path: Path) -> None:
    async def what(pool: Pool) -> dict[str, Any]:
        for _ in range(3):
            await pool.run(a_function(module="broken_import"), "r", b"{}")
        return await tell(pool, a_function())

    assert in_a_pool(tmp_path, what, live_limit=1)["invocations"] == 1


def test_the_code_hash_changes_with_the_code(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text("x = 1\n")
    before = code_sha256(package)
    assert code_sha256(package) == before
    (package / "a.py").write_text("x = 2\n")
    assert code_sha256(package) != before


def test_credentials_are_not_in_a_repr() -> None:
    text = repr(RoleCredentials("AKIA", "secret-1", "token-1", dt.datetime.now(dt.UTC)))
    assert "secret-1" not in text
    assert "token-1" not in text
