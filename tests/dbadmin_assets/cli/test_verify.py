"""`verify` on a folder of this machine and in a bucket: exit codes, output, names that lead out of the folder."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dbadmin_assets.cli.main import cli
from dbadmin_assets.review.signature import fingerprint
from sandbox.aws import LocalAws
from tests.dbadmin_assets.cli.conftest import CENTRAL, REGION, Machine
from tests.dbadmin_assets.review.samples import LocalSigner
from tests.dbadmin_assets.review.test_verification import CSV, Evidence, flip


@pytest.fixture
def evidence() -> Evidence:
    return Evidence("x")


def lay(evidence: Evidence, folder: Path) -> Path:
    folder.mkdir()
    for name, data in evidence.files.items():
        (folder / name).write_bytes(data)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["verify", *arguments], catch_exceptions=False)


def test_a_downloaded_folder_that_holds(evidence: Evidence, tmp_path: Path) -> None:
    folder = lay(evidence, tmp_path / "report")
    result = run(str(folder))
    assert result.exit_code == 0
    assert "HOLDS, self-consistent only" in result.output
    told = json.loads(run(str(folder), "--json").stdout)
    assert (told["holds"], told["exit_code"], told["self_consistent_only"]) == (True, 0, True)
    assert {f["subject"]: f["verdict"] for f in told["findings"]}[CSV] == "holds"


def test_one_flipped_byte_ends_with_four_and_the_files_name(evidence: Evidence, tmp_path: Path) -> None:
    for name in evidence.files:
        folder = lay(evidence, tmp_path / f"changed {name}")
        (folder / name).write_bytes(flip(evidence.files[name]))
        result = run(str(folder))
        assert result.exit_code == 4
        assert "DOES NOT HOLD: 1 of " in result.output
        told = json.loads(run(str(folder), "--json").stdout)
        assert [f["subject"] for f in told["findings"] if f["verdict"] == "broken"] == [name]


def test_what_is_no_report_ends_with_four_and_what_is_no_folder_with_two(tmp_path: Path) -> None:
    assert run(str(tmp_path)).exit_code == 4
    for none in (str(tmp_path / "none"), ""):
        result = run(none)
        assert result.exit_code == 2
        assert "there is no folder" in result.stderr


@pytest.mark.parametrize("name", ["x" * 300, "a/" * 3000 + "b", "nul\0", "", "."])
def test_a_name_that_no_file_can_have_is_not_there(evidence: Evidence, tmp_path: Path, name: str) -> None:
    evidence.manifest["files"].append({"name": name, "sha256": "0" * 64, "sizeBytes": 1})
    evidence.reseal()
    told = json.loads(run(str(lay(evidence, tmp_path / "report")), "--json").stdout)
    assert {f["subject"]: f["detail"] for f in told["findings"] if f["verdict"] == "broken"} == {
        name: "it is not there"
    }


def test_a_link_to_itself_is_no_file(evidence: Evidence, tmp_path: Path) -> None:
    folder = lay(evidence, tmp_path / "report")
    (folder / CSV).unlink()
    (folder / CSV).symlink_to(folder / CSV)
    result = run(str(folder), "--json")
    assert result.exit_code == 4
    assert [f["subject"] for f in json.loads(result.stdout)["findings"] if f["verdict"] == "broken"] == [CSV]


def test_what_cannot_be_read_is_not_verified_and_not_broken(
    evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay(evidence, tmp_path / "report")
    opened = Path.open

    def denied(path: Path, *arguments: Any, **more: Any) -> Any:
        if path.name == CSV:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(path, *arguments, **more)

    monkeypatch.setattr(Path, "open", denied)
    result = run(str(folder))
    assert result.exit_code == 1
    assert "NOT VERIFIED: 1 could not be read" in result.output
    assert f"{CSV} cannot be read: Permission denied" in result.output


def test_a_downloaded_folder_under_the_name_of_another_report(evidence: Evidence, tmp_path: Path) -> None:
    assert run(str(lay(evidence, tmp_path / "20240115T150000Z-c0ffee00") / "manifest.json")).exit_code == 0
    result = run(str(lay(evidence, tmp_path / "20310101T000000Z-c0ffee00")))
    assert result.exit_code == 4
    assert "it is the manifest of reports/2024/01/15/20240115T150000Z-c0ffee00" in result.output


def test_a_name_that_leads_out_of_the_folder_is_not_there(evidence: Evidence, tmp_path: Path) -> None:
    (tmp_path / CSV).write_bytes(evidence.files[CSV])
    evidence.manifest["files"][0]["name"] = f"../{CSV}"
    evidence.reseal()
    told = json.loads(run(str(lay(evidence, tmp_path / "report")), "--json").stdout)
    broken = {f["subject"]: f["detail"] for f in told["findings"] if f["verdict"] == "broken"}
    assert broken.pop("manifest.json") == f"it lists no {CSV}"
    assert broken == {f"../{CSV}": "it is not there", CSV: "the manifest does not know this file"}


def test_a_link_to_elsewhere_is_no_file_of_the_report(evidence: Evidence, tmp_path: Path) -> None:
    folder = lay(evidence, tmp_path / "report")
    (folder / CSV).rename(tmp_path / CSV)
    (folder / CSV).symlink_to(tmp_path / CSV)
    (folder / "more").symlink_to(tmp_path)
    told = json.loads(run(str(folder), "--json").stdout)
    assert {f["subject"] for f in told["findings"] if f["verdict"] == "broken"} == {CSV, "more"}


def test_a_name_that_would_steer_the_terminal_is_made_safe(evidence: Evidence, tmp_path: Path) -> None:
    folder = lay(evidence, tmp_path / "report")
    (folder / "a\x1b[2J").write_bytes(b"")
    output = run(str(folder)).output
    assert "a\\u001b[2J" in output
    assert "\x1b" not in output


def test_the_latest_report_of_the_bucket_with_the_workers_objects(
    machine: Machine, local_aws: LocalAws, evidence: Evidence
) -> None:
    s3 = local_aws.client("s3", CENTRAL, REGION)
    s3.create_bucket(Bucket="latest")
    s3.put_bucket_versioning(Bucket="latest", VersioningConfiguration={"Status": "Enabled"})
    code, _, err = machine.run("verify", "--bucket", "latest")
    assert code == 1
    assert "there is no complete report" in err

    stored = s3.put_object(Bucket="latest", Key=evidence.key, Body=evidence.objects[evidence.key])
    evidence.manifest["targets"][0]["object"]["versionId"] = stored["VersionId"]
    evidence.reseal()
    folder = "reports/2024/01/15/20240115T150000Z-c0ffee00/"
    for name, data in evidence.files.items():
        s3.put_object(Bucket="latest", Key=folder + name, Body=data)
    pinned = hashlib.sha256(evidence.files["manifest.json"]).hexdigest()
    pointer = json.dumps({"folder": folder, "manifestSha256": pinned}).encode()
    s3.put_object(Bucket="latest", Key="reports/latest.json", Body=pointer)
    code, out, err = machine.run("verify", "--bucket", "latest", "--json")
    told = json.loads(out)
    assert (code, told["report"]) == (0, f"s3://latest/{folder}"), err
    assert {f["subject"]: f["verdict"] for f in told["findings"]}[evidence.key] == "holds"

    s3.put_object(Bucket="latest", Key=evidence.key, Body=b"another version: not the one that the rows were made of")
    assert machine.run("verify", "--bucket", "latest")[0] == 0
    s3.put_object(Bucket="latest", Key=folder + CSV, Body=flip(evidence.files[CSV]))
    s3.put_object(Bucket="latest", Key="reports/latest.json", Body=pointer.replace(pinned.encode(), b"0" * 64))
    s3.delete_object(Bucket="latest", Key=evidence.key, VersionId=stored["VersionId"])
    code, out, _ = machine.run("verify", "--bucket", "latest", "--json")
    assert code == 4
    broken = [f["subject"] for f in json.loads(out)["findings"] if f["verdict"] == "broken"]
    assert broken == ["reports/latest.json", CSV, evidence.key]


@pytest.fixture
def signed(evidence: Evidence) -> tuple[Evidence, str]:
    """A signed report, and its key's fingerprint."""
    signer = LocalSigner()
    evidence.sign(signer)
    return evidence, fingerprint(signer.public_key)


def test_a_pinned_fingerprint_needs_nothing_but_the_folder(signed: tuple[Evidence, str], tmp_path: Path) -> None:
    evidence, pin = signed
    folder = str(lay(evidence, tmp_path / "report"))
    assert "HOLDS, signed with the key of the fingerprint that was given" in run(folder, "--fingerprint", pin).output
    told = json.loads(run(folder, "--fingerprint", f"sha256:{pin.upper()}", "--json").stdout)
    assert (told["exit_code"], told["self_consistent_only"], told["signed_with"]) == (0, False, pin)
    result = run(folder, "--fingerprint", "ab" * 32)
    assert result.exit_code == 4
    assert "signed with another key" in result.output
    unsigned = str(lay(Evidence("x"), tmp_path / "unsigned"))
    assert run(unsigned, "--fingerprint", pin).exit_code == 4
    assert run(folder, "--fingerprint", "abc").exit_code == 2


def test_a_pin_in_the_settings_counts_like_the_option(
    signed: tuple[Evidence, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence, pin = signed
    folder = str(lay(evidence, tmp_path / "report"))
    monkeypatch.setenv("DBADMIN_SIGNING_FINGERPRINT", pin)
    assert run(folder).exit_code == 0
    monkeypatch.setenv("DBADMIN_SIGNING_FINGERPRINT", "ab" * 32)
    assert run(folder).exit_code == 4


def test_kms_that_does_not_answer_is_not_verified(
    signed: tuple[Evidence, str], tmp_path: Path, offline: Machine
) -> None:
    folder = lay(signed[0], tmp_path / "report")
    offline.environment |= {"DBADMIN_SIGNING_KEY": "alias/none", "AWS_MAX_ATTEMPTS": "1"}
    code, out, _ = offline.run("verify", str(folder))
    assert code == 1
    assert "NOT VERIFIED" in out
    assert "alias/none cannot be asked for its public half" in out


def test_the_configured_key_is_asked_of_kms(
    machine: Machine, local_aws: LocalAws, signed: tuple[Evidence, str], tmp_path: Path
) -> None:
    kms = local_aws.client("kms", CENTRAL, REGION)
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    machine.environment["DBADMIN_SIGNING_KEY"] = key
    code, out, _ = machine.run("verify", str(lay(signed[0], tmp_path / "another")))
    assert code == 4
    assert f"signed with another key than that of {key}, as KMS has it" in out
