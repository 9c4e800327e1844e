"""Reports of a deployed Dagster, with real processes: the same words and exit codes as of an embedded one."""

import json
import time
from typing import Any

from tests.dbadmin_assets.cli.conftest import Machine
from tests.deployed_dagster import DeployedDagster, gate

REASON = "Worker Failed: Cannot assume role"
ITS_OWN = ("run_id", "collection_id", "report", "manifest", "csv", "csv_sha256", "sequence", "outputs", "started_at",
           "ended_at", "files", "compared_with", "not_compared")  # fmt: skip


def generated(machine: Machine, *arguments: str) -> tuple[int, dict[str, Any], str]:
    code, out, err = machine.run("generate", "--json", *arguments)
    assert out, err
    return code, json.loads(out), err


def lines(err: str) -> set[str]:
    """The progress lines, without times and without the order in which targets happened to end."""
    return {line.split("] ")[1].split(", ")[0] for line in err.splitlines() if "] " in line}


def test_a_remote_report_is_the_embedded_one(machine: Machine, deployed: DeployedDagster) -> None:
    """Exit code, summary, progress lines and downloaded files; then status and cancel of it."""
    code, here, err_here = generated(machine, "--download", "here")
    url = ("--dagster-url", deployed.url)
    far_code, far, err_far = generated(machine, *url, "--download", "far")
    assert (code, far_code) == (3, 3), err_far
    assert {k: v for k, v in far.items() if k not in ITS_OWN} == {k: v for k, v in here.items() if k not in ITS_OWN}
    assert [file.rsplit("/", 1)[1] for file in far["files"]] == [file.rsplit("/", 1)[1] for file in here["files"]]
    assert lines(err_far) == lines(err_here) != set()
    assert "[3/3]" in err_far
    tags = deployed.runs()[far["run_id"]]
    assert tags["dagster/max_runtime"] == "7200"
    assert not (machine.state / "runs" / f"{far['run_id']}.json").exists(), "a remote run leaves nothing here"

    told = {}
    for run_id, more in ((here["run_id"], ()), (far["run_id"], url)):
        code, out, err = machine.run("status", run_id, *more, "--json")
        assert code == 3, err
        told[run_id] = json.loads(out)
    mine, theirs = told.values()
    assert (theirs["status"], theirs["report"]) == ("incomplete", far["report"])
    assert theirs["requested_by"] == mine["requested_by"]
    assert [(t["key"], t["state"], t["reason"]) for t in theirs["targets"]] == [
        (t["key"], t["state"], t["reason"]) for t in mine["targets"]
    ]
    code, out, _ = machine.run("cancel", far["run_id"], *url, "--json")
    assert (code, json.loads(out)) == (0, {"run_id": far["run_id"], "status": "success", "was_running": False})


def test_a_webserver_that_is_killed_and_comes_back_is_waited_for(far: Machine, deployed: DeployedDagster) -> None:
    process = far.start("generate", "--json")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Run: "):
            break
    deployed.kill("webserver")
    said = next(line for line in process.stderr if "does not answer" in line)
    assert "trying again" in said
    time.sleep(2)  # longer than a pause between two tries: more than one is refused
    deployed.start_webserver()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3, err
    assert json.loads(out)["population"]["failed"] == 3
    assert err.count("Cannot assume role") == 3


def test_a_lost_answer_to_the_launch_makes_one_run(far: Machine, deployed: DeployedDagster) -> None:
    before = set(deployed.runs())
    with gate(deployed.url) as there:
        far.environment["DBADMIN_DAGSTER_URL"] = there.url
        there.lose_answers = 1
        code, report, err = generated(far)
    assert code == 3, err
    assert "Looking whether the run was launched" in err
    assert there.launches == 1, "it was found, and not asked for again"
    assert set(deployed.runs()) - before == {report["run_id"]}


def test_no_wait_then_status_then_cancel(far: Machine, deployed: DeployedDagster) -> None:
    deployed.kill("daemon")  # so that the run stays in the queue
    try:
        code, out, err = far.run("generate", "--no-wait", "--json")
        assert code == 0, err
        launched = json.loads(out)
        assert (launched["status"], launched["targets"]) == ("launched", 3)
        run_id = launched["run_id"]
        code, out, _ = far.run("status", run_id, "--json")
        assert (code, json.loads(out)["status"]) == (0, "queued")
        code, _, err = far.run("generate", "--timeout", "1")
        assert (code, "is not finished after 1 s" in err) == (1, True)
        code, out, _ = far.run("cancel", run_id, "--json")
        assert (code, json.loads(out)["status"]) == (0, "canceled")
        code, out, _ = far.run("status", run_id, "--json")
        assert (code, json.loads(out)["status"]) == (1, "canceled")
    finally:
        deployed.start_daemon()


def test_without_access_to_aws_the_run_itself_is_believed_and_that_is_said(
    far: Machine, deployed: DeployedDagster
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del far.environment[name]
    code, summary, err = generated(far)
    assert code == 3, err
    assert "Not checked from here, the run will: credentials, inventory, scope and bucket" in err
    assert "manifest is not read: this machine has no access to AWS" in err
    assert summary["manifest_read"] is False
    assert summary["counts"] | {"targets": 3, "failed": 3} == summary["counts"]
    assert [target["reason"] for target in summary["targets"]] == [REASON] * 3
    assert "[3] " in err, "how many there are, only the run knows"
    code, out, err = far.run("generate", "--download", "out")
    assert (code, out) == (2, ""), "it could not be downloaded: refused before there is a run"


def test_a_scope_that_is_not_in_the_inventory_is_refused_before_there_is_a_run(
    far: Machine, deployed: DeployedDagster
) -> None:
    before = set(deployed.runs())
    code, _, err = far.run("generate", "--accounts", "999999999999")
    assert (code, "999999999999" in err) == (2, True)
    assert set(deployed.runs()) == before


def test_a_run_that_read_another_inventory_is_told(far: Machine, deployed: DeployedDagster) -> None:
    inventory = far.home / "inventory.yaml"
    inventory.write_text(inventory.read_text() + "# another version\n")
    code, _, err = generated(far)
    assert code == 3
    assert "WARNING: the run read another inventory" in err


def test_a_run_whose_process_is_killed_there_has_died(far: Machine, deployed: DeployedDagster) -> None:
    process = far.start("generate", "--json")
    assert process.stderr is not None
    run_id = next(line.split()[1] for line in process.stderr if line.startswith("Run: "))
    give_up = time.monotonic() + 60
    while deployed.runs()[run_id]["status"] not in ("SUCCESS", "FAILURE"):
        assert time.monotonic() < give_up
        deployed.kill_runs()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, out + err
    error = json.loads(out)["error"]
    assert error["type"] == "RunDiedError"
    assert run_id in error["message"]
    assert f"{deployed.url}/runs/{run_id}" in error["hint"]
    code, out, _ = far.run("status", run_id, "--json")
    assert (code, json.loads(out)["status"]) == (1, "died")
