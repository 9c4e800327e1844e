"""--output-format: what is asked for is made, named in the summary, and nothing else is taken for a format."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dbadmin_assets.assets.report import ReportFormat
from dbadmin_assets.cli.summary import print_summary, summarize
from dbadmin_assets.definitions import build_definitions
from dbadmin_assets.review.folder import FILE_OF_FORMAT
from dbadmin_assets.review.manifest import LeftOutFile, ReportFile, with_files
from tests.dbadmin_assets.cli.conftest import Machine
from tests.dbadmin_assets.review.test_manifest import manifest, mixed

PLACE = "s3://evidence/reports/2024/01/15/20240115T150000Z-c0ffee00/"


def sealed(*formats: str, left_out: tuple[LeftOutFile, ...] = ()) -> dict[str, Any]:
    files = [ReportFile(FILE_OF_FORMAT[name], "0" * 64, 1) for name in ("csv", "parquet", *formats)]
    return with_files(manifest(*mixed()), files, left_out)


def test_several_formats_are_made_named_and_hold(machine: Machine) -> None:
    code, out, err = machine.run(
        "generate", "--output-format", "html,json", "--output-format", "xlsx", "--json", "--download", "."
    )
    assert code == 3, err
    report = json.loads(out)
    assert report["outputs"] == {name: report["report"] + FILE_OF_FORMAT[name] for name in ("html", "json", "xlsx")}
    assert report["left_out"] == []
    names = {Path(file).name for file in report["files"]}
    assert names >= {*FILE_OF_FORMAT.values(), "manifest.json"}
    assert machine.run("verify", str(machine.home / Path(report["files"][0]).parent))[0] == 0


def test_the_summary_names_the_first_format_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(summarize(sealed("xlsx", "html"), PLACE, ("html", "csv")))
    assert f"Report: {PLACE}report.html" in capsys.readouterr().out.splitlines()
    print_summary(summarize(sealed("xlsx"), PLACE))
    assert f"Report: {PLACE}db-admin-report.csv" in capsys.readouterr().out.splitlines()


def test_the_summary_says_what_is_left_out_and_names_a_file_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    left_out = LeftOutFile("report.xlsx", "250,000 rows are more than 200,000; report.parquet has them all")
    summary = summarize(sealed(left_out=(left_out,)), PLACE, ("xlsx",))
    assert summary["outputs"] == {}
    assert summary["left_out"] == [{"name": left_out.name, "reason": left_out.reason}]
    print_summary(summary)
    said = capsys.readouterr().out.splitlines()
    assert f"Left out: report.xlsx: {left_out.reason}" in said
    assert f"Report: {PLACE}db-admin-report.csv" in said


@pytest.mark.parametrize("given", ["pdf", "csv,pdf", "csv,,json", "CSV"])
def test_another_format_is_wrong_use(offline: Machine, given: str) -> None:
    code, out, err = offline.run("generate", "--output-format", given)
    assert (code, out) == (2, ""), err
    assert "choose from csv, json, parquet, xlsx, html" in err or "empty name" in err


def test_dagster_knows_the_same_formats_and_refuses_others_before_a_run() -> None:
    assert [item.name for item in ReportFormat] == [item.value for item in ReportFormat] == list(FILE_OF_FORMAT)
    job = build_definitions().resolve_job_def("db_admin_report")
    with pytest.raises(dg.DagsterInvalidConfigError, match="not in enum type"):
        job.execute_in_process(run_config={"ops": {"report": {"config": {"formats": ["pdf"]}}}})
