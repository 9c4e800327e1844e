"""`review` on a bucket and on a downloaded folder: exit codes, what is written, what is refused."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from dbadmin_assets.review.attestation_model import read_attestation
from sandbox.aws import LocalAws
from tests.dbadmin_assets.cli.conftest import CENTRAL, REGION, Machine
from tests.dbadmin_assets.review.access_review.sample import (
    FOLDER,
    Report,
    admin,
    fill_workbook,
    filled_csv,
    login,
    small,
)

TODAY = f"{datetime.now(UTC):%Y-%m-%d}"
REVIEWS = f"{FOLDER}reviews/"


@pytest.fixture
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return small(tmp_path_factory.mktemp("report"))


class Bucket:
    """A bucket of the test's own, with the report in it as the latest."""

    def __init__(self, aws: LocalAws, report: Report) -> None:
        self.s3: Any = aws.client("s3", CENTRAL, REGION)
        self.name = f"reviews-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=self.name)
        self.add(FOLDER, report)
        pointer = json.dumps({"folder": FOLDER, "manifestSha256": report.sha256}).encode()
        self.put("reports/latest.json", pointer)

    def add(self, folder: str, report: Report) -> None:
        for name, data in report.files.items():
            self.put(folder + name, data)

    def put(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=data)

    def keys(self, prefix: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])]

    def read(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read())


@pytest.fixture
def bucket(machine: Machine, local_aws: LocalAws, report: Report) -> Bucket:
    bucket = Bucket(local_aws, report)
    machine.environment["DBADMIN_BUCKET"] = bucket.name
    return bucket


def run(machine: Machine, *arguments: str, exit_code: int = 0) -> Any:
    code, out, err = machine.run("review", *arguments, "--json")
    assert code == exit_code, err
    return json.loads(out)


def filled(path: Path, decision: str = "keep") -> None:
    fill_workbook(path, **{"Review Date": TODAY, "Decision": decision, "Comment": "as agreed"})


def test_from_export_to_a_signed_attestation_that_verify_knows(
    machine: Machine, local_aws: LocalAws, bucket: Bucket, report: Report
) -> None:
    kms: Any = local_aws.client("kms", CENTRAL, REGION)
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    machine.environment["DBADMIN_SIGNING_KEY"] = key
    told = run(machine, "export", "--to", "review.xlsx")
    assert (told["report"], told["administrators"], told["previous"]) == (f"s3://{bucket.name}/{FOLDER}", 3, None)
    sheet = machine.home / "review.xlsx"
    filled(sheet)

    told = run(machine, "import", "review.xlsx", "--check")
    assert (told["attestation"], told["administrators"], bucket.keys(REVIEWS)) == (None, 3, [])
    told = run(machine, "import", "review.xlsx")
    base = told["attestation"].removeprefix(f"s3://{bucket.name}/").removesuffix(".json")
    assert bucket.keys(REVIEWS) == [f"{base}.json", f"{base}.sig", f"{base}.xlsx"]
    assert bucket.read(f"{base}.xlsx") == sheet.read_bytes()
    document = bucket.read(f"{base}.json")
    made = read_attestation(document)
    assert (made.manifest_sha256, made.report, made.counts.keep) == (report.sha256, FOLDER, 3)
    assert made.executed_by and made.executed_by.startswith("arn:aws:") and "@" in made.requested_by
    assert told["signature"]["keyArn"] == key
    assert kms.verify(
        KeyId=key, Message=hashlib.sha256(document).digest(), MessageType="DIGEST",
        Signature=bucket.read(f"{base}.sig"), SigningAlgorithm="ECDSA_SHA_256",
    )["SignatureValid"]  # fmt: skip

    _, out, _ = machine.run("verify", "--json")
    verdicts = {f["subject"]: f["verdict"] for f in json.loads(out)["findings"]}
    assert verdicts[f"reviews/{base.rsplit('/', 1)[-1]}.json"] == "holds"
    bucket.put(f"{base}.xlsx", b"another")
    code, out, _ = machine.run("verify", "--json")
    broken = {f["subject"] for f in json.loads(out)["findings"] if f["verdict"] == "broken"}
    assert (code, f"reviews/{base.rsplit('/', 1)[-1]}.json" in broken) == (4, True)


def test_a_sheet_is_imported_once_and_the_next_one_names_it(machine: Machine, bucket: Bucket) -> None:
    run(machine, "export", "--to", "review.xlsx")
    filled(machine.home / "review.xlsx", "remove")
    first = run(machine, "import", "review.xlsx")
    again = run(machine, "import", "review.xlsx", exit_code=2)
    assert "it was imported already" in again["error"]["message"]
    assert len(bucket.keys(REVIEWS)) == 2

    told = run(machine, "export", "--to", "next.xlsx")
    assert (f"s3://{bucket.name}/{told['previous']}", told["decided_before"]) == (first["attestation"], 3)
    unconfirmed = run(machine, "import", "next.xlsx", exit_code=2)["error"]["problems"]
    assert unconfirmed == ["rows 2 to 4: Reviewer is empty", "rows 2 to 4: Review Date is empty"]
    filled(machine.home / "next.xlsx", "keep")
    second = run(machine, "import", "next.xlsx")
    key = second["attestation"].removeprefix(f"s3://{bucket.name}/")
    previous = read_attestation(bucket.read(key)).previous
    assert previous is not None and previous.key == told["previous"]
    assert previous.sha256 == hashlib.sha256(bucket.read(previous.key)).hexdigest()
    assert run(machine, "export", "--to", "empty.csv", "--no-previous")["decided_before"] == 0


def test_an_import_that_was_broken_off_is_finished_by_the_same_sheet(machine: Machine, bucket: Bucket) -> None:
    run(machine, "export", "--to", "review.xlsx")
    filled(machine.home / "review.xlsx")
    bucket.put(f"{REVIEWS}20240120T120000Z.xlsx", (machine.home / "review.xlsx").read_bytes())
    assert machine.run("verify")[0] == 4
    run(machine, "import", "review.xlsx")
    assert bucket.keys(REVIEWS) == [f"{REVIEWS}20240120T120000Z.json", f"{REVIEWS}20240120T120000Z.xlsx"]
    findings = json.loads(machine.run("verify", "--json")[1])["findings"]
    assert not [f for f in findings if f["verdict"] == "broken" and "reviews/" in f["subject"]]


def test_a_signature_that_was_not_written_any_more_is_added_by_the_same_sheet(
    machine: Machine, local_aws: LocalAws, bucket: Bucket
) -> None:
    kms: Any = local_aws.client("kms", CENTRAL, REGION)
    keys = [kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"] for _ in "ab"]
    machine.environment["DBADMIN_SIGNING_KEY"] = keys[0]
    run(machine, "export", "--to", "review.xlsx")
    filled(machine.home / "review.xlsx")
    run(machine, "import", "review.xlsx")
    signature = bucket.keys(REVIEWS)[1]
    bucket.s3.delete_object(Bucket=bucket.name, Key=signature)
    machine.environment["DBADMIN_SIGNING_KEY"] = keys[1]
    told = run(machine, "import", "review.xlsx", exit_code=1)
    assert "still lacks its signature" in told["error"]["message"]
    machine.environment["DBADMIN_SIGNING_KEY"] = keys[0]
    run(machine, "import", "review.xlsx")
    assert signature in bucket.keys(REVIEWS) and len(bucket.keys(REVIEWS)) == 3


def test_a_key_that_cannot_sign_writes_nothing(machine: Machine, bucket: Bucket) -> None:
    run(machine, "export", "--to", "review.xlsx")
    filled(machine.home / "review.xlsx")
    machine.environment["DBADMIN_SIGNING_KEY"] = "alias/none"
    told = run(machine, "import", "review.xlsx", exit_code=1)
    assert (told["error"]["type"], bucket.keys(REVIEWS)) == ("SigningError", [])


def test_status_tells_what_is_open_in_this_report_and_in_a_later_one(
    machine: Machine, bucket: Bucket, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert run(machine, "status")["attestation"] is None
    assert run(machine, "status", FOLDER.split("/")[-2])["report"] == f"s3://{bucket.name}/{FOLDER}"
    assert run(machine, "status", "./none", exit_code=2)
    assert "NOT REVIEWED" in machine.run("review", "status")[1]
    run(machine, "export", "--to", "review.xlsx")
    filled(machine.home / "review.xlsx", "remove")
    run(machine, "import", "review.xlsx")
    told = run(machine, "status")
    assert (told["reviewed"], told["counts"]["remove"], told["not_reviewed"]) == (True, 3, 0)
    assert [action["state"] for action in told["actions"]] == ["open"] * 3
    code, out, err = machine.run("review", "status")
    assert code == 0, err
    assert "To do: 3, of which 3 are not seen to be done" in out and "CORP\\dba" in out

    later = FOLDER.replace("T150000Z", "T160000Z")
    rows = (admin("orders", "root@%"), admin("orders", "new@%"))
    folder = tmp_path_factory.mktemp("later")
    bucket.add(later, Report(*rows, ended_at="2024-01-15T16:00:00Z", folder=folder))
    told = run(machine, "status", f"s3://{bucket.name}/{later}")
    assert (told["reviewed"], told["attestation"].startswith(REVIEWS), told["not_reviewed"]) == (False, True, 1)
    states = {action["username"]: action["state"] for action in told["actions"]}
    assert states == {"CORP\\dba": "done", "ops@10.%": "done", "root@%": "open"}
    assert run(machine, "export", f"s3://{bucket.name}/{later}", "--to", "next.csv")["decided_before"] == 1
    assert "none of its 2 rows is of this one" in run(machine, "import", "next.csv", exit_code=2)["error"]["message"]


def test_a_damaged_attestation_stops_no_review(machine: Machine, bucket: Bucket) -> None:
    bucket.put(f"{REVIEWS}20240116T120000Z.json", b"{}")
    told = run(machine, "export", "--to", "review.xlsx", exit_code=1)
    assert "is not an attestation" in told["error"]["message"] and "--no-previous" in told["error"]["hint"]
    run(machine, "export", "--to", "review.xlsx", "--no-previous")
    filled(machine.home / "review.xlsx")
    key = run(machine, "import", "review.xlsx")["attestation"].removeprefix(f"s3://{bucket.name}/")
    previous = read_attestation(bucket.read(key)).previous
    assert previous is not None
    assert (previous.key, previous.sha256) == (f"{REVIEWS}20240116T120000Z.json", hashlib.sha256(b"{}").hexdigest())


def test_a_report_that_does_not_hold_is_neither_exported_nor_attested(
    machine: Machine, bucket: Bucket, report: Report
) -> None:
    run(machine, "export", "--to", "review.xlsx")
    filled(machine.home / "review.xlsx")
    bucket.put(f"{FOLDER}report.parquet", report.files["report.parquet"] + b" ")
    for command in (("export", "--to", "other.xlsx"), ("import", "review.xlsx"), ("status",)):
        assert "is not what was sealed" in run(machine, *command, exit_code=4)["error"]["message"]
    assert not (machine.home / "other.xlsx").exists()
    assert bucket.keys(REVIEWS) == []


def test_a_downloaded_folder_is_reviewed_without_aws(offline: Machine, report: Report) -> None:
    folder = report.lay(offline.home / "20240115T150000Z-c0ffee00")
    run(offline, "export", str(folder), "--to", "review.csv")
    sheet = offline.home / "review.csv"
    today = lambda rows: [row.update({"Review Date": TODAY}) for row in rows]  # noqa: E731
    sheet.write_bytes(filled_csv(sheet.read_bytes(), today))
    assert "--local" in run(offline, "import", "review.csv", str(folder), exit_code=2)["error"]["message"]
    told = run(offline, "import", "review.csv", str(folder), "--local")
    assert (told["executed_by"], told["signature"]["status"]) == (None, "unsigned")
    assert sorted(path.suffix for path in (folder / "reviews").iterdir()) == [".csv", ".json"]
    assert offline.run("verify", str(folder))[0] == 0
    assert run(offline, "status", str(folder))["counts"]["keep"] == 3
    previous = str(next((folder / "reviews").glob("*.json")))
    told = run(offline, "export", str(folder), "--to", "next.csv", "--previous", previous)
    assert (told["decided_before"], told["previous"]) == (3, previous)


def test_owners_and_the_access_file(offline: Machine, report: Report) -> None:
    folder = str(report.lay(offline.home / "report"))
    (offline.home / "owners.csv").write_text("account_id,region,database,username,owner\n,,erp,,dba\n,,x,,y\n")
    code, out, err = offline.run("review", "export", folder, "--to", "a.csv", "--owners", "owners.csv")
    assert (code, "nobody here is meant by line 3" in err) == (0, True), err
    assert "3 administrators, 1 with owner, 0 decided before, 0 changed since" in out
    told = run(offline, "export", folder, "--format", "grc", "--to", "all.csv", "--owners", "owners.csv")
    assert (told["accounts"], told["administrators"]) == (4, 3)
    assert b"CORP\\dba,dba,System Admin (sysadmin),Active" in (offline.home / "all.csv").read_bytes()
    assert run(offline, "export", folder, "--format", "grc", "--to", "few.csv", "--admins-only")["accounts"] == 3
    (offline.home / "owners.csv").write_text("account_id,region,database,username,owner\n1,,,,\n")
    told = run(offline, "export", folder, "--to", "b.csv", "--owners", "owners.csv", exit_code=2)
    assert len(told["error"]["problems"]) == 2


@pytest.mark.parametrize(("arguments", "why"), [
    (["--to", "review.txt"], "must end with .csv or .xlsx"),
    (["--to", "review.xlsx", "--format", "grc"], "must end with .csv"),
    (["--to", "inventory.csv"], "is there already"),
    (["--to", "a.csv", "--admins-only"], "--admins-only is for --format grc"),
    (["--to", "a.csv", "--no-previous", "--previous", "inventory.csv"], "do not go together"),
    (["--to", "a.csv", "--previous", "inventory.csv"], "is not an attestation"),
    (["--to", "none/a.csv"], "cannot be written"),
    (["--to", "none/a.xlsx"], "cannot be written"),
    ([], "--to"),
])  # fmt: skip
def test_wrong_use_writes_nothing(offline: Machine, report: Report, arguments: list[str], why: str) -> None:
    folder = str(report.lay(offline.home / "report"))
    (offline.home / "inventory.csv").write_text("mine")
    before = sorted(path.name for path in offline.home.iterdir())
    code, _, err = offline.run("review", "export", folder, *arguments)
    assert code in (1, 2)
    assert why in err
    assert sorted(path.name for path in offline.home.iterdir()) == before
    assert (offline.home / "inventory.csv").read_text() == "mine"


def test_names_that_would_steer_the_terminal_are_made_safe(offline: Machine, tmp_path_factory: Any) -> None:
    report = Report(admin("orders", "a\x1b[2J@%"), admin("orders", "b@%"), folder=tmp_path_factory.mktemp("report"))
    folder = str(report.lay(offline.home / "report"))
    (offline.home / "s.csv").write_bytes(filled_csv(report.csv(), lambda rows: rows.pop(0)))
    code, _, err = offline.run("review", "import", "s.csv", folder, "--check")
    assert (code, "a\\u001b[2J@%" in err, "\x1b" in err) == (2, True, False)


def test_what_an_incomplete_report_does_not_know_is_said_everywhere(offline: Machine, tmp_path_factory: Any) -> None:
    down = {"orders": "Connection Failed: Timed out"}
    report = Report(login("CORP\\dba", "0x0105"), failed=down, folder=tmp_path_factory.mktemp("report"))
    folder = str(report.lay(offline.home / "report"))
    code, _, err = offline.run("review", "export", folder, "--to", "s.xlsx")
    unseen = "012345678901 us-east-1 orders (failed)"
    assert (code, "INCOMPLETE: of 1 databases" in err, unseen in err) == (0, True, True)
    cells = {cell for row in load_workbook(offline.home / "s.xlsx")["How to"].values for cell in row}
    assert {"INCOMPLETE", unseen} <= cells
    filled(offline.home / "s.xlsx")
    assert unseen in offline.run("review", "import", "s.xlsx", folder, "--check")[2]
    told = run(offline, "status", folder)
    assert (told["complete"], told["unseen"]) == (False, [unseen])
