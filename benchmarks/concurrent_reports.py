"""Ten `generate` at once, 16 targets each, against one alone: wall time of all, and where the CPU time goes.

Real commands, Dagster instance (one, as ten people on one machine would have it) and runs; AWS and the workers are the
fake of `fake_aws`, in a process of its own. The instance is made and every file is warm before anything is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fan_out import inventory, orchestrator_environment
from benchmarks.measured import spread
from dbadmin_assets.cli.instance import prepare_instance
from dbadmin_assets.config import load_settings

TARGETS = 16
AT_ONCE = 10
REPEAT = 3


@dataclass(frozen=True)
class Round:
    """What so many commands at once took; `cpu_seconds` of them and of the runs that they launched, each."""

    wall_seconds: float
    cpu_seconds: float


def main() -> None:
    """One and ten, three times each, and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.concurrent_reports")
    parser.add_argument("--worker-seconds", type=float, default=10)
    worker_seconds = parser.parse_args().worker_seconds
    with tempfile.TemporaryDirectory(prefix="concurrent-") as directory:
        home = Path(directory)
        (home / "inventory.json").write_text(inventory(TARGETS))
        fake = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.fake_aws", "--worker-seconds", str(worker_seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert fake.stdin and fake.stdout
        try:
            environment = orchestrator_environment(home, int(fake.stdout.readline()))
            prepare_instance(load_settings(environ=environment))
            together(1, environment)
            alone = [together(1, environment) for _ in range(REPEAT)]
            ten = [together(AT_ONCE, environment) for _ in range(REPEAT)]
        finally:
            fake.stdin.close()
            fake.wait()
    print(f"{TARGETS} targets each, a worker takes {worker_seconds:g} s")
    for name, rounds in (("one report", alone), (f"{AT_ONCE} at once", ten)):
        cpu = spread([r.cpu_seconds for r in rounds], 1)
        print(f"{name:<11} {spread([r.wall_seconds for r in rounds], 1)} s wall, {cpu} CPU s each")
    print(f"ratio       {min(r.wall_seconds for r in ten) / min(r.wall_seconds for r in alone):.2f} (best of each)")


def together(number: int, environment: dict[str, str]) -> Round:
    """So many commands at once, each followed to its report.

    The runs are processes that the commands start and, while they follow them, reap: their CPU time is in theirs.
    """
    command = [str(Path(sys.executable).with_name("db-admin-report")), "generate", "--json"]
    began, before = time.monotonic(), os.times()
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(number)
    ]
    for process in started:
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert json.loads(out)["counts"]["targets"] == TARGETS
    wall, after = time.monotonic() - began, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Round(wall, used / number)


if __name__ == "__main__":
    main()
