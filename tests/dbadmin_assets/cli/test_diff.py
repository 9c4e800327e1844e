"""`diff` on folders of this machine and in a bucket: what is printed, written and refused, and its exit codes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dbadmin_assets.cli.main import cli
from dbadmin_assets.review.diff import COLUMNS
from tests.dbadmin_assets.cli.report_bucket import AFTER, BEFORE, HERE, PART, Bucket, bucket
from tests.dbadmin_assets.review.diff.reports import Db, build, who

__all__ = ["bucket"]  # a fixture

SUMMARY = "1 escalated, 1 added, 1 removed, 1 status changed; 1 database failed"


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """Two downloaded reports."""
    build(tmp_path / "before", BEFORE)
    build(tmp_path / "after", AFTER, ended_at="2024-01-22T15:00:00Z")
    return [str(tmp_path / "before"), str(tmp_path / "after")]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["diff", *arguments], catch_exceptions=False)


def test_two_downloaded_reports_need_nothing_but_their_folders(folders: list[str]) -> None:
    result = run(*folders)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    here = "123456789012 us-east-1"
    assert (
        f"failed {here} gone before: complete, 1 users, 1 admins; now: failed: Connection Failed: Timed out: said so"
        in lines
    )
    assert f"escalated, status changed {here} db ann none → 0 Role none → Role 0 Active → Locked" in lines
    assert f"added {here} db joe none Role none Active" in lines
    assert f"removed {here} db bob 0 Role 0 Active" in lines
    assert lines[-2] == f"{folders[1]} of 2024-01-22T15:00:00Z compared with {folders[0]} of 2024-01-15T15:00:00Z"
    assert lines[-1] == SUMMARY


def test_rights_that_changed_are_shown_though_the_role_is_the_same(tmp_path: Path) -> None:
    for name, level in (("before", "PROCESS"), ("after", "FILE, PROCESS")):
        build(tmp_path / name, {(*HERE, "db"): Db([who("x", "1", permission_level=level)])})
    shown = run(str(tmp_path / "before"), str(tmp_path / "after")).stdout
    assert "Role 1 (PROCESS → FILE, PROCESS)" in shown


def test_the_same_as_json(folders: list[str]) -> None:
    told = json.loads(run(*folders, "--json").stdout)
    assert (told["summary"], told["changed"], told["exit_code"], told["left_out"]) == (SUMMARY, True, 0, 0)
    assert [(p["username"], p["kinds"]) for p in told["principals"]] == [
        ("ann", ["escalated", "status-changed"]),
        ("joe", ["added"]),
        ("bob", ["removed"]),
    ]
    assert told["principals"][0]["before"]["tier"] == "none"
    assert told["principals"][1]["before"] is None
    assert told["counts"]["removed"] == 1
    (database,) = told["databases"]
    assert (database["kinds"], database["before"]["users"], database["after"]["state"]) == (
        ["database-failed"], 1, "failed",
    )  # fmt: skip
    manifest = Path(folders[1], "manifest.json").read_bytes()
    assert told["after"]["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    assert told["after"]["complete"] is False


def test_a_report_and_itself(folders: list[str]) -> None:
    result = run(folders[0], folders[0], "--exit-code")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "no principal changed in the 2 databases that both have read"


def test_the_exit_code_says_that_something_changed_only_if_asked(folders: list[str]) -> None:
    assert run(*folders).exit_code == 0
    assert run(*folders, "--exit-code").exit_code == 3
    assert json.loads(run(*folders, "--exit-code", "--json").stdout)["exit_code"] == 3
    assert run(*folders, "--exit-code", "--only", "reduced").exit_code == 0


def test_only_some_kinds_and_the_rest_is_counted(folders: list[str]) -> None:
    result = run(*folders, "--only", "added,database-failed")
    assert "2 other changes are left out here" in result.stdout.splitlines()
    assert result.stdout.splitlines()[-1] == "1 added; 1 database failed"
    assert "ann" not in result.stdout
    assert run(*folders, "--only", "reduced").stdout.splitlines()[-1] == "no principal shown, 4 changes left out"
    told = json.loads(run(*folders, "--only", "status-changed", "--json").stdout)
    assert ([p["username"] for p in told["principals"]], told["databases"], told["left_out"]) == (["ann"], [], 3)


def read(data: bytes) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\n") == data.count(b"\r\n")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    assert {len(row) for row in rows} == {len(COLUMNS)}
    return rows


def test_the_changes_as_csv(folders: list[str], tmp_path: Path) -> None:
    result = run(*folders, "--csv", str(tmp_path / "changes.csv"))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, SUMMARY)
    rows = read((tmp_path / "changes.csv").read_bytes())
    assert rows[0] == list(COLUMNS)
    assert [row[0] for row in rows[1:]] == ["note", "database-failed", "escalated; status-changed", "added", "removed"]
    assert read(run(*folders, "--csv", "-").stdout_bytes) == rows
    result = run(*folders, "--csv", str(tmp_path / "no" / "changes.csv"))
    assert (result.exit_code, "cannot be written: No such file" in result.stderr) == (1, True)


def test_help_has_examples_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from dbadmin_assets.cli.main import cli\n"
        "try: cli.main(['diff', '--help'])\n"
        "except SystemExit: print('loaded:', {'boto3', 'pyarrow', 'msgspec', 'rich', 'dagster'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Examples:\n    db-admin-report diff" in done.stdout
    assert done.stdout.splitlines()[-1] == "loaded: set()"
    assert "  diff " in CliRunner().invoke(cli, ["--help"]).stdout


HOSTILE = ["=cmd|' /C calc'!A0", "[red]x[/red]", "<b>x</b>", "x\x1b[2J", "a\u202eb", "; =1+1", "../../x", 'q",\r\nx']


def test_a_name_can_harm_neither_the_terminal_nor_a_spreadsheet(tmp_path: Path) -> None:
    names = {(*HERE, "db"): Db([who(name, "0") for name in HOSTILE])}
    build(tmp_path / "before", {(*HERE, "db"): Db()})
    build(tmp_path / "after", names)
    folders = [str(tmp_path / "before"), str(tmp_path / "after")]
    shown = run(*folders).stdout
    assert not {"\x1b", "\u202e", "\r"} & set(shown)
    assert "[red]x[/red]" in shown
    cells = {row[5] for row in read(run(*folders, "--csv", "-").stdout_bytes)[2:]}
    assert {"'=cmd|' /C calc'!A0", "x\\u001b[2J", "a\\u202eb", ";' =1+1", 'q",\\u000d\\u000ax'} <= cells
    told = json.loads(run(*folders, "--json").stdout)
    assert {person["username"] for person in told["principals"]} == set(HOSTILE)


def test_a_report_that_is_not_what_was_sealed_is_not_compared(folders: list[str]) -> None:
    parquet = Path(folders[0], "report.parquet")
    parquet.write_bytes(parquet.read_bytes()[:-1] + b"X")
    for order in (folders, folders[::-1]):
        result = run(*order)
        assert (result.exit_code, result.stdout) == (4, "")
        assert f"{folders[0]} is not what was sealed: report.parquet" in result.stderr


def test_a_report_without_detail_rows_is_not_compared(folders: list[str]) -> None:
    place = Path(folders[0], "manifest.json")
    manifest = json.loads(place.read_bytes())
    manifest["files"] = [file for file in manifest["files"] if file["name"] != "report.parquet"]
    from dbadmin_assets.review.manifest import canonical_json

    place.write_bytes(canonical_json(manifest))
    Path(folders[0], "report.parquet").unlink()
    result = run(*folders)
    assert (result.exit_code, "has no report.parquet" in result.stderr) == (1, True)


@pytest.mark.parametrize("arguments", [
    ["--only", "frobnicated"], ["--json", "--csv", "-"], ["previous", "previous"], ["no/folder"], ["short"],
])  # fmt: skip
def test_wrong_use_ends_with_two(arguments: list[str], folders: list[str]) -> None:
    result = run(*(arguments if arguments[0][0] != "-" else [*folders, *arguments]))
    assert result.exit_code == 2
    assert "Error" in result.stderr


# --- in the bucket ------------------------------------------------------------------------------


def ends(told: Any) -> tuple[str, str]:
    """The folders that were compared, by name."""
    return tuple(told[side]["report"].rstrip("/").rsplit("/")[-1] for side in ("before", "after"))  # type: ignore[return-value]


def test_previous_is_the_newest_before_the_other_with_the_same_scope(bucket: Bucket) -> None:
    code, told, err = bucket.run("diff")
    assert (code, "there is no complete report" in err) == (1, True)
    bucket.put(BEFORE, "2024-01-01T00:00:00Z", "aaaaaaaa-full-1")
    bucket.put(BEFORE, "2024-01-02T00:00:00Z", "bbbbbbbb-part-1", **PART)
    bucket.put(BEFORE, "2024-01-03T00:00:00Z", "cccccccc-full-2")
    bucket.put(BEFORE, "2024-01-04T00:00:00Z", "dddddddd-other", **(PART | {"regions": ("us-east-1",)}))
    bucket.put(AFTER, "2024-01-05T00:00:00Z", "eeeeeeee-part-2", **PART)
    latest = bucket.put(AFTER, "2024-01-06T00:00:00Z", "ffffffff-full-3", latest=True)
    full, part = "20240106T000000Z-ffffffff", "20240105T000000Z-eeeeeeee"
    for arguments in ([], ["latest"], ["previous", "latest"], [f"s3://{bucket.name}/{latest}"], ["ffffffff-full-3"]):
        code, told, err = bucket.run("diff", *arguments)
        assert (code, told["summary"], ends(told)) == (0, SUMMARY, ("20240103T000000Z-cccccccc", full)), err
    _, told, _ = bucket.run("diff", "eeeeeeee")
    assert ends(told) == ("20240102T000000Z-bbbbbbbb", part)
    _, told, _ = bucket.run("diff", "latest", "previous")
    assert ends(told) == (full, "20240103T000000Z-cccccccc")
    code, told, err = bucket.run("diff", "dddddddd")
    assert (code, "that has its scope" in told["error"]["message"]) == (1, True)


def test_an_earlier_report_that_cannot_be_read_is_passed_over_and_said(bucket: Bucket) -> None:
    bucket.put(BEFORE, "2024-01-01T00:00:00Z", "aaaaaaaa-1")
    broken = bucket.put(BEFORE, "2024-01-02T00:00:00Z", "bbbbbbbb-2")
    bucket.s3.put_object(Bucket=bucket.name, Key=broken + "manifest.json", Body=b"{}")
    bucket.put(AFTER, "2024-01-03T00:00:00Z", "cccccccc-3", latest=True)
    code, told, err = bucket.run("diff")
    assert (code, ends(told)) == (0, ("20240101T000000Z-aaaaaaaa", "20240103T000000Z-cccccccc"))
    assert f"passed over: {broken}manifest.json is not the manifest of a report" in err


def test_a_report_of_the_bucket_that_is_not_what_was_sealed(bucket: Bucket) -> None:
    before = bucket.put(BEFORE, "2024-01-01T00:00:00Z", "aaaaaaaa-1")
    bucket.put(AFTER, "2024-01-03T00:00:00Z", "cccccccc-3", latest=True)
    bucket.s3.put_object(Bucket=bucket.name, Key=before + "db-admin-report.csv", Body=b"")
    code, told, _ = bucket.run("diff")
    assert code == 4
    assert f"s3://{bucket.name}/{before} is not what was sealed" in told["error"]["message"]
