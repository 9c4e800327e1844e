"""The whole way of a report through real processes: launch, follow, read back. There is no worker, so all fails."""

import json
import signal
import time
from pathlib import Path

from tests.dbadmin_assets.cli.conftest import Machine

REASON = "Worker Failed: Cannot assume role"


def test_a_report_with_failures_says_so_everywhere(machine: Machine) -> None:
    """On a fresh machine: exit 3, the failures, the files; then status, history and doctor agree."""
    code, out, err = machine.run("generate", "--json", "--download", "out")
    assert code == 3, err
    report = json.loads(out)
    assert (report["status"], report["complete"], report["exit_code"]) == ("incomplete", False, 3)
    assert report["population"] == {"declared": 4, "complete": 0, "partial": 0, "failed": 3, "excluded": 1}
    assert [(f["account_id"], f["region"], f["database"], f["reason"]) for f in report["failures"]] == [
        ("012345678901", "us-east-1", "ledger", REASON),
        ("111111111111", "eu-west-1", "refunds", REASON),
        ("111111111111", "us-east-1", "orders", REASON),
    ]
    assert [(a["account_id"], a["targets"], a["failed"]) for a in report["accounts"]] == [
        ("012345678901", 1, 1),
        ("111111111111", 2, 2),
    ]
    assert {Path(file).name for file in report["files"]} >= {"db-admin-report.csv", "manifest.json"}
    assert all((machine.home / file).is_file() for file in report["files"])
    assert err.count(REASON) == 3
    assert "[3/3]" in err

    code, out, err = machine.run("status", report["run_id"], "--json")
    status = json.loads(out)
    assert (code, status["status"], status["report"]) == (3, "incomplete", report["report"])
    assert [(t["key"], t["state"], t["reason"]) for t in status["targets"]] == [
        ("012345678901|us-east-1", "failed", REASON),
        ("111111111111|eu-west-1", "failed", REASON),
        ("111111111111|us-east-1", "failed", REASON),
    ]

    code, out, err = machine.run("history", "--json", "--limit", "1000")
    assert code == 0, err
    assert report["report"] in [entry["report"] for entry in json.loads(out)["reports"]]

    code, out, err = machine.run("verify", report["report"], "--json")
    assert (code, json.loads(out)["holds"]) == (0, True), out + err
    folder = machine.home / Path(report["files"][0]).parent
    assert machine.run("verify", str(folder))[0] == 0
    for file in report["files"]:
        path = machine.home / file
        sealed = path.read_bytes()
        path.write_bytes(sealed[:-3] + bytes([sealed[-3] ^ 1]) + sealed[-2:])
        code, out, err = machine.run("verify", str(folder), "--json")
        broken = [f["subject"] for f in json.loads(out)["findings"] if f["verdict"] == "broken"]
        assert (code, broken) == (4, [path.name]), err
        path.write_bytes(sealed)

    code, out, err = machine.run("doctor")
    assert code == 1
    assert "ok   bucket versioning: enabled" in out
    assert "FAIL role in 012345678901" in out
    assert "FAIL role in 111111111111" in out
    assert out.count("FAIL") == out.count("Fix:") == 2


def test_several_first_reports_at_once_all_come_to_an_end(machine: Machine) -> None:
    """On a machine that has no Dagster instance yet; each covers what it was asked for."""
    scopes = (["--accounts", "111111111111"], ["--regions", "eu-west-1"])
    started = [machine.start("generate", "--json", *scope) for scope in scopes]
    ended = [process.communicate(timeout=200) for process in started]
    assert [process.returncode for process in started] == [3, 3], [err for _, err in ended]
    reports = [json.loads(out) for out, _ in ended]
    assert len({report["report"] for report in reports}) == 2
    assert [report["counts"]["targets"] for report in reports] == [2, 1]
    assert not any(report["scope"]["full"] for report in reports)


def test_ctrl_c_leaves_the_run_running_and_cancel_ends_it(machine: Machine) -> None:
    process = machine.start("generate")
    assert process.stderr is not None
    run_id = next(line.split()[1] for line in process.stderr if line.startswith("Run: "))
    time.sleep(0.3)  # into the following; a run is over in seconds, and it has to be there to be canceled
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"status {run_id}" in err
    assert f"cancel {run_id}" in err
    record = json.loads((machine.state / "runs" / f"{run_id}.json").read_text())

    from dbadmin_assets.cli.processes import members

    assert members(record["pgid"]) != []
    code, out, err = machine.run("cancel", run_id, "--json")
    assert code == 0, out + err
    assert json.loads(out)["status"] == "canceled"
    assert members(record["pgid"]) == []
    code, out, err = machine.run("status", run_id, "--json")
    assert (code, json.loads(out)["status"], json.loads(out)["failure"]) == (1, "canceled", None), err


def test_a_run_that_is_killed_is_noticed_with_the_place_of_its_log(machine: Machine) -> None:
    process = machine.start("generate")
    assert process.stderr is not None
    run_id = next(line.split()[1] for line in process.stderr if line.startswith("Run: "))
    record = json.loads((machine.state / "runs" / f"{run_id}.json").read_text())
    from dbadmin_assets.cli.processes import stop_run

    stop_run(record["pgid"], run_id, grace_seconds=0.1)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"{run_id}.log" in err
    code, out, err = machine.run("status", run_id, "--json")
    assert code == 1, err
    told = json.loads(out)
    # Killed before Dagster knew of it, there is no run to have died: then its log is named.
    assert told.get("status") == "died" or "could not be started" in told["error"]["message"]
