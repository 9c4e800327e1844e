"""`retention`: dates are shown as S3 has them, moved later for everything of a report, and never back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from sandbox.aws import LocalAws
from tests.dbadmin_assets.cli.conftest import CENTRAL, REGION, Machine
from tests.dbadmin_assets.review.test_verification import Evidence

FOLDER = "reports/2024/01/15/20240115T150000Z-c0ffee00/"


@pytest.fixture
def bucket(local_aws: LocalAws, machine: Machine) -> Iterator[str]:
    """A bucket that keeps for 400 days, and a report in it."""
    name, s3 = f"retention-{uuid4().hex[:12]}", local_aws.client("s3", CENTRAL, REGION)
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 400}}
    s3.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    evidence = Evidence("x")
    stored = s3.put_object(Bucket=name, Key=evidence.key, Body=evidence.objects[evidence.key])
    evidence.manifest["targets"][0]["object"]["versionId"] = stored["VersionId"]
    evidence.reseal()
    s3.put_object(Bucket=name, Key="chain/1.json", Body=evidence.objects["chain/1.json"])
    for file, data in evidence.files.items():
        s3.put_object(Bucket=name, Key=FOLDER + file, Body=data)
    machine.environment["DBADMIN_BUCKET"] = name
    yield name


def told(machine: Machine, *arguments: str) -> dict[str, Any]:
    code, out, err = machine.run("retention", *arguments, "--json")
    assert code == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


def days(text: str) -> int:
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return round((at - datetime.now(UTC)) / timedelta(days=1))


def test_every_object_of_a_report_the_workers_too(machine: Machine, bucket: str) -> None:
    objects = told(machine, f"s3://{bucket}/{FOLDER}")["objects"]
    assert [item["object"].removeprefix(f"s3://{bucket}/") for item in objects] == [
        f"{FOLDER}db-admin-report.csv",
        f"{FOLDER}manifest.json",
        "chain/1.json",
        "collections/c0ffee00-1/123456789012/us-east-1/1.json",
    ]
    assert {item["mode"] for item in objects} == {"COMPLIANCE"}
    assert {days(item["until"]) for item in objects} == {400}


def test_the_rule_and_the_reports(machine: Machine, bucket: str) -> None:
    answer = told(machine)
    assert answer["rule"] == {"mode": "COMPLIANCE", "days": 400, "reason": None}
    assert [(r["report"], days(r["until"])) for r in answer["reports"]] == [(f"s3://{bucket}/{FOLDER}", 400)]
    code, out, _ = machine.run("retention")
    assert code == 0
    assert "are kept: 400 days, COMPLIANCE" in out


def test_a_later_date_is_set_for_everything_and_an_earlier_one_is_refused(machine: Machine, bucket: str) -> None:
    report = f"s3://{bucket}/{FOLDER}"
    far = f"{datetime.now(UTC) + timedelta(days=999):%Y-%m-%d}"
    objects = told(machine, report, "--until", far)["objects"]
    assert {item["until"] for item in objects} == {item["until"] for item in told(machine, report)["objects"]}
    assert {days(item["until"]) for item in objects} <= {999, 1000}
    near = f"{datetime.now(UTC) + timedelta(days=500):%Y-%m-%d}"
    code, _, err = machine.run("retention", report, "--until", near)
    assert code == 2
    assert "what is kept is never shortened" in err
    assert told(machine, report)["objects"] == objects
    assert told(machine, report, "--until", far)["objects"] == objects


def test_a_bucket_without_a_lock_is_said_to_be_without(machine: Machine, local_aws: LocalAws) -> None:
    name = f"plain-{uuid4().hex[:12]}"
    local_aws.client("s3", CENTRAL, REGION).create_bucket(Bucket=name)
    machine.environment["DBADMIN_BUCKET"] = name
    code, out, _ = machine.run("retention")
    assert code == 0
    assert "NOT LOCKED: the bucket has no Object Lock" in out


def test_a_date_without_a_report_is_a_mistake(offline: Machine) -> None:
    code, _, err = offline.run("retention", "--until", "2030-01-01")
    assert code == 2
    assert "--until needs REPORT" in err
