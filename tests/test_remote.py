"""A deployed Dagster over the sandbox: real databases and workers, and the same report as on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from sandbox.stack import Sandbox
from tests.deployed_dagster import DeployedDagster
from tests.sandbox_fixture import demo_sandbox

__all__ = ["demo_sandbox"]
CLI = str(Path(sys.executable).with_name("db-admin-report"))
COMPARED = ("status", "complete", "exit_code", "population", "counts", "accounts", "failures", "partial", "scope")


def generate(sandbox: Sandbox, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [CLI, "generate", "--json", *arguments],
        env=sandbox.command_environment(), capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def test_a_deployed_dagster_makes_the_report_that_this_machine_makes(demo_sandbox: Sandbox, tmp_path: Path) -> None:
    here = generate(demo_sandbox)
    with DeployedDagster(tmp_path / "dagster", demo_sandbox.command_environment()) as dagster:
        far = generate(demo_sandbox, "--dagster-url", dagster.url)
    assert far["counts"]["admins"] > 0
    assert {key: far[key] for key in COMPARED} == {key: here[key] for key in COMPARED}
    assert far["sequence"] == here["sequence"] + 1
