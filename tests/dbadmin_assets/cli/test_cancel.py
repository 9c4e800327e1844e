"""Canceling a run whose workers are at work: nobody is asked any more, and who was at work is on record."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.plan import fleet_plan
from sandbox.stack import Sandbox

CLI = [sys.executable, "-m", "dbadmin_assets.cli.main"]


@pytest.fixture(scope="module")
def slow_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slow") / "asked"


@pytest.fixture(scope="module")
def slow_sandbox(slow_log: Path) -> Iterator[Sandbox]:
    plan = fleet_plan(2, handler="tests.sandbox.fault_handlers.slow")
    with Sandbox(plan, function_environment={"SLOW_LOG": str(slow_log)}) as sandbox:
        yield sandbox


def asked(slow_log: Path) -> list[str]:
    return sorted(slow_log.read_text().split()) if slow_log.exists() else []


def test_cancel_asks_no_worker_any_more_and_records_who_was_at_work(slow_sandbox: Sandbox, slow_log: Path) -> None:
    environment = slow_sandbox.command_environment() | {"DBADMIN_MAX_PER_ACCOUNT": "1"}

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run([*CLI, *arguments], env=environment, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + (done.stderr if not done.stdout else "")

    code, out = run("generate", "--no-wait")
    assert code == 0, out
    run_id = out.strip()
    give_up = time.monotonic() + 60
    while len(asked(slow_log)) < 2:
        assert time.monotonic() < give_up
        time.sleep(0.1)
    at_work = asked(slow_log)
    assert len({target.partition("|")[0] for target in at_work}) == 2, "one in each account; the other waits its turn"
    code, out = run("cancel", run_id, "--json")
    assert (code, json.loads(out)["status"]) == (0, "canceled"), out
    code, out = run("status", run_id, "--verbose")
    assert code == 1, out
    assert f"under way: {', '.join(at_work)}" in out
    assert "Status: canceled" in out
    assert asked(slow_log) == at_work
    keys = [o["Key"] for o in slow_sandbox.s3().list_objects_v2(Bucket=slow_sandbox.bucket).get("Contents", ())]
    assert any(key.startswith("requests/") for key in keys), "what was asked for stays on record"
    assert not any(key.startswith("reports/") for key in keys)
