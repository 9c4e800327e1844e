"""`download`: the files, checked; links; what is refused."""

from __future__ import annotations

import json
import urllib.request
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
def bucket(local_aws: LocalAws, evidence: Evidence, request: pytest.FixtureRequest) -> tuple[Any, str]:
    """A bucket of the test's own that holds the report."""
    s3 = local_aws.client("s3", CENTRAL, REGION)
    name = request.node.name.replace("_", "-")[:63].strip("-")
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


def test_a_key_that_leads_out_of_the_folder_is_refused(machine: Machine, bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    s3.put_object(Bucket=name, Key=FOLDER + "../../escaped.txt", Body=b"")
    code, _, err = machine.run("download", f"s3://{name}/{FOLDER}", "--bucket", name, "--to", "a/b")
    assert code == 1
    assert "is no name for a file of a report" in err
    assert not list(machine.home.rglob("escaped.txt"))


def test_a_report_that_is_not_there_and_a_place_that_cannot_be_written(
    machine: Machine, bucket: tuple[Any, str]
) -> None:
    _, name = bucket
    code, _, err = machine.run("download", f"s3://{name}/reports/2024/01/16/x/", "--bucket", name)
    assert (code, f"there is no report at s3://{name}/reports/2024/01/16/x/" in err) == (1, True)
    assert not (machine.home / "x").exists()
    code, _, err = machine.run("download", f"s3://{name}/{FOLDER}", "--bucket", name, "--to", "inventory.yaml/a")
    assert (code, "cannot be written" in err) == (1, True)
    code, _, err = machine.run("download", "s3://another/reports/x/", "--bucket", name)
    assert (code, "not in the bucket" in err) == (1, True)
