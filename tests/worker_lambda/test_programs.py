"""The worker's command-line programs at the edges: pipes, locales, Ctrl-C, hostile text, options that are none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.worker_lambda import mysql_stub
from worker_lambda import probe
from worker_lambda.collect import failed_connection
from worker_lambda.contract import DatabaseTarget

PROBE = [sys.executable, "-P", "-m", "worker_lambda.probe"]
GRANTS = [sys.executable, "-P", "-m", "worker_lambda.reader_grants", "--engine", "mysql"]
NOWHERE = ["--engine", "mysql", "--host", "127.0.0.1", "--port", "9", "--username", "u", "--password-env", "PW"]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PW": "pw-secret-1", **more}


def run(command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, env=environment(**more), timeout=60)


def test_a_pipe_that_closes_ends_the_program_in_silence() -> None:
    with subprocess.Popen(GRANTS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full: a full disk cannot be had here")
def test_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(GRANTS, stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), timeout=60)
    assert (done.returncode, done.stderr) == (1, "cannot write: No space left on device\n")


def test_a_locale_without_unicode_ends_nothing() -> None:
    done = run(GRANTS, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2026" in done.stdout


@pytest.mark.parametrize("behaviour", [mysql_stub.silent])
def test_ctrl_c_ends_with_130_and_one_word(behaviour: mysql_stub.Behaviour) -> None:
    with mysql_stub.stub(behaviour) as server:
        options = [*NOWHERE[:5], str(server.port), *NOWHERE[6:], "--tls", "off"]
        with subprocess.Popen([*PROBE, *options], stderr=subprocess.PIPE, env=environment()) as process:
            assert process.stderr is not None
            give_up_at = time.monotonic() + 30
            while not server.connected.is_set():
                assert time.monotonic() < give_up_at
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            assert process.stderr.read() == b"Interrupted.\n"


def test_a_servers_version_cannot_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    database = failed_connection(DatabaseTarget("db", "mysql", "h", 1)) | {"engine_version": "11.8\x1b[31mOWNED\x07"}
    probe._show({"database": database, "errors": [], "warnings": [], "adminUsers": []}, sys.stdout)
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\x07" not in out
    assert "11.8\\u001b[31mOWNED" in out


@pytest.mark.parametrize(
    "more",
    [
        ["--password", "hunter2"],
        ["--password-env", "hunter2!"],
        ["--timeout-seconds", "inf"],
        ["--timeout-seconds", "nan"],
        ["--timeout-seconds", "0"],
        ["--username", ""],
        ["--username", "a\x1bb"],
    ],
)
def test_wrong_use_is_2_and_one_json_document_and_repeats_no_secret(more: list[str]) -> None:
    done = run([*PROBE, *NOWHERE, "--json", *more])
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["type"] == "UsageError"
    assert "hunter2!" not in done.stdout + done.stderr
    assert "variable hunter2" not in done.stdout + done.stderr


def test_a_connection_that_fails_is_one_json_document(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run([*PROBE, *NOWHERE, "--json"])
    assert done.returncode == 1
    assert json.loads(done.stdout)["errors"][0]["reason"].startswith("Connection Failed: ")
