"""16 targets in the sandbox, real MySQL, real workers: wall time of a whole `generate`, and its slowest worker."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from sandbox.plan import fleet_plan
from sandbox.stack import Sandbox

ACCOUNTS = 8


def main() -> None:
    """8 accounts in 2 regions, one database each; the second run finds warm workers and a ready instance."""
    command = [str(Path(sys.executable).with_name("db-admin-report")), "generate", "--json"]
    with Sandbox(fleet_plan(ACCOUNTS, server="mysql")) as sandbox:
        for name in ("first", "second"):
            began = time.monotonic()
            ran = subprocess.run(command, env=sandbox.command_environment(), capture_output=True, text=True)
            wall = time.monotonic() - began
            report = json.loads(ran.stdout)
            slowest = max(slowest_worker(sandbox, report["run_id"]), default=0.0)
            print(f"{name}: exit {ran.returncode}, {wall:.1f} s wall, slowest worker {slowest:.1f} s")


def slowest_worker(sandbox: Sandbox, collection_id: str) -> list[float]:
    """Seconds that each worker's slowest database took, from the result objects."""
    s3, seconds = sandbox.s3(), []
    for item in s3.list_objects_v2(Bucket=sandbox.bucket, Prefix=f"collections/{collection_id}/")["Contents"]:
        body = json.load(s3.get_object(Bucket=sandbox.bucket, Key=item["Key"])["Body"])
        seconds += [connection["duration_ms"] / 1000 for connection in body["databaseConnections"]]
    return seconds


if __name__ == "__main__":
    main()
