"""However a sandbox ends, no process and no file of it is left; what belongs to others stays."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sandbox.processes import ROOT, Processes
from sandbox.reaper import MARKER, belongs, find
from sandbox.stack import Sandbox

SLEEP = [sys.executable, "-c", "import time; time.sleep(300)"]

# A sandbox with a live function process, a child, and a run that a command line started detached and recorded.
VICTIM = """
import json, os, subprocess, sys, time
from sandbox.plan import fleet_plan
from sandbox.stack import Sandbox
from tests.sandbox.acting import client, invoker
with Sandbox(fleet_plan(1, ["us-east-1"], handler="tests.sandbox.fault_handlers.handler")) as sandbox:
    functions = client(sandbox, "lambda", invoker(sandbox, "100000000000"))
    functions.invoke(FunctionName="db-admin-report-worker")["Payload"].read()
    run = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    runs = sandbox.directory / "home" / "runs"
    runs.mkdir()
    (runs / "r1.json").write_text(json.dumps({"pid": run.pid, "pgid": run.pid}))
    print(json.dumps({"directory": str(sandbox.directory), "run": run.pid}), flush=True)
    time.sleep(300)
"""


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it comes true while anybody would still wait for it."""
    give_up_at = time.monotonic() + 60
    while not condition():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.05)
    return True


def lives(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours that belongs to no sandbox."""
    child = subprocess.Popen(SLEEP)
    yield child
    child.kill()
    child.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_sandbox_that_is_killed_leaves_nothing(number: signal.Signals, bystander: subprocess.Popen[bytes]) -> None:
    victim = subprocess.Popen([sys.executable, "-c", VICTIM], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    told = json.loads(victim.stdout.readline())
    directory = Path(told["directory"])
    own = [p.pid for p in psutil.Process(victim.pid).children(recursive=True)]
    marked = [p.pid for p in psutil.process_iter() if belongs(p, directory)]
    assert lives(told["run"])
    assert len(own) >= 4  # reaper, local AWS, stand-in, function process
    victim.send_signal(number)
    victim.wait()
    victim.stdout.close()
    assert eventually(lambda: not any(lives(pid) for pid in [*own, *marked, told["run"]]))
    assert eventually(lambda: not directory.exists())
    assert bystander.poll() is None


def test_a_sandbox_killed_while_it_starts_leaves_nothing() -> None:
    code = "import sys; from sandbox.stack import Sandbox; Sandbox(progress=lambda s: print(s, flush=True)).start()"
    victim = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    victim.stdout.readline()  # the local AWS runs, nothing else does yet
    reapers = [p for p in psutil.Process(victim.pid).children() if "sandbox.reaper" in p.cmdline()]
    directory = Path(reapers[0].cmdline()[-1])
    assert directory.is_dir()
    victim.kill()
    victim.wait()
    victim.stdout.close()
    assert eventually(lambda: not reapers[0].is_running())
    assert not directory.exists()


def test_stop_ends_children_and_grandchildren_and_removes_the_directory(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    code = f"import subprocess; subprocess.Popen({SLEEP!r}, start_new_session=True).wait()"
    child = processes.start("child", [sys.executable, "-c", code], dict(os.environ))
    assert eventually(lambda: len(psutil.Process(child.pid).children()) == 1)
    grandchild = psutil.Process(child.pid).children()[0].pid
    processes.stop()
    assert not lives(child.pid)
    assert not lives(grandchild)
    assert not processes.directory.exists()
    processes.stop()  # a second time is harmless


def test_a_number_given_out_again_is_not_the_recorded_run(tmp_path: Path, bystander: subprocess.Popen[bytes]) -> None:
    runs = tmp_path / "home" / "runs"
    runs.mkdir(parents=True)
    record = runs / "r1.json"
    record.write_text(json.dumps({"pid": bystander.pid}))
    assert {p.pid for p in find(tmp_path, [])} == {bystander.pid}
    before_it_started = psutil.Process(bystander.pid).create_time() - 100
    os.utime(record, (before_it_started, before_it_started))
    assert find(tmp_path, []) == set()


def test_a_person_who_reads_a_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "aws.log"
    log.touch()
    reader = subprocess.Popen(["tail", "-f", str(log)])
    server = subprocess.Popen([*SLEEP, f"--datadir={tmp_path}"])
    try:
        assert eventually(lambda: belongs(psutil.Process(server.pid), tmp_path))
        assert {p.pid for p in find(tmp_path, [])} == {server.pid}
    finally:
        for child in (reader, server):
            child.kill()
            child.wait()


def test_the_exports_do_not_hand_a_terminal_to_the_reaper(fault_sandbox: Sandbox) -> None:
    assert MARKER in fault_sandbox.environment
    assert not [line for line in fault_sandbox.exports() if MARKER in line]


def test_two_sandboxes_do_not_touch_each_other(fault_sandbox: Sandbox, tmp_path: Path) -> None:
    other = Processes(tmp_path)
    other.start("child", SLEEP, dict(os.environ))
    other.stop()
    assert fault_sandbox.directory.is_dir()
    assert fault_sandbox.as_orchestrator("sts").get_caller_identity()["Account"] == "209371858707"
