"""`db-admin-report --help`: the wait before a person sees anything. Median of ten fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 10


def seconds(*command: str) -> float:
    """Median wall time of a command."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    """Beside it: the bare interpreter, and what an import of Dagster would add."""
    command = str(Path(sys.executable).with_name("db-admin-report"))
    print(f"db-admin-report --help   {seconds(command, '--help'):.2f} s")
    print(f"python -c pass           {seconds(sys.executable, '-c', 'pass'):.2f} s")
    print(f"python -c import dagster {seconds(sys.executable, '-c', 'import dagster'):.2f} s")


if __name__ == "__main__":
    main()
