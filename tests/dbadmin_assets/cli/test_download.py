"""`download`: the files, checked; links; what is refused."""

from __future__ import annotations

import json
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws import LocalAws
from tests.dbadmin_assets.cli.conftest import CENTRAL, REGION, Machine
from tests.dbadmin_assets.review.test_verification import CSV, Evidence, flip

NAME = "20240115T150000Z-c0ffee00"
FOLDER = f"reports/2024/01/15/{NAME}/"


@pytest.fixture
def evidence() -> Evidence:
    return Evidence("x")


@pytest.fixture
def bucket(local_aws: LocalAws, evidence: Evidence) -> tuple[Any, str]:
    """A bucket of the test's own that holds the report."""
    s3 = local_aws.client("s3", CENTRAL, REGION)
    name = f"reports-{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=name)
    for file, data in evidence.files.items():
        s3.put_object(Bucket=name, Key=FOLDER + file, Body=data)
    return s3, name


def test_what_comes_is_what_was_sealed(machine: Machine, bucket: tuple[Any, str], evidence: Evidence) -> None:
    _, name = bucket
    code, out, err = machine.run("download", f"s3://{name}/{FOLDER}", "--bucket", name, "--to", "audit", "--json")
    assert code == 0, err
    assert {Path(file).name for file in json.loads(out)["files"]} == set(evidence.files)
    for file, data in evidence.files.items():
        assert (machine.home / "audit" / NAME / file).read_bytes() == data
    assert f"Downloaded 2 files to audit/{NAME}" in err


def test_what_was_changed_ends_with_four(machine: Machine, bucket: tuple[Any, str], evidence: Evidence) -> None:
    s3, name = bucket
    s3.put_object(Bucket=name, Key=FOLDER + CSV, Body=flip(evidence.files[CSV]))
    code, _, err = machine.run("download", f"s3://{name}/{FOLDER}", "--bucket", name)
    assert code == 4
    assert f"{CSV}: its sha256 is not the one that was sealed" in err
    assert "Downloaded" not in err


def test_a_large_file_comes_in_parts(machine: Machine, bucket: tuple[Any, str], evidence: Evidence) -> None:
    s3, name = bucket
    large = b"x" * (20 << 20)
    s3.put_object(Bucket=name, Key=FOLDER + CSV, Body=large)
    code, _, err = machine.run("download", f"s3://{name}/{FOLDER}", "--bucket", name)
    assert (code, f"it has {len(large)} bytes" in err) == (4, True)
    assert (machine.home / NAME / CSV).read_bytes() == large
    assert sorted(path.name for path in (machine.home / NAME).iterdir()) == sorted(evidence.files)


def test_links_work_without_aws_access(machine: Machine, bucket: tuple[Any, str], evidence: Evidence) -> None:
    _, name = bucket
    place = f"s3://{name}/{FOLDER}"
    code, out, err = machine.run("download", place, "--bucket", name, "--links", "--hours", "2", "--json")
    assert code == 0, err
    links = json.loads(out)["links"]
    assert set(links) == set(evidence.files)
    assert "X-Amz-Expires=7200" in links[CSV]
    with urllib.request.urlopen(links[CSV], timeout=10) as answer:
        assert answer.read() == evidence.files[CSV]
    assert not (machine.home / NAME).exists()


def test_no_link_is_made_to_what_is_not_what_was_sealed(machine: Machine, bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    command = ("download", f"s3://{name}/{FOLDER}", "--bucket", name, "--links")
    s3.put_object(Bucket=name, Key=FOLDER + "more.csv", Body=b"")
    code, out, err = machine.run(*command)
    assert (code, out, "more.csv: the manifest does not know this file" in err) == (4, "", True)
    s3.delete_object(Bucket=name, Key=FOLDER + "more.csv")
    s3.delete_object(Bucket=name, Key=FOLDER + "manifest.json")
    code, out, err = machine.run(*command)
    assert (code, out, "without it, the folder is no report" in err) == (4, "", True)


def test_a_key_that_leads_out_of_the_folder_is_refused(machine: Machine, bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    s3.put_object(Bucket=name, Key=FOLDER + "../../escaped.txt", Body=b"")
    code, _, err = machine.run("download", f"s3://{name}/{FOLDER}", "--bucket", name, "--to", "a/b")
    assert code == 1
    assert "is no name for a file of a report" in err
    assert not list(machine.home.rglob("escaped.txt"))


@pytest.mark.parametrize("folder", ["", "/", "reports/", "reports/../", "reports/2024/01/15/../x/", None, 5])
def test_a_pointer_to_anything_but_a_report_is_refused(machine: Machine, bucket: tuple[Any, str], folder: Any) -> None:
    s3, name = bucket
    pointer = json.dumps({"folder": folder, "manifestSha256": "0" * 64}).encode()
    s3.put_object(Bucket=name, Key="reports/latest.json", Body=pointer)
    for command in (["download"], ["download", "--links"], ["verify"]):
        code, out, err = machine.run(*command, "--bucket", name)
        assert (code, out) == (1, ""), err
        assert "is no place of a report" in err or "cannot be understood" in err
    assert [path.name for path in machine.home.iterdir()] == ["inventory.yaml"]


def test_the_place_that_generate_prints_is_the_reports(machine: Machine, bucket: tuple[Any, str]) -> None:
    _, name = bucket
    for end in (FOLDER, FOLDER.rstrip("/"), FOLDER + CSV, FOLDER + "manifest.json"):
        assert machine.run("download", f"s3://{name}/{end}", "--bucket", name)[0] == 0


def test_a_folder_that_holds_something_else_is_left_alone(
    machine: Machine, bucket: tuple[Any, str], evidence: Evidence
) -> None:
    _, name = bucket
    folder = machine.home / NAME
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    command = ("download", f"s3://{name}/{FOLDER}", "--bucket", name)
    code, _, err = machine.run(*command)
    assert (code, "holds something else" in err) == (1, True)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    (machine.home / "elsewhere").write_bytes(b"mine")
    (folder / CSV).symlink_to(machine.home / "elsewhere")
    assert machine.run(*command)[0] == 0
    assert (machine.home / "elsewhere").read_bytes() == b"mine"
    assert (folder / CSV).read_bytes() == evidence.files[CSV]


def test_a_report_that_is_not_there_and_a_place_that_cannot_be_written(
    machine: Machine, bucket: tuple[Any, str]
) -> None:
    _, name = bucket
    other = f"s3://{name}/reports/2024/01/16/20240116T150000Z-c0ffee00"
    for command in ("download", "verify"):
        code, _, err = machine.run(command, other, "--bucket", name)
        assert (code, f"there is no report at {other}/" in err) == (1, True)
    assert not (machine.home / "20240116T150000Z-c0ffee00").exists()
    code, _, err = machine.run("download", f"s3://{name}/{FOLDER}", "--bucket", name, "--to", "inventory.yaml/a")
    assert (code, "cannot be written" in err) == (1, True)
    code, _, err = machine.run("download", "s3://another/reports/x/", "--bucket", name)
    assert (code, "not in the bucket" in err) == (1, True)
