"""1,000 targets whose worker takes 30 s: the whole job, Dagster's events included, against a fake AWS.

The fake (its own process) answers STS, Lambda and S3; the orchestrator is a fresh Python process with a Dagster
instance on disk, measured from its start to its end.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fake_process import fake_aws_process
from dbadmin_assets.cli.instance import dagster_yaml

ORCHESTRATOR = "benchmarks.fan_out_job"


def inventory(targets: int) -> str:
    """One database in each of `targets` accounts."""
    accounts = {
        f"{100000000000 + n}": {
            "regions": {"us-east-1": {"databases": [{"name": "db", "engine": "mysql", "host": "h", "secret": "s"}]}}
        }
        for n in range(targets)
    }
    return json.dumps({"version": 1, "accounts": accounts})


def measure(targets: int, worker_seconds: float) -> None:
    """Run once and print wall time, CPU time and peak memory of the orchestrator."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / "inventory.json").write_text(inventory(targets))
        (home / "dagster.yaml").write_text(dagster_yaml(home))
        with fake_aws_process(worker_seconds) as fake:
            environment = orchestrator_environment(home, fake.port)
            began = time.monotonic()
            child = subprocess.Popen([sys.executable, "-m", ORCHESTRATOR], env=environment)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            wall = time.monotonic() - began
    peak = used.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)
    print(
        f"{targets} targets, worker {worker_seconds:g} s, {fake.most_at_once} at once: exit {child.returncode}, "
        f"{wall:.1f} s wall, {used.ru_utime + used.ru_stime:.1f} CPU s, peak {peak:.0f} MiB"
    )


def orchestrator_environment(home: Path, port: int) -> dict[str, str]:
    """The environment of the measured process: the fake AWS, a fresh Dagster home."""
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "DBADMIN_INVENTORY": str(home / "inventory.json"),
        "DBADMIN_BUCKET": "evidence",
        "DBADMIN_REGION": "us-east-1",
        "DBADMIN_STATE_DIR": str(home / "state"),
        "DBADMIN_CONFIG": os.devnull,
        "DAGSTER_HOME": str(home),
    }


def main() -> None:
    """The figure that the docs name, or another size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fan_out")
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--worker-seconds", type=float, default=30)
    options = parser.parse_args()
    measure(options.targets, options.worker_seconds)


if __name__ == "__main__":
    main()
