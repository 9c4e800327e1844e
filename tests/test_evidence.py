"""What an auditor does with two reports of one organization: compare them, verify them, and find whoever touched one.

Real databases, the real worker under its least privilege, a key in the local KMS.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.stack import Sandbox
from tests.sandbox_fixture import demo_sandbox

__all__ = ["demo_sandbox"]
CLI = str(Path(sys.executable).with_name("db-admin-report"))
ACCOUNT = "'evidence_test'@'10.1.2.3'"


def run(sandbox: Sandbox, *arguments: str, expect: int = 0) -> dict[str, Any]:
    """What a command says as JSON."""
    done = subprocess.run(
        [CLI, *arguments, "--json"], env=sandbox.command_environment(), capture_output=True, text=True, timeout=240
    )
    assert done.returncode == expect, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def as_root(sandbox: Sandbox, statement: str) -> None:
    with sandbox.servers.running["mysql", 0].connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture(scope="module")
def reports(demo_sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """The places of two reports; between them one account became an administrator."""
    as_root(demo_sandbox, f"CREATE USER {ACCOUNT} IDENTIFIED BY 'Ev1dence-test!'")
    try:
        before = run(demo_sandbox, "generate", "--output-format", "html,json", expect=3)
        as_root(demo_sandbox, f"GRANT CREATE USER ON *.* TO {ACCOUNT}")
        after = run(demo_sandbox, "generate", "--output-format", "html,json", expect=3)
        yield before["report"], after["report"]
    finally:
        as_root(demo_sandbox, f"DROP USER {ACCOUNT}")


@pytest.fixture(scope="module")
def downloaded(demo_sandbox: Sandbox, reports: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The later report on this machine."""
    to = tmp_path_factory.mktemp("audit")
    files = run(demo_sandbox, "download", reports[1], "--to", str(to))["files"]
    return Path(files[0]).parent


def test_the_diff_shows_exactly_what_changed(demo_sandbox: Sandbox, reports: tuple[str, str]) -> None:
    told = run(demo_sandbox, "diff", *reports)
    (change,) = told["principals"]
    assert (change["username"], change["kinds"]) == ("evidence_test@10.1.2.3", ["escalated"])
    assert (change["before"]["tier"], change["after"]["tier"]) == ("none", "0")
    assert (change["account_id"], change["database"]) == ("111111111111", "payments-mysql-01")
    assert told["databases"] == []


def test_the_later_report_says_itself_what_changed(reports: tuple[str, str], downloaded: Path) -> None:
    manifest = json.loads((downloaded / "manifest.json").read_bytes())
    assert reports[0].endswith(manifest["comparedWith"]["folder"])
    assert {kind: n for kind, n in manifest["comparedWith"]["counts"].items() if n} == {"escalated": 1}
    rows = [row for row in (downloaded / "changes.csv").read_text("utf-8-sig").splitlines() if "evidence_test" in row]
    assert len(rows) == 1 and rows[0].startswith("escalated,111111111111,us-east-1,payments-mysql-01,MySQL,")
    assert "evidence_test@10.1.2.3" in (downloaded / "report.html").read_text("utf-8")


def test_both_hold_signed_and_chained(demo_sandbox: Sandbox, reports: tuple[str, str]) -> None:
    for report in reports:
        told = run(demo_sandbox, "verify", report)
        assert told["self_consistent_only"] is False
        assert {finding["verdict"] for finding in told["findings"]} == {"holds"}


def test_the_manifest_names_the_code_of_every_worker_that_was_asked(downloaded: Path) -> None:
    targets = json.loads((downloaded / "manifest.json").read_bytes())["targets"]
    functions = [target["function"] for target in targets if target["object"]]
    assert functions and all(function["codeSha256"] and not function["reason"] for function in functions)


KINDS = (
    "db-admin-report.csv", "report.parquet", "report.xlsx", "report.html", "report.json", "changes.csv",
    "manifest.json", "manifest.sig",
)  # fmt: skip


def flip(data: bytes) -> bytes:
    """One bit of the byte in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("name", KINDS)
def test_one_flipped_byte_in_a_downloaded_file_is_named(
    demo_sandbox: Sandbox, downloaded: Path, tmp_path: Path, name: str
) -> None:
    copy = shutil.copytree(downloaded, tmp_path / downloaded.name)
    assert {path.name for path in copy.iterdir()} == set(KINDS)
    (copy / name).write_bytes(flip((copy / name).read_bytes()))
    told = run(demo_sandbox, "verify", str(copy), expect=4)
    broken = [finding["subject"] for finding in told["findings"] if finding["verdict"] == "broken"]
    # Of the manifest the middle may be free text, which contradicts nothing in it: then its signature tells.
    assert broken[0] in ((name, "manifest.sig") if name == "manifest.json" else (name,)), broken


@pytest.mark.parametrize("behind", ["chain/", "collections/"])
def test_one_flipped_byte_behind_the_report_is_named(
    demo_sandbox: Sandbox, reports: tuple[str, str], behind: str
) -> None:
    """By the central account's root, who can write a newer version; the one that was locked comes back after that."""
    s3, bucket = demo_sandbox.s3(), demo_sandbox.bucket
    told = run(demo_sandbox, "verify", reports[1])
    key = next(f["subject"] for f in told["findings"] if f["subject"].startswith("collections/"))
    if behind == "chain/":
        manifest = s3.get_object(Bucket=bucket, Key=f"{reports[1].removeprefix(f's3://{bucket}/')}manifest.json")
        key = f"chain/{json.loads(manifest['Body'].read())['sequence'] - 1}.json"
    original = s3.get_object(Bucket=bucket, Key=key)
    data = original["Body"].read()
    overwritten = s3.put_object(Bucket=bucket, Key=key, Body=flip(data))
    try:
        if behind == "chain/":
            told = run(demo_sandbox, "verify", reports[1], expect=4)
            assert [f["subject"] for f in told["findings"] if f["verdict"] == "broken"] == [key]
        else:  # rows are made of the version that the manifest names, and that one is still there
            assert run(demo_sandbox, "verify", reports[1])["holds"]
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=data)
    assert overwritten["VersionId"] != original["VersionId"]
