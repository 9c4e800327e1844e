"""A local AWS with an evidence bucket and no worker: enough for the whole command line, every target fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws import LocalAws
from tests.dbadmin_assets.conftest import CENTRAL, REGION

__all__ = ["CENTRAL", "REGION", "Machine", "make_machine", "stop"]

INVENTORY = """\
version: 1
defaults: {secret: "db/{database}"}
accounts:
  "111111111111":
    name: payments
    regions:
      us-east-1: {databases: [{name: orders, engine: mysql, host: h}]}
      eu-west-1: {databases: [{name: refunds, engine: mssql, host: h}]}
  "012345678901":
    regions:
      us-east-1:
        databases:
          - {name: ledger, engine: mysql, host: h}
          - {name: old, engine: mysql, host: h2, exclude: test}
"""


@dataclass
class Machine:
    """One user's machine: a home, a state folder, and the environment that leads to the local AWS."""

    home: Path
    environment: dict[str, str]
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Run the command line; it goes on in the background."""
        process = subprocess.Popen(
            [sys.executable, "-m", "dbadmin_assets.cli.main", *arguments],
            env=self.environment, cwd=self.home, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command line to its end: exit code, standard output, standard error."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    @property
    def state(self) -> Path:
        return self.home / "state"


def make_machine(home: Path, endpoint: str, **more: str) -> Machine:
    (home / "inventory.yaml").write_text(INVENTORY)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DBADMIN_", "DAGSTER_"))}
    own = {
        "HOME": str(home),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": CENTRAL,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "DBADMIN_INVENTORY": "inventory.yaml",
        "DBADMIN_BUCKET": "evidence",
        "DBADMIN_STATE_DIR": str(home / "state"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Machine(home, inherited | own | more)


def stop(machine: Machine) -> None:
    """Nothing that a test launched stays, whatever became of the test."""
    from dbadmin_assets.cli.processes import stop_run

    for process in machine.started:
        if process.poll() is None:
            process.kill()
        process.wait()
    for record in (machine.state / "runs").glob("*.json"):
        import json

        values: dict[str, Any] = json.loads(record.read_text())
        stop_run(values["pgid"], values["run_id"], grace_seconds=3)


@pytest.fixture
def machine(tmp_path: Path, local_aws: LocalAws) -> Iterator[Machine]:
    machine = make_machine(tmp_path, local_aws.endpoint)
    try:
        yield machine
    finally:
        stop(machine)


@pytest.fixture
def offline(tmp_path: Path) -> Iterator[Machine]:
    """A machine whose AWS answers nothing: for what must not need it."""
    machine = make_machine(tmp_path, "http://127.0.0.1:9")
    try:
        yield machine
    finally:
        stop(machine)
