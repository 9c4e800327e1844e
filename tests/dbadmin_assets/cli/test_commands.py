"""Usage, messages and exit codes of the command line, where no run is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3
import click
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result
from rich.console import Console

from dbadmin_assets.cli import generate, output
from dbadmin_assets.cli.bucket import check_bucket
from dbadmin_assets.cli.main import cli
from dbadmin_assets.cli.output import safe
from dbadmin_assets.cli.prechecks import Checked
from dbadmin_assets.errors import ConfigurationError, ReportError
from tests.dbadmin_assets.cli.conftest import INVENTORY, Machine

COMMANDS = ("generate", "status", "history", "download", "verify", "cancel", "inventory", "doctor", "config")
HEAVY = ("dagster", "boto3", "botocore", "pydantic", "rich", "yaml", "msgspec", "pandas")


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An inventory, and a machine that has configured nothing."""
    import os

    for name in os.environ:
        if name.startswith(("DBADMIN_", "AWS_", "DAGSTER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=False)


@pytest.mark.parametrize("arguments", [["--help"], ["generate", "-h"], ["doctor", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from dbadmin_assets.cli.main import cli\n"
        f"try: cli.main({arguments!r})\n"
        f"except SystemExit as end: assert end.code == 0\n"
        f"print('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_help_lists_every_command_and_every_command_has_an_example() -> None:
    listed = run("--help").output
    for command in COMMANDS:
        assert f"\n  {command} " in listed
        text = run(command, "--help").output
        assert f"db-admin-report {command}" in text
        assert "Example" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["generate", "--output-format", "pdf"],
        ["generate", "--accounts", "1,,2"],
        ["generate", "--no-wait", "--timeout", "5"],
        ["status"],
        ["status", "not-a-run-id"],
        ["cancel", "../../etc/passwd"],
        ["history", "--limit", "0"],
        ["generate"],
        ["history"],
    ],
)
def test_wrong_use_and_missing_configuration_end_with_two(inventory: Path, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [["frobnicate"], ["generate", "--frobnicate"], ["status"], ["status", "not-a-run-id"], ["generate"]],
)
def test_an_error_is_one_json_document_too(inventory: Path, arguments: list[str]) -> None:
    result = run(*arguments, "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)["error"]
    assert told["message"]
    assert told["message"] in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full: a full disk cannot be had here")
def test_a_full_disk_is_an_error_and_no_traceback() -> None:
    command = [sys.executable, "-m", "dbadmin_assets.cli.main", "config", "show", "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    for arguments in (["config", "show", "--json"], ["inventory", "validate", "none", "--json"]):
        command = [sys.executable, "-m", "dbadmin_assets.cli.main", *arguments]
        reader, writer = os.pipe()
        os.close(reader)
        try:
            done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
        finally:
            os.close(writer)
        assert done.returncode in (1, 2)
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


def test_a_download_folder_that_cannot_be_written_is_refused_before_anything_runs(machine: Machine) -> None:
    code, _, err = machine.run("generate", "--download", "inventory.yaml/out")
    assert code == 2
    assert "inventory.yaml/out cannot be written" in err
    assert not machine.state.exists()


def test_a_table_is_never_cut_however_narrow_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setattr(output, "console", lambda: Console(force_terminal=True, markup=False, highlight=False))

    @click.command()
    def table() -> None:
        output.print_table(("Account", "Where"), [["012345678901", "s3://evidence/" + "x" * 90], ["[red]x", "[/]"]])

    text = CliRunner().invoke(table).output
    assert "012345678901" in text
    assert "s3://evidence/" + "x" * 90 in text
    assert "[red]x" in text


def test_ctrl_c_right_after_the_launch_names_the_run_too(
    inventory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    run_id = "5f0c1a52-7d0e-4b5b-9a57-0d4a8a3c2b11"
    launched = (Checked(None, None, ()), SimpleNamespace(run_id=run_id, target_keys=()))
    monkeypatch.setattr(generate, "_launch", lambda *_: launched)
    monkeypatch.setattr("dbadmin_assets.cli.display.make_display", interrupted)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    result = run("generate", "--inventory", str(inventory), "--bucket", "evidence", "--json")
    assert result.exit_code == 130
    assert json.loads(result.stdout) == {"run_id": run_id, "status": "running", "exit_code": 130}
    assert f"cancel {run_id}" in result.stderr


def test_an_option_given_twice_asks_for_both(inventory: Path) -> None:
    accounts = ["--accounts", "111111111111", "--accounts", "012345678901,111111111111"]
    result = run("inventory", "show", "--inventory", "inventory.yaml", *accounts, "--json")
    assert {target["account_id"] for target in json.loads(result.stdout)["targets"]} == {"012345678901", "111111111111"}


def test_an_empty_source_is_not_the_configured_one(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBADMIN_INVENTORY", str(inventory))
    assert run("inventory", "validate").exit_code == 0
    assert run("inventory", "validate", "").exit_code == 2


@pytest.mark.parametrize("arguments", [["status"], ["cancel"]])
def test_a_state_folder_that_cannot_be_used_is_named_with_the_setting(
    inventory: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("DBADMIN_STATE_DIR", str(inventory / "below-a-file"))
    result = run(*arguments, "5f0c1a52-7d0e-4b5b-9a57-0d4a8a3c2b11")
    assert result.exit_code == 2
    assert str(inventory) in result.stderr
    assert "set DBADMIN_STATE_DIR" in result.stderr


def test_a_damaged_record_of_a_run_is_named(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBADMIN_STATE_DIR", str(inventory.parent / "state"))
    record = inventory.parent / "state/runs/5f0c1a52-7d0e-4b5b-9a57-0d4a8a3c2b11.json"
    record.parent.mkdir(parents=True)
    for text in ("{", "[]", '{"run_id": 1}'):
        record.write_text(text)
        result = run("status", record.stem)
        assert result.exit_code == 1
        assert f"Error: {record} is not the record of a run" in result.stderr


def test_every_missing_setting_is_named_at_once(inventory: Path) -> None:
    text = run("generate").stderr
    assert all(name in text for name in ("DBADMIN_INVENTORY", "DBADMIN_BUCKET", "DBADMIN_REGION"))


def test_an_unknown_run_ends_with_two(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("status", "cancel"):
        result = run(command, "5f0c1a52-7d0e-4b5b-9a57-0d4a8a3c2b11")
        assert result.exit_code == 2
        assert "is not known in" in result.stderr


def test_missing_credentials_end_with_two_and_a_cure(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBADMIN_INVENTORY", str(inventory))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    result = run("generate", "--bucket", "evidence")
    assert result.exit_code == 2
    assert "no usable AWS credentials" in result.stderr
    assert "Fix: " in result.stderr
    result = run("generate", "--bucket", "evidence", "--profile", "nobody")
    assert result.exit_code == 2
    assert "nobody" in result.stderr
    assert not (inventory.parent / ".local").exists(), "nothing was started"


def test_a_wrong_clock_is_told_as_such(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

    def skewed(self: object, operation: str, _: object) -> None:
        raise ClientError({"Error": {"Code": "RequestTimeTooSkewed", "Message": "x"}}, operation)

    monkeypatch.setattr(BaseClient, "_make_api_call", skewed)
    monkeypatch.setenv("DBADMIN_INVENTORY", str(inventory))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    result = run("generate", "--bucket", "evidence", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["type"] == "CredentialsError"
    assert "clock" in json.loads(result.stdout)["error"]["hint"]


def test_an_unknown_account_is_refused_before_anything_runs(machine: Machine) -> None:
    code, out, err = machine.run("generate", "--accounts", "12345678901")
    assert (code, out) == (2, "")
    assert "012345678901" in err
    assert not machine.state.exists()


def test_a_bucket_that_is_not_there_is_refused_before_anything_runs(machine: Machine) -> None:
    code, _, err = machine.run("generate", "--bucket", "no-such-bucket")
    assert code == 2
    assert "there is no bucket no-such-bucket" in err
    assert not machine.state.exists()


def test_a_bucket_of_another_region_is_refused_before_anything_runs(machine: Machine) -> None:
    """Every worker would be told to write to the wrong region: a report of failures only."""
    machine.environment["DBADMIN_REGION"] = "eu-west-1"
    code, _, err = machine.run("generate")
    assert code == 2
    assert "the bucket evidence is in us-east-1, not in eu-west-1" in err
    assert "set DBADMIN_REGION=us-east-1" in err
    assert not machine.state.exists()
    code, out, _ = machine.run("doctor")
    assert code == 1
    assert "FAIL bucket: " in out
    assert "set DBADMIN_REGION=us-east-1" in out


def test_a_bucket_that_may_not_be_listed_as_a_whole_is_still_found_to_be_there() -> None:
    """The orchestrator may list its own prefixes only, so HEAD is denied; the answer names the region even so."""
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")
    s3 = session.client("s3")
    denied = {"x-amz-bucket-region": "us-east-1"}
    with Stubber(s3) as stub, pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "client", lambda *_, **__: s3)
        for region in ("us-east-1", "eu-west-1"):
            stub.add_client_error("head_bucket", "403", http_status_code=403, response_meta={"HTTPHeaders": denied})
            if region == "us-east-1":
                assert check_bucket(session, "evidence", region) == "us-east-1"
            else:
                with pytest.raises(ConfigurationError, match="is in us-east-1"):
                    check_bucket(session, "evidence", region)
        stub.add_client_error("head_bucket", "503", http_status_code=503)
        with pytest.raises(ReportError, match="503"):
            check_bucket(session, "evidence", "us-east-1")


def test_doctor_tells_missing_credentials_from_what_they_are_needed_for(inventory: Path) -> None:
    options = ("--bucket", "evidence", "--inventory", "s3://evidence/inventory.yaml", "--json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_REGION", "us-east-1")
        checks = {item["check"]: item for item in json.loads(run("doctor", *options).stdout)["checks"]}
    for check in ("credentials", "bucket", "bucket versioning", "bucket listing", "inventory"):
        assert not checks[check]["ok"]
        assert "no usable AWS credentials" in checks[check]["detail"]
        assert "AWS_PROFILE" in checks[check]["fix"]


def test_inventory_show_needs_no_aws_for_a_file(inventory: Path) -> None:
    result = run("inventory", "show", "--inventory", "inventory.yaml")
    assert result.exit_code == 0
    assert "excluded: test" in result.output
    assert "3 targets, 3 databases to read, 1 excluded" in result.output
    shown = json.loads(
        run("inventory", "show", "--inventory", "inventory.yaml", "--accounts", "012345678901", "--json").stdout
    )
    assert [target["databases"][0]["name"] for target in shown["targets"]] == ["ledger"]


def test_inventory_validate_lists_every_problem(inventory: Path) -> None:
    assert run("inventory", "validate", "inventory.yaml").exit_code == 0
    inventory.write_text("version: 3\naccounts: {}\nextra: 1\n")
    result = run("inventory", "validate", "inventory.yaml", "--json")
    assert result.exit_code == 2
    assert [p.split(":")[0] for p in json.loads(result.stdout)["error"]["problems"]] == ["version", "accounts", "extra"]


def test_config_show_names_the_origin_of_every_value(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBADMIN_MAX_CONCURRENCY", "5")
    shown = json.loads(run("config", "show", "--bucket", "evidence", "--json").stdout)["settings"]
    assert shown["bucket"] == {"value": "evidence", "origin": "option --bucket"}
    assert shown["max_concurrency"] == {"value": 5, "origin": "environment DBADMIN_MAX_CONCURRENCY"}
    assert shown["inventory"] == {"value": None, "origin": "not set"}


def test_doctor_goes_on_after_a_failure_and_needs_no_network(offline: Machine) -> None:
    (offline.home / "inventory.yaml").write_text("version: 2")
    offline.environment["AWS_MAX_ATTEMPTS"] = "1"
    code, out, _ = offline.run("doctor", "--json")
    checks = {finding["check"]: finding for finding in json.loads(out)["checks"]}
    assert code == 1
    assert [name for name, finding in checks.items() if finding["ok"]] == ["state folder", "runs", "signing key"]
    assert set(checks) == {
        "state folder", "runs", "credentials", "bucket", "bucket versioning", "bucket retention", "bucket listing",
        "signing key", "inventory",
    }  # fmt: skip


def test_tracebacks_are_for_verbose_only(inventory: Path) -> None:
    inventory.write_text("")
    assert "Traceback" not in run("inventory", "validate", "inventory.yaml").stderr
    assert "Traceback" in run("inventory", "validate", "inventory.yaml", "--verbose").stderr


def test_text_of_others_cannot_steer_the_terminal() -> None:
    assert safe("a\x1b[2J\u202eb\r\n\U000e0001") == "a\\u001b[2J\\u202eb\\u000d\\u000a\\U000e0001"
    assert safe("two\nlines", lines=True) == "two\nlines"
    assert safe("Müller 名") == "Müller 名"


def test_probe_becomes_the_workers_program_with_every_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("dbadmin_assets.cli.worker_program.os.execv", lambda *call: seen.append(call))
    run("probe", "--engine", "mysql", "--json", "-h")
    command = [sys.executable, "-P", "-m", "worker_lambda.probe", "--engine", "mysql", "--json", "-h"]
    assert seen == [(sys.executable, command)]


def test_without_the_drivers_probe_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbadmin_assets.cli.worker_program.importlib.util.find_spec", lambda _: None)
    result = run("probe", "--engine", "mysql")
    assert result.exit_code == 2
    assert "no pymysql and no pymssql" in result.output
    assert "install db-admin-report[worker]" in result.output


@pytest.mark.parametrize("command", ["probe", "reader-grants"])
def test_a_worker_program_imports_nothing_from_the_callers_folder(tmp_path: Path, command: str) -> None:
    (tmp_path / "json.py").write_text("print('HIJACKED')")
    (tmp_path / "worker_lambda").mkdir()
    (tmp_path / "worker_lambda" / "__init__.py").write_text("print('HIJACKED')")
    script = str(Path(sys.executable).with_name("db-admin-report"))
    done = subprocess.run([script, command, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "HIJACKED" in done.stdout) == (0, False)
    assert "Example:\n" in done.stdout
