"""One SQL Server with 5,000 logins and 200 databases: what a whole `collect` costs, its reading process included.

The server is the stand-in, in a process of its own, so its CPU time is none of ours. Measured: a fresh interpreter
per run imports the collector and collects once, over verified TLS. The stand-in is Python and one core's work at
most: how busy it was stands beside, for a real server would keep us waiting for other things.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from benchmarks.measured import (
    ROOT,
    as_child,
    in_fresh_interpreter,
    mib_of,
    peak_mib,
    resident_mib,
    spread,
    timed,
)
from benchmarks.sqlserver_standin import DATABASES, LOGINS
from sandbox.tds.catalogues import READER

RUNS = 5
Ask = Callable[[], dict[str, Any]]


def main() -> None:
    """Serve, collect, print the figures."""
    if as_child(collect_once):
        return
    password = secrets.token_urlsafe(24)
    with standin(password) as (where, ask):
        print(f"stand-in: {LOGINS:,} logins, {DATABASES} databases, {where['rows']:,} catalogue rows")
        report(where | {"password": password}, ask)


def report(request: dict[str, Any], ask: Ask) -> None:
    """Collect in fresh interpreters; the stand-in's own figures are differences between runs."""
    runs, said = [], [ask()]
    for _ in range(RUNS):
        runs.append(in_fresh_interpreter("benchmarks.sqlserver_catalogue", request))
        said.append(ask())
    print(f"median (least to largest) of {RUNS} runs, each in a fresh interpreter")
    for name in ("collect", "run_child", "parse", "evaluate"):
        print(f"{name:<18} {spread([run['seconds'][name] for run in runs])} s wall")
    for name, what in (("own", "collecting process"), ("children", "reading process")):
        print(f"{what:<18} {spread([run['cpu'][name] for run in runs])} s CPU, ", end="")
        print(f"peak RSS {spread([run['peak_mib'][name] for run in runs], 0)} MiB")
    before = statistics.median(run["before_mib"] for run in runs)
    print(f"before             {before:.0f} MiB in the collecting process")
    print(f"rows               {runs[0]['rows']:,} fetched, {runs[0]['users']:,} principals judged")
    batches = sum(said[-1]["batches"].values()) - sum(said[0]["batches"].values())
    print(f"batches            {batches / RUNS:g} sent, counted by the stand-in: that many round trips")
    busy = [later["cpu_seconds"] - earlier["cpu_seconds"] for earlier, later in pairwise(said)]
    share = statistics.median(busy) / statistics.median(run["seconds"]["run_child"] for run in runs)
    print(f"stand-in           {spread(busy)} s CPU, {share:.0%} of the reading: a real server takes other time")


# --- the measured process ---------------------------------------------------------------------


def collect_once(request: dict[str, Any]) -> dict[str, Any]:
    """Import the collector, collect, and say what it took here and in the reading process."""
    from worker_lambda.collectors import sqlserver
    from worker_lambda.contract import DatabaseTarget
    from worker_lambda.credentials import Credentials

    seconds: dict[str, float] = {}
    for name in ("run_child", "parse", "evaluate"):
        timed(sqlserver, name, seconds, name)
    target = DatabaseTarget("bench", "mssql", ca_file=request["ca_file"])
    credentials = Credentials(request["host"], request["port"], READER, request["password"])
    before_mib, before, began = resident_mib(), os.times(), time.perf_counter()
    result = sqlserver.collect(target, credentials, time.monotonic() + 120, "111111111111", "us-east-1")
    seconds["collect"] = time.perf_counter() - began
    after = os.times()
    if result.connection["status"] != "complete":
        raise SystemExit(f"not complete: {result.warnings}")
    return {
        "seconds": seconds,
        "cpu": {
            "own": after.user + after.system - before.user - before.system,
            "children": after.children_user + after.children_system,
        },
        # The children's figure starts at our own size when the child was made, and the child's peak lies above that.
        "peak_mib": {
            "own": peak_mib(),
            "children": mib_of(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss),
        },
        "before_mib": before_mib,
        "rows": result.connection["rows_fetched"],
        "users": result.connection["users"],
    }


# --- the server -------------------------------------------------------------------------------


@contextmanager
def standin(password: str) -> Iterator[tuple[dict[str, Any], Ask]]:
    """The stand-in's address, and a way to ask what it did so far; ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sqlserver_standin"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        start_new_session=True,  # Ctrl-C is for us; it ends when its input closes
    )  # fmt: skip
    assert process.stdin and process.stdout
    out, answers = process.stdin, process.stdout

    def ask() -> dict[str, Any]:
        out.write("\n")
        answer: dict[str, Any] = json.loads(answers.readline())
        return answer

    try:
        out.write(f"{password}\n")
        yield json.loads(answers.readline()), ask
    finally:
        out.close()
        process.wait(30)
        answers.close()


if __name__ == "__main__":
    main()
