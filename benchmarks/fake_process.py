"""The fake AWS in a process of its own, for what is measured beside it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class FakeProcess:
    """Where it listens; afterwards `most_at_once`, the most invocations that were under way together."""

    port: int
    most_at_once: int = 0


@contextlib.contextmanager
def fake_aws_process(worker_seconds: float) -> Iterator[FakeProcess]:
    """Runs until the block is left; a worker takes so many seconds."""
    command = [sys.executable, "-m", "benchmarks.fake_aws", "--worker-seconds", str(worker_seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    fake = FakeProcess(int(process.stdout.readline()))
    try:
        yield fake
    finally:
        process.stdin.close()
        fake.most_at_once = int(process.stdout.read().strip() or 0)
        process.wait()
