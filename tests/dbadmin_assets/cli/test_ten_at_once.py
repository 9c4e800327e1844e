"""Ten people ask for a report in the same moment: ten reports, each of what it was asked for, and one chain."""

import json

from tests.dbadmin_assets.cli.conftest import Machine

SCOPES = (["--accounts", "111111111111"], ["--regions", "eu-west-1"], [])
TARGETS = (2, 1, 3)


def test_ten_reports_at_once_are_ten_links_of_one_chain(machine: Machine) -> None:
    code, out, err = machine.run("generate", "--json")  # the first link here: other tests share the bucket
    assert code == 3, err
    before = json.loads(out)["sequence"]
    started = [machine.start("generate", "--json", *SCOPES[n % 3]) for n in range(10)]
    ended = [process.communicate(timeout=280) for process in started]
    assert [process.returncode for process in started] == [3] * 10, [err for _, err in ended]
    reports = [json.loads(out) for out, _ in ended]
    assert [report["counts"]["targets"] for report in reports] == [TARGETS[n % 3] for n in range(10)]
    assert [report["population"]["failed"] for report in reports] == [TARGETS[n % 3] for n in range(10)]
    assert sorted(report["sequence"] for report in reports) == list(range(before + 1, before + 11))
    assert len({report["report"] for report in reports}) == 10
    newest = max(reports, key=lambda report: report["sequence"])
    code, out, err = machine.run("verify", newest["report"], "--json")
    assert code == 0, out + err
    assert json.loads(out)["holds"] is True
