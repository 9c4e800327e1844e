"""`python -m sandbox` as a person and `make` use it: environment, exit codes, copied reports, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.processes import ROOT
from sandbox.reports import newest_report_prefix

SMALL = [sys.executable, "-m", "sandbox", "--plan", "small"]

# What a command inside sees: it acts as the orchestrator and reads the inventory; here it leaves a report.
COMMAND = """
import boto3, os, sys
s3, bucket = boto3.client("s3"), os.environ["DBADMIN_BUCKET"]
where = os.environ["DBADMIN_INVENTORY"].removeprefix(f"s3://{bucket}/")
assert b"db-0000" in s3.get_object(Bucket=bucket, Key=where)["Body"].read()
print(boto3.client("sts").get_caller_identity()["Arn"], os.environ.get("AWS_PROFILE"), os.environ["DBADMIN_STATE_DIR"])
for stamp in ("2024-01-15/T1-aaaa", "2024-01-16/T2-bbbb"):
    key = "reports/" + stamp.replace("-", "/", 2) + "/db-admin-report.csv"
    s3.put_object(Bucket=bucket, Key=key, Body=stamp.encode())
s3.put_object(Bucket=bucket, Key="reports/latest.json", Body=b"{}")
sys.exit(3)
"""


def test_run_gives_the_environment_copies_the_newest_report_and_exits_as_the_command_did(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("of an earlier report")
    (tmp_path / "notes.txt").write_text("a person's own")
    done = subprocess.run(
        [*SMALL, "run", "--copy-reports", str(tmp_path), "--", sys.executable, "-c", COMMAND],
        cwd=ROOT,
        env=dict(os.environ) | {"AWS_PROFILE": "does-not-exist", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 3, done.stderr
    arn = "arn:aws:sts::209371858707:assumed-role/db-admin-report-orchestrator/sandbox-operator"
    caller, profile, state_dir = done.stdout.split()
    assert (caller, profile) == (arn, "None")
    assert (tmp_path / "db-admin-report.csv").read_text() == "2024-01-16/T2-bbbb"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["db-admin-report.csv", "notes.txt"]
    assert not Path(state_dir).parent.exists()


@pytest.mark.parametrize(("code", "expected", "exit_code"), [("3", "3", 0), ("0", "3", 1)])
def test_an_expected_exit_code_is_a_success_and_any_other_a_failure(code: str, expected: str, exit_code: int) -> None:
    done = subprocess.run([*SMALL, "run", "--expect-exit", expected, "--", "sh", "-c", f"exit {code}"], cwd=ROOT)
    assert done.returncode == exit_code


def test_run_without_a_command_or_with_an_unknown_one_says_so() -> None:
    done = subprocess.run([*SMALL, "run", "--", "no-such-command"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 127
    assert "cannot run no-such-command" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_foreground_prints_exports_and_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    process = subprocess.Popen(SMALL, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        lines = [process.stderr.readline()]
        while "ready" not in lines[-1]:
            assert lines[-1], "".join(lines)
            lines.append(process.stderr.readline())
        process.send_signal(number)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    names = {line.removeprefix("export ").partition("=")[0] for line in printed.splitlines() if "=" in line}
    assert names >= {
        "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "AWS_EC2_METADATA_DISABLED", "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "DBADMIN_INVENTORY", "DBADMIN_BUCKET",
        "DBADMIN_REGION", "DBADMIN_STATE_DIR", "DAGSTER_HOME",
    }  # fmt: skip
    state = next(line for line in printed.splitlines() if "DBADMIN_STATE_DIR" in line).split("'")[1]
    assert not Path(state).exists()


def test_without_a_report_there_is_no_newest_one() -> None:
    class Empty:
        def get_paginator(self, name: str) -> Any:
            return self

        def paginate(self, **arguments: Any) -> list[dict[str, Any]]:
            return [{"Contents": [{"Key": "reports/latest.json"}]}]

    assert newest_report_prefix(Empty(), "bucket") is None
