"""What several benchmarks need: a fresh interpreter to measure in, its memory and times, figures with their spread."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CHILD = "--measured"
_MIB = 1024 * 1024


def in_fresh_interpreter(module: str, request: dict[str, Any]) -> dict[str, Any]:
    """Run `python -m module --measured` with `request` on its standard input; what it printed.

    Standard input, because a password must not be in argv.
    """
    command = [sys.executable, "-m", module, CHILD]
    done = subprocess.run(command, input=json.dumps(request), stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def as_child(measure: Callable[[dict[str, Any]], dict[str, Any]]) -> bool:
    """In a process that `in_fresh_interpreter` started: measure, answer, True. Elsewhere: False."""
    if sys.argv[1:] != [CHILD]:
        return False
    print(json.dumps(measure(json.load(sys.stdin))))
    return True


def timed(owner: Any, name: str, seconds: dict[str, float], *labels: str) -> None:
    """Have the function `owner.name` note how long it took, each call under the next label."""
    original: Callable[..., Any] = getattr(owner, name)
    remaining = iter(labels)

    def measured(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return original(*arguments)
        finally:
            seconds[next(remaining)] = time.perf_counter() - began

    setattr(owner, name, measured)


def resident_mib() -> float:
    """Resident memory of this process now, MiB; the peak so far where there is no /proc."""
    return _status("VmRSS")


def peak_mib() -> float:
    """Peak resident memory of this process, MiB.

    Not ru_maxrss where it can be helped: Linux starts that at the size of the process that spawned this one.
    """
    return _status("VmHWM")


def _status(name: str) -> float:
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) / 1024
    return mib_of(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def mib_of(maxrss: int) -> float:
    """`ru_maxrss` in MiB: KiB on Linux, bytes on macOS."""
    return maxrss / (_MIB if sys.platform == "darwin" else 1024)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """`0.81 (0.78 to 0.95)`: the median, then the least and the largest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
