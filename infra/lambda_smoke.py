"""Does what was built import? The unpacked zip in a bare interpreter: no site-packages, no boto3, no checkout.

Compiled wheels of another architecture cannot be imported here. Then the same recipe is built for this machine and
that is imported, and the answer says so.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra import lambda_package
from infra.lambda_bytecode import Interpreter

_PROGRAM = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import worker_lambda.handler
import worker_lambda.collectors
for package in (worker_lambda, worker_lambda.collectors):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
import pymssql, pymysql, cryptography.hazmat.primitives.asymmetric.padding
ours = {"worker_lambda", "pymssql", "pymysql", "cryptography", "_cffi_backend"}
strangers = sorted(name for name, module in sys.modules.items() if name.partition(".")[0] in ours
                   and getattr(module, "__file__", None) and not module.__file__.startswith(sys.argv[1]))
assert callable(worker_lambda.handler.handler)
assert not strangers, f"not from the zip: {strangers}"
assert not {"boto3", "botocore"} & set(sys.modules), "the worker imports boto3 before it needs it"
print(sum(name.startswith("worker_lambda") for name in sys.modules))
"""


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """What was imported, by which Python, whether it was the very zip, and what went wrong."""

    passed: bool
    the_zip_itself: bool
    architecture: str
    python: str
    modules: int
    problem: str | None

    def __str__(self) -> str:
        what = "this zip" if self.the_zip_itself else "NOT this zip: the same recipe built for this machine"
        verdict = f"{self.modules} modules of worker_lambda imported" if self.passed else f"FAILED: {self.problem}"
        return f"smoke test: {verdict} ({what}; {self.architecture}, Python {self.python}, bare interpreter)"


def run(archive: Path, architecture: str, interpreter: Interpreter | None) -> SmokeTest:
    """Import the zip, or its like for this machine where it is meant for another.

    Args:
        interpreter: the Python of the zip's minor version, where there is one; else this one stands in.
    """
    machine = platform.machine()
    machine = {"aarch64": "arm64", "AMD64": "x86_64"}.get(machine, machine)
    linux = sys.platform == "linux" and machine in lambda_package.MACHINES
    here = Interpreter(sys.executable, platform.python_version())
    with tempfile.TemporaryDirectory() as directory:
        unpacked = Path(directory) / "unpacked"
        itself = linux and interpreter is not None and machine == architecture
        if itself:
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(unpacked)
        elif linux and interpreter is not None:
            like = Path(directory) / "like.zip"
            lambda_package.build(like, machine, compiler=interpreter)
            with zipfile.ZipFile(like) as zipped:
                zipped.extractall(unpacked)
        else:
            interpreter = here
            lambda_package.install_native(Path(directory) / "wheels")
            source = lambda_package.ROOT / "worker_lambda"
            lambda_package.stage(unpacked, (Path(directory) / "wheels", ""), (source, "worker_lambda/"))
        return _import(unpacked, interpreter or here, machine, itself)


def _import(unpacked: Path, interpreter: Interpreter, machine: str, itself: bool) -> SmokeTest:
    command = [interpreter.path, "-I", "-S", "-B", "-c", _PROGRAM, str(unpacked.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=300, check=False)
    problem = None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1]
    modules = int(done.stdout) if problem is None else 0
    return SmokeTest(problem is None, itself, machine, interpreter.version, modules, problem)
