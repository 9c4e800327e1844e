"""The worker as Lambda gets it: the size of the zip, and how long a cold start spends on imports.

Each import is timed in ten fresh interpreters, by a clock around the import. Twice: with bytecode, as in Lambda where
`make lambda` found a Python 3.12 to make it, and from source, as in Lambda otherwise: /var/task cannot be written.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

from infra.lambda_bytecode import find_interpreter
from infra.lambda_package import PYTHON, ROOT, build

RUNS = 10
_MIB = 1024 * 1024
_COPIED = ("worker_lambda", "pymysql", "cryptography")  # pymssql is compiled code but for a few lines
# What is imported first, and not counted; then what is.
IMPORTS = {
    "worker_lambda.handler": ("", "worker_lambda.handler"),
    "+ MySQL collector": ("worker_lambda.handler", "worker_lambda.collect, worker_lambda.collectors.mysql"),
    "+ SQL Server collector": ("worker_lambda.handler", "worker_lambda.collect, worker_lambda.collectors.sqlserver"),
    "+ its reading process": ("", "worker_lambda.collectors.sqlserver_child, pymssql"),
}
_PROGRAM = """
import json, sys, time
if {first!r}: import {first_or_sys}
began = time.perf_counter()
import {then}
taken = time.perf_counter() - began
print(json.dumps([taken, sorted({{"boto3", "botocore"}} & sys.modules.keys())]))
"""


def main() -> None:
    """Size, then imports."""
    with tempfile.TemporaryDirectory() as directory:
        for architecture in ("arm64", "x86_64"):
            size(Path(directory) / architecture, architecture)
        copied = Path(directory) / "source"
        for name in _COPIED:
            spec = importlib.util.find_spec(name)
            assert spec and spec.submodule_search_locations
            shutil.copytree(spec.submodule_search_locations[0], copied / name, ignore=shutil.ignore_patterns("*.pyc"))
        print(f"python -c pass: {statistics.median(bare() for _ in range(RUNS)) * 1000:.0f} ms, median of {RUNS}")
        for label, (first, then) in IMPORTS.items():
            cached, source = imported(first, then, None), imported(first, then, copied)
            print(
                f"{label:<24} {cached[0]:4.0f} ms with bytecode, {source[0]:4.0f} ms from source, {loaded(cached[1])}"
            )


# --- the zip ----------------------------------------------------------------------------------


def size(directory: Path, architecture: str) -> None:
    """Build the zip and print its size, and what fills it."""
    archive = directory / "worker_lambda.zip"
    directory.mkdir()
    try:
        package = build(archive, architecture, compiler=find_interpreter(PYTHON))
    except subprocess.CalledProcessError:
        print(f"{architecture}: not measured, pip cannot get the wheels")
        return
    parts: Counter[str] = Counter()
    with zipfile.ZipFile(archive) as zipped:
        for entry in zipped.infolist():
            parts[entry.filename.partition("/")[0]] += entry.compress_size
    largest = ", ".join(f"{name} {part / _MIB:.1f}" for name, part in parts.most_common(3))
    made = f"bytecode by {package.bytecode}" if package.bytecode else "no bytecode"
    sizes = f"{package.zipped / _MIB:.1f} MiB zipped, {package.unpacked / _MIB:.1f} unpacked"
    print(f"{architecture}: {sizes}, {made}; of the zip {largest}")


# --- the imports ------------------------------------------------------------------------------


def bare() -> float:
    """Wall seconds of an interpreter that does nothing."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


def imported(first: str, then: str, source: Path | None) -> tuple[float, list[str]]:
    """Median milliseconds of an import, and which of boto3 and botocore it loaded.

    Args:
        first: what is imported before, outside the measured time; may be empty.
        source: a directory with copies that have no bytecode and get none; None takes what is installed.
    """
    program = _PROGRAM.format(first=first, first_or_sys=first or "sys", then=then)
    environment = dict(os.environ) if source is None else {**os.environ, "PYTHONPATH": str(source)}
    command = [sys.executable, *(["-B"] if source else []), "-c", program]
    answers = []
    for _ in range(RUNS + 1):  # the first one may have to write bytecode
        done = subprocess.run(command, env=environment, cwd=source or ROOT, check=True, stdout=subprocess.PIPE)
        answers.append(json.loads(done.stdout))
    return statistics.median(taken for taken, _ in answers[1:]) * 1000, answers[-1][1]


def loaded(names: list[str]) -> str:
    """The sentence for what must not be there."""
    return f"{' and '.join(names)} LOADED" if names else "neither boto3 nor botocore loaded"


if __name__ == "__main__":
    main()
