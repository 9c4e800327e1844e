"""Run the benchmarks by name, or all of them."""

from __future__ import annotations

import importlib
import os
import platform
import sys

NAMES = (
    "cli_start",
    "worker_package",
    "worker_pool",
    "mysql_catalogue",
    "sqlserver_catalogue",
    "consolidation",
    "workbook",
    "verification",
    "diff",
    "fan_out",
    "concurrent_reports",
    "alerts",
    "ui",
    "demo",
)


def main() -> int:
    """Print the machine, then each benchmark's figures."""
    wanted = sys.argv[1:] or list(NAMES)
    if unknown := sorted(set(wanted) - set(NAMES)):
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}")
    del sys.argv[1:]  # a benchmark run by itself has options of its own
    for name in wanted:
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
