"""`history`: the reports of the chain, and what only looks like one, said to be that."""

from __future__ import annotations

import json
from typing import Any

from sandbox.aws import LocalAws
from tests.dbadmin_assets.cli.conftest import CENTRAL, REGION, Machine
from tests.dbadmin_assets.cli.test_retention import FOLDER, bucket

__all__ = ["bucket"]
PLANTED = "reports/2031/01/15/20310115T150000Z-bad00000/"


def listed(machine: Machine) -> dict[str, dict[str, Any]]:
    code, out, err = machine.run("history", "--json")
    assert code == 0, err
    return {report["report"]: report for report in json.loads(out)["reports"]}


def test_what_somebody_laid_there_is_listed_as_not_sealed(machine: Machine, local_aws: LocalAws, bucket: str) -> None:
    s3 = local_aws.client("s3", CENTRAL, REGION)
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=f"{FOLDER}manifest.json")["Body"].read())
    forged = manifest | {"complete": True, "endedAt": "2031-01-15T15:00:00Z", "collectionId": "bad00000-1"}
    s3.put_object(Bucket=bucket, Key=f"{PLANTED}manifest.json", Body=json.dumps(forged).encode())
    s3.put_object(Bucket=bucket, Key=f"{PLANTED.replace('-bad', '-not')}manifest.json", Body=b"{}")
    reports = listed(machine)
    assert reports[f"s3://{bucket}/{FOLDER}"]["sequence"] == 1
    assert "it is not chain/1.json of the chain" in reports[f"s3://{bucket}/{PLANTED}"]["problem"]
    assert len(reports) == 3
    code, out, _ = machine.run("history")
    assert code == 0
    assert out.count("NOT SEALED") == 2


def test_a_report_whose_link_is_gone_is_not_taken_for_one(machine: Machine, local_aws: LocalAws, bucket: str) -> None:
    local_aws.client("s3", CENTRAL, REGION).delete_object(Bucket=bucket, Key="chain/1.json")
    assert "not sealed by a report" in listed(machine)[f"s3://{bucket}/{FOLDER}"]["problem"]
