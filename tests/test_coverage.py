"""What runs and nobody declared, with real parts: the worker under its role, the emulator's RDS, report and command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbadmin_assets.inventory import parse_inventory
from infra import policies
from sandbox.plan import HOME_REGION, LEDGER, PAYMENTS
from sandbox.stack import Sandbox
from tests.sandbox_fixture import demo_sandbox

__all__ = ["demo_sandbox"]
CLI = str(Path(sys.executable).with_name("db-admin-report"))
ARCHIVE = {"account_id": PAYMENTS, "region": "us-east-1", "identifier": "payments-archive", "engine": "mysql"}


def run(sandbox: Sandbox, *arguments: str, **more: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error of a command."""
    environment = sandbox.command_environment() | more
    done = subprocess.run([CLI, *arguments], env=environment, capture_output=True, text=True, timeout=240)
    return done.returncode, done.stdout, done.stderr


def as_json(sandbox: Sandbox, *arguments: str, expect: int = 0, **more: str) -> dict[str, Any]:
    code, out, err = run(sandbox, *arguments, "--json", **more)
    assert code == expect, out + err
    answer: dict[str, Any] = json.loads(out)
    return answer


@pytest.fixture
def known_instance(demo_sandbox: Sandbox) -> Iterator[None]:
    """RDS lists the declared MariaDB, at the address where it listens."""
    where = demo_sandbox.servers.endpoints["mariadb", 0]
    rds = demo_sandbox.organization.aws.client("rds", LEDGER, "eu-west-1")
    rds.create_db_instance(
        DBInstanceIdentifier="ledger-mariadb", Engine="mariadb", DBInstanceClass="db.t3.micro", AllocatedStorage=20,
        MasterUsername="admin", MasterUserPassword="never-used-anywhere", Port=where.port,
    )  # fmt: skip
    yield
    rds.delete_db_instance(DBInstanceIdentifier="ledger-mariadb", SkipFinalSnapshot=True)


def test_a_report_tells_the_undeclared_from_the_known_and_stays_complete(
    demo_sandbox: Sandbox, known_instance: None
) -> None:
    ran = as_json(
        demo_sandbox, "generate", "--accounts", f"{PAYMENTS},{LEDGER}", "--regions", "us-east-1,eu-west-1", expect=3
    )
    found = ran["discovered"]
    assert [(item["identifier"], item["product"]) for item in found["undeclared"]] == [("payments-archive", "mariadb")]
    assert {(t["accountId"], t["region"]): (t["status"], t["found"], t["known"]) for t in found["targets"]} == {
        (LEDGER, "eu-west-1"): ("complete", 1, 1),
        (LEDGER, "us-east-1"): ("complete", 0, 0),
        (PAYMENTS, "eu-west-1"): ("complete", 0, 0),
        (PAYMENTS, "us-east-1"): ("complete", 1, 0),
    }
    assert found["complete"] is True
    assert as_json(demo_sandbox, "verify", ran["report"])["holds"] is True
    assert as_json(demo_sandbox, "generate", "--accounts", PAYMENTS)["complete"] is True


def test_the_drafted_entries_are_an_inventory_that_lacks_the_secrets_only(
    demo_sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "new.yaml"
    code, out, err = run(demo_sandbox, "inventory", "discover", "--accounts", PAYMENTS, "--write", str(file))
    assert code == 0, out + err
    assert "payments-archive" in out
    text = file.read_text("utf-8")
    assert text.count("# TODO secret") == text.count("#") == 1
    code, _, err = run(demo_sandbox, "inventory", "validate", str(file))
    assert code == 2
    assert "has no secret" in err
    finished = text.replace("}  # TODO secret", ", secret: s}")
    (target,) = parse_inventory(finished.encode(), "x").targets()
    assert (target.account_id, target.region, target.databases[0].name) == (PAYMENTS, "us-east-1", "payments-archive")
    code, _, err = run(demo_sandbox, "inventory", "discover", "--accounts", PAYMENTS, "--write", str(file))
    assert code == 2
    assert "nothing is overwritten" in err
    assert file.read_text("utf-8") == text


def test_what_was_merged_into_the_inventory_is_drafted_no_more(demo_sandbox: Sandbox, tmp_path: Path) -> None:
    made = as_json(demo_sandbox, "generate", "--accounts", PAYMENTS)
    asked = ("inventory", "discover", "--accounts", PAYMENTS, "--from-report", made["report"])
    before = as_json(demo_sandbox, *asked)
    assert [{k: item[k] for k in ARCHIVE} for item in before["undeclared"]] == [ARCHIVE]
    code, printed, _ = run(demo_sandbox, *asked, "--write", "-")
    assert (code, printed) == (0, before["draft"])
    inventory = yaml.safe_load(demo_sandbox.inventory_file.read_text())
    drafted = yaml.safe_load(before["draft"])["accounts"][PAYMENTS]["regions"]["us-east-1"]["databases"]
    inventory["accounts"][PAYMENTS]["regions"]["us-east-1"]["databases"] += drafted
    (tmp_path / "merged.yaml").write_text(yaml.safe_dump(inventory))
    for more in (asked, asked[:4]):
        after = as_json(demo_sandbox, *more, DBADMIN_INVENTORY=str(tmp_path / "merged.yaml"))
        assert (after["undeclared"], after["draft"]) == ([], "")


def test_a_worker_that_may_not_look_says_so_and_collects(demo_sandbox: Sandbox, known_instance: None) -> None:
    estate = demo_sandbox.organization.estate
    iam = demo_sandbox.organization.aws.client("iam", LEDGER, HOME_REGION)

    def allow(discovery: bool) -> None:
        document = json.dumps(policies.worker_identity(estate, LEDGER, discovery=discovery))
        iam.put_role_policy(RoleName=estate.worker_role, PolicyName="least-privilege", PolicyDocument=document)

    scope = ("--accounts", LEDGER, "--regions", "eu-west-1")
    allow(False)
    try:
        made = as_json(demo_sandbox, "generate", *scope)
        asked = as_json(demo_sandbox, "inventory", "discover", *scope, expect=3)
    finally:
        allow(True)
    (told,) = made["discovered"]["targets"]
    assert (made["complete"], told["status"], told["found"]) == (True, "failed", 0)
    for action in ("rds:DescribeDBClusters", "rds:DescribeDBInstances", "ec2:DescribeInstances"):
        assert f" on {action}" in told["reason"]
    assert "Denied" in told["reason"] or "Unauthorized" in told["reason"]
    assert asked["targets"][0]["reason"] == told["reason"]


def test_an_account_that_cannot_be_entered_is_not_known_and_ends_with_3(demo_sandbox: Sandbox) -> None:
    code, out, _ = run(demo_sandbox, "inventory", "discover")
    assert code == 3
    assert "1 not in the inventory, known in 4 of 5 targets" in out
    assert "333333333333 us-east-1: unknown, Worker Failed: Cannot assume role" in out
