"""Ten `generate` at once, 16 targets each, against one alone: wall time until the last report is there.

Real commands, Dagster instance (one, as ten people on one machine would have it) and runs; AWS and the workers are the
fake of `fake_aws`, in a process of its own. The instance is made before anything is measured. What ten cost is the CPU
time of their processes, which this many cores share; what one waits for is mostly its workers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fake_process import fake_aws_process
from benchmarks.fan_out import inventory, orchestrator_environment
from dbadmin_assets.cli.instance import prepare_instance
from dbadmin_assets.config import load_settings

TARGETS = 16
AT_ONCE = 10


def main() -> None:
    """With workers as fast as the sandbox's and as slow as `fan_out` has them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.concurrent_reports")
    parser.add_argument("--worker-seconds", type=float, nargs="+", default=[0.3, 30])
    for worker_seconds in parser.parse_args().worker_seconds:
        measure(worker_seconds)


def measure(worker_seconds: float) -> None:
    """One alone (the faster of two), then ten at once, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="concurrent-") as directory:
        home = Path(directory)
        (home / "inventory.json").write_text(inventory(TARGETS))
        with fake_aws_process(worker_seconds) as fake:
            environment = orchestrator_environment(home, fake.port)
            prepare_instance(load_settings(environ=environment))
            one = min(together(1, environment) for _ in range(2))
            ten = together(AT_ONCE, environment)
    print(
        f"{TARGETS} targets, worker {worker_seconds:g} s: one report {one:.1f} s, "
        f"{AT_ONCE} at once {ten:.1f} s, {ten / one:.1f} times"
    )


def together(number: int, environment: dict[str, str]) -> float:
    """Wall seconds of so many commands at once, each followed to its report."""
    command = [str(Path(sys.executable).with_name("db-admin-report")), "generate", "--json"]
    began = time.monotonic()
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(number)
    ]
    for process in started:
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert json.loads(out)["counts"]["targets"] == TARGETS
    return time.monotonic() - began


if __name__ == "__main__":
    main()
