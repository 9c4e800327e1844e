"""The real pipeline under exactly the roles, bucket and keys that the Pulumi program renders."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.organization import BUCKET
from sandbox.plan import LEGACY, fleet_plan
from sandbox.stack import Sandbox
from tests.sandbox.rendered import RenderedDeployment

CLI = str(Path(sys.executable).with_name("db-admin-report"))
Report = tuple[str, dict[str, Any], list[list[str]]]
"""(its place, its manifest, the cells of its CSV without the moments of the run)"""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def run(sandbox: Sandbox, *arguments: str, expect: int) -> dict[str, Any]:
    done = subprocess.run(
        [CLI, *arguments, "--json"], env=sandbox.command_environment(), capture_output=True, text=True, timeout=240
    )
    assert done.returncode == expect, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def report_of(sandbox: Sandbox, expect: int = 3) -> Report:
    place = run(sandbox, "generate", expect=expect)["report"]

    def stored(name: str) -> bytes:
        return bytes(sandbox.s3().get_object(Bucket=BUCKET, Key=f"{key_of(place)}{name}")["Body"].read())

    text = stored("db-admin-report.csv").decode("utf-8-sig")
    rows = [[cell for cell in row if not _MOMENT.fullmatch(cell)] for row in csv.reader(io.StringIO(text))]
    return place, json.loads(stored("manifest.json")), rows


def key_of(place: str) -> str:
    """Prefix of the keys of an evidence folder."""
    return place.removeprefix(f"s3://{BUCKET}/").rstrip("/") + "/"


@pytest.fixture(scope="module")
def rendered(rendered_sandbox: Sandbox) -> Report:
    return report_of(rendered_sandbox)


def test_the_report_says_what_it_says_in_the_usual_sandbox(rendered: Report, demo_sandbox: Sandbox) -> None:
    _, manifest, rows = rendered
    _, usual_manifest, usual_rows = report_of(demo_sandbox)
    assert manifest["population"] == usual_manifest["population"]
    assert manifest["population"] == {"declared": 7, "complete": 4, "partial": 0, "failed": 2, "excluded": 1}
    assert manifest["counts"] == usual_manifest["counts"]
    assert manifest["discovered"]["undeclared"] == usual_manifest["discovered"]["undeclared"] != []
    assert rows == usual_rows
    assert len(rows) > 75, "or nothing was compared"


def test_it_is_signed_with_the_rendered_key_by_the_rendered_role_and_verifies(
    rendered: Report, rendered_sandbox: Sandbox, deployment: RenderedDeployment
) -> None:
    place, manifest, _ = rendered
    assert manifest["signature"]["status"] == "signed"
    assert manifest["signature"]["keyArn"] == deployment.central.outputs["signing_key_arn"]
    assert "assumed-role/db-admin-report-orchestrator/" in manifest["requests"][0]["executedBy"]
    told = run(rendered_sandbox, "verify", place, expect=0)
    assert told["self_consistent_only"] is False
    assert {finding["verdict"] for finding in told["findings"]} == {"holds"}


def test_it_lies_under_the_rendered_lock_and_key(
    rendered: Report, rendered_sandbox: Sandbox, deployment: RenderedDeployment
) -> None:
    place, manifest, _ = rendered
    assert manifest["retention"] == {"days": 400, "mode": "COMPLIANCE", "reason": None}
    head = rendered_sandbox.s3().head_object(Bucket=BUCKET, Key=f"{key_of(place)}manifest.json")
    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert head["SSEKMSKeyId"] == deployment.central.outputs["evidence_key_arn"]


def test_doctor_finds_all_in_order_but_the_account_that_cannot_be_entered(rendered_sandbox: Sandbox) -> None:
    told = run(rendered_sandbox, "doctor", expect=1)["checks"]
    assert [finding["check"] for finding in told if not finding["ok"]] == [f"role in {LEGACY}"]


def test_the_report_is_downloaded_and_kept_longer(rendered: Report, rendered_sandbox: Sandbox, tmp_path: Path) -> None:
    place, manifest, _ = rendered
    files = run(rendered_sandbox, "download", place, "--to", str(tmp_path), expect=0)["files"]
    assert {Path(file).name for file in files} > {item["name"] for item in manifest["files"]}
    kept = run(rendered_sandbox, "retention", place, "--until", "2099-12-31", expect=0)["objects"]
    assert kept and all(item["until"] > "2099-12-31" for item in kept)


def test_eight_accounts_in_two_regions_make_a_complete_report() -> None:
    deployment = RenderedDeployment()
    with Sandbox(fleet_plan(8), deploy=deployment) as sandbox:
        assert len(deployment.stacks) == 1 + 16
        _, manifest, _ = report_of(sandbox, expect=0)
    assert manifest["population"] == {"declared": 16, "complete": 16, "partial": 0, "failed": 0, "excluded": 0}
