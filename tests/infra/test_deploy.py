"""`python -m infra deploy|destroy|outputs` against a Pulumi that only remembers what it was asked."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import deploy
from infra.deployment.credentials import DeploymentRole
from infra.deployment.engine import PulumiEngine
from infra.deployment.program import Plan
from infra.deployment.run import Run
from infra.deployment.settings import read_settings
from infra.deployment.stacks import Changes, Outcome, Stack, first_cause
from tests.infra.fake_automation import BUCKET, FUNCTION, ROLE, FakeAutomation, failure

CENTRAL = "209371858707"
ACCOUNTS = ("012345678901", "111111111111", "222222222222")
REGIONS = ("us-east-1", "eu-west-1")
WORKERS = tuple(Stack("worker", account, region) for account in ACCOUNTS for region in REGIONS)
STACKS = (Stack("central", CENTRAL, "us-east-1"), *WORKERS)


class FakeSts:
    """STS with one deployment role per account that asks for an ExternalId."""

    def __init__(self, refused: tuple[str, ...] = (), led_into: str | None = None) -> None:
        self.refused, self.led_into, self.asked = refused, led_into, list[str]()

    def assume_role(self, *, RoleArn: str, RoleSessionName: str, ExternalId: str) -> dict[str, Any]:
        account = RoleArn.split(":")[4]
        self.asked.append(RoleArn)
        if account in self.refused or ExternalId != "deploy-ext":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "AssumeRole")
        arn = f"arn:aws:sts::{self.led_into or account}:assumed-role/deployer/{RoleSessionName}"
        return {"AssumedRoleUser": {"Arn": arn}}


@pytest.fixture
def automation() -> FakeAutomation:
    return FakeAutomation()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def lines(*answers: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))

    lines()
    return lines


@pytest.fixture
def infra(automation: FakeAutomation, typed: Callable[..., None]) -> Callable[..., int]:
    """Runs a command line."""

    def program(stack: Stack) -> Callable[[], None]:
        return partial(automation.declared.append, stack.name)

    role = DeploymentRole("deployer", "deploy-ext")
    plan = Plan(STACKS, program, role, "s3://state?region=us-east-1", "awskms://alias/state")

    def run(*argv: str, sts: FakeSts | None = None) -> int:
        return deploy.main(
            argv, plan=lambda _: plan, engine=lambda: PulumiEngine(automation), sts=lambda: sts or FakeSts()
        )

    return run


def test_all_stacks_come_up_and_the_table_says_what_changed(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra("deploy", "--stack", "all", "--yes") == 0
    assert set(automation.state) == {stack.name for stack in STACKS}
    assert sorted(automation.declared) == sorted(stack.name for stack in STACKS)
    out = capsys.readouterr()
    assert "deploy: 7 of 7 stacks are as they should be" in out.out
    assert "worker-012345678901-us-east-1" in out.out
    assert "[7/7]" in out.err
    assert "3 created" in out.err


def test_the_central_stack_is_up_before_any_worker_starts_and_workers_go_at_once_within_the_bound(
    infra: Callable[..., int], automation: FakeAutomation
) -> None:
    together = threading.Barrier(3, timeout=60)  # breaks, and fails the stack, unless three are under way at once
    now, most = 0, 0
    lock = threading.Lock()

    def during(name: str) -> None:
        nonlocal now, most
        if name == "central":
            assert automation.opened == ["central"]
            return
        with lock:
            assert "central" in automation.updated
            now += 1
            most = max(most, now)
        together.wait()
        with lock:
            now -= 1

    automation.during_update = during
    assert infra("deploy", "--stack", "all", "--yes", "--parallel", "3") == 0
    assert most == 3


def test_a_second_deployment_changes_nothing(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra("deploy", "--stack", "all", "--yes") == 0
    before = dict(automation.state)
    capsys.readouterr()
    assert infra("deploy", "--stack", "all", "--yes", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert {stack["outcome"] for stack in document["stacks"]} == {"unchanged"}
    assert {(stack["created"], stack["unchanged"]) for stack in document["stacks"]} == {(0, 3)}
    assert automation.state == before


def test_one_failed_stack_is_reported_and_the_next_call_does_what_is_left_of_it(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = WORKERS[3].name
    automation.failing[broken] = failure("error: LimitExceeded: no more interfaces\nerror: update failed")
    assert infra("deploy", "--stack", "all", "--yes") == 3
    out = capsys.readouterr().out
    assert "failed: LimitExceeded: no more interfaces" in out
    assert f"Not: {broken}." in out
    automation.failing.clear()
    assert infra("deploy", "--stack", "all", "--yes", "--json") == 0
    stacks = {stack["stack"]: stack for stack in json.loads(capsys.readouterr().out)["stacks"]}
    assert (stacks[broken]["created"], stacks[broken]["unchanged"]) == (2, 1)
    assert all(stack["created"] == 0 for name, stack in stacks.items() if name != broken)


def test_where_the_central_stack_fails_no_worker_is_touched(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    automation.failing["central"] = failure("error: AccessDenied")
    assert infra("deploy", "--stack", "all", "--yes", "--json") == 1
    assert automation.opened == ["central"]
    stacks = json.loads(capsys.readouterr().out)["stacks"]
    assert [stack["outcome"] for stack in stacks] == ["failed", *["not started"] * 6]


def test_an_account_that_lets_nobody_in_fails_alone_and_before_pulumi(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra("deploy", "--stack", "worker", "--yes", sts=FakeSts(refused=("111111111111",))) == 3
    assert not [name for name in automation.opened if "111111111111" in name]
    assert len(automation.updated) == 4
    assert "cannot assume arn:aws:iam::111111111111:role/deployer: AccessDenied" in capsys.readouterr().out


def test_a_role_that_leads_into_another_account_is_refused(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra("deploy", "--stack", "central", "--yes", sts=FakeSts(led_into="999999999999")) == 1
    assert automation.opened == []
    assert "led into account 999999999999" in capsys.readouterr().out


def test_each_provider_is_held_to_its_account_and_no_credential_is_handed_to_pulumi(
    infra: Callable[..., int], automation: FakeAutomation
) -> None:
    assert infra("deploy", "--stack", "all", "--yes") == 0
    assert automation.configuration["worker-012345678901-eu-west-1"] == {
        "aws:region": "eu-west-1",
        "aws:allowedAccountIds[0]": "012345678901",
        "aws:assumeRoles[0].roleArn": "arn:aws:iam::012345678901:role/deployer",
        "aws:assumeRoles[0].sessionName": "db-admin-report-deploy",
        "aws:assumeRoles[0].externalId": "deploy-ext",
    }
    for stack in STACKS:
        options = automation.options[stack.name]
        assert options.env_vars == {
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_BACKEND_URL": "s3://state?region=us-east-1",
        }
        assert options.secrets_provider == "awskms://alias/state"


def test_accounts_and_regions_choose_the_worker_stacks(infra: Callable[..., int], automation: FakeAutomation) -> None:
    assert infra("deploy", "--stack", "worker", "--accounts", "012345678901,222222222222", "--regions", "eu-west-1",
                 "--yes") == 0  # fmt: skip
    assert sorted(automation.state) == ["worker-012345678901-eu-west-1", "worker-222222222222-eu-west-1"]


@pytest.mark.parametrize(("option", "value"), [("--accounts", "333333333333"), ("--regions", "us-east-1,mars-1")])
def test_a_name_that_selects_nothing_is_wrong_usage(
    infra: Callable[..., int], automation: FakeAutomation, option: str, value: str
) -> None:
    assert infra("deploy", "--stack", "all", option, value, "--yes") == 2
    assert automation.opened == []


@pytest.mark.parametrize("line", ["", "deploy", "deploy --stack some", "deploy --stack all --parallel 0"])
def test_wrong_usage_exits_with_2(infra: Callable[..., int], line: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        infra(*line.split())
    assert stopped.value.code == 2


def test_a_preview_does_not_say_that_stacks_are_as_they_should_be(
    infra: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra("deploy", "--stack", "central", "--preview") == 0
    assert "preview: 1 of 1 stacks were previewed, nothing was changed" in capsys.readouterr().out


def test_a_preview_asks_nothing_and_changes_nothing(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra("deploy", "--stack", "all", "--preview", "--json") == 0
    assert automation.state == {}
    document = json.loads(capsys.readouterr().out)
    assert document["operation"] == "preview"
    assert {stack["created"] for stack in document["stacks"]} == {3}


@pytest.mark.parametrize("answer", [(), ("y",), ("no",)])
def test_without_a_clear_yes_nothing_is_deployed(
    infra: Callable[..., int], automation: FakeAutomation, typed: Callable[..., None], answer: tuple[str, ...]
) -> None:
    typed(*answer)
    assert infra("deploy", "--stack", "all") == 2
    assert automation.opened == []


def test_a_typed_yes_deploys(infra: Callable[..., int], automation: FakeAutomation, typed: Callable[..., None]) -> None:
    typed("yes")
    assert infra("deploy", "--stack", "central") == 0
    assert automation.updated == ["central"]


def test_a_stack_that_somebody_else_deploys_says_so(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    automation.failing["central"] = failure("error: the stack is currently locked by 1 lock(s)")
    assert infra("deploy", "--stack", "central", "--yes") == 1
    assert "another deployment holds this stack" in capsys.readouterr().out


def test_what_pulumi_says_cannot_move_the_cursor(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    automation.failing["central"] = failure("error: bad\x1b[2J\u202ename [red]x[/red]")
    assert infra("deploy", "--stack", "central", "--yes", "--verbose") == 1
    out = capsys.readouterr()
    for text in (out.out, out.err):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "bad\\u001b[2J\\u202ename [red]x[/red]" in out.out


def test_an_interrupt_starts_no_other_stack(automation: FakeAutomation) -> None:
    def stop(request: Any, on_line: Any) -> Changes:
        raise KeyboardInterrupt

    told: list[str] = []
    watcher = deploy.display.watcher(verbose=False)
    run = Run(stop, lambda stack: told.append(stack.name), watcher, 1)
    requests = [deploy.Request(stack, lambda: None, {}) for stack in WORKERS]
    results = run.all(requests)
    assert run.interrupted
    assert [result.outcome for result in results] == [Outcome.FAILED, *[Outcome.NOT_STARTED] * 5]
    assert told == [WORKERS[0].name]


# --- the binary -----------------------------------------------------------------------------------


def test_a_missing_pulumi_binary_is_one_message_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    plan = Plan(STACKS, lambda _: lambda: None, DeploymentRole("r", None), None, None)
    assert deploy.main(["deploy", "--stack", "all", "--yes"], plan=lambda _: plan, sts=FakeSts) == 2
    error = capsys.readouterr().err
    assert "the pulumi binary is not on the PATH" in error
    assert "hint: install the Pulumi CLI, version 3" in error
    assert "Traceback" not in error


def test_a_pulumi_binary_of_another_major_version_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary = tmp_path / "pulumi"
    binary.write_text("#!/bin/sh\necho v2.21.0\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    plan = Plan(STACKS, lambda _: lambda: None, DeploymentRole("r", None), None, None)
    assert deploy.main(["outputs", "--stack", "central"], plan=lambda _: plan) == 2
    assert "Minimum version requirement failed" in capsys.readouterr().err


# --- destroy --------------------------------------------------------------------------------------


def test_destroying_a_stack_needs_its_name_and_leaves_evidence(
    infra: Callable[..., int], automation: FakeAutomation, typed: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert infra("deploy", "--stack", "all", "--yes") == 0
    typed("central")
    assert infra("destroy", "--stack", "central") == 0
    assert [name for _, name, _ in automation.state["central"]] == ["evidence", "signing"]
    told = capsys.readouterr().err
    assert "central: 1 resources would be deleted, 2 stay:" in told
    assert "aws:s3/bucket:Bucket  evidence" in told


@pytest.mark.parametrize("answer", ["", "yes", "worker-012345678901-us-east-1"])
def test_any_other_answer_destroys_nothing(
    infra: Callable[..., int], automation: FakeAutomation, typed: Callable[..., None], answer: str
) -> None:
    assert infra("deploy", "--stack", "all", "--yes") == 0
    before = dict(automation.state)
    typed(answer)
    assert infra("destroy", "--stack", "central") == 2
    assert automation.state == before


@pytest.mark.parametrize(
    "kind",
    [
        "aws:s3/bucket:Bucket",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "aws:kms/key:Key",
        "aws:cloudwatch/logGroup:LogGroup",
    ],
)
def test_evidence_without_protection_stops_the_whole_destruction(
    infra: Callable[..., int], automation: FakeAutomation, typed: Callable[..., None],
    capsys: pytest.CaptureFixture[str], kind: str,
) -> None:  # fmt: skip
    automation.state["central"] = [BUCKET, (kind, "bare", False), ROLE]
    before = list(automation.state["central"])
    typed("central")
    assert infra("destroy", "--stack", "central") == 1
    assert automation.state["central"] == before
    assert "bare. Deploy the stack first" in capsys.readouterr().err


def test_all_stacks_are_agreed_to_before_the_first_is_destroyed_and_the_central_one_goes_last(
    infra: Callable[..., int], automation: FakeAutomation, typed: Callable[..., None]
) -> None:
    assert infra("deploy", "--stack", "all", "--yes") == 0
    before = dict(automation.state)
    names = [stack.name for stack in reversed(STACKS)]
    typed(*names[:-1], "not central")
    assert infra("destroy", "--stack", "all") == 2
    assert automation.state == before
    typed(*names)
    assert names[-1] == "central"
    assert infra("destroy", "--stack", "all") == 0
    assert all(item[2] for items in automation.state.values() for item in items)


def test_a_preview_of_a_destruction_lists_and_does_nothing(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    automation.state["central"] = [BUCKET, FUNCTION]
    assert infra("destroy", "--stack", "central", "--preview") == 0
    assert automation.state["central"] == [BUCKET, FUNCTION]
    assert "1 resources would be deleted, 1 stay" in capsys.readouterr().err


def test_destroy_knows_no_yes(infra: Callable[..., int]) -> None:
    with pytest.raises(SystemExit):
        infra("destroy", "--stack", "central", "--yes")


# --- outputs, and the small parts -----------------------------------------------------------------


def test_outputs_are_told_and_secrets_are_not(
    infra: Callable[..., int], automation: FakeAutomation, capsys: pytest.CaptureFixture[str]
) -> None:
    automation.state = {stack.name: [] for stack in STACKS if stack != WORKERS[0]}
    assert infra("outputs", "--stack", "all", "--json") == 3
    assert WORKERS[0].name not in automation.opened
    out = capsys.readouterr()
    told = json.loads(out.out)
    assert told["central"] == {"function_arn": "arn:central", "password": None}
    assert WORKERS[0].name not in told
    assert f"{WORKERS[0].name}: no stack named" in out.err
    assert infra("outputs", "--stack", "central") == 0
    assert "hunter2" not in capsys.readouterr().out


def test_a_replacement_counts_once() -> None:
    counts = {"create-replacement": 2, "replace": 2, "delete-replaced": 2, "same": 5, "import": 1}
    assert Changes.of(counts) == Changes(created=1, replaced=2, unchanged=5)


def test_the_cause_is_found_in_what_pulumi_prints() -> None:
    text = (
        "Diagnostics:\n  aws:iam:Role (r):\n    error:   creating\n error: creating\n error: update failed\nResources:"
    )
    assert first_cause(text) == "creating"
    assert first_cause("\n\n boom \n") == "boom"


def test_the_deployment_section_is_checked_and_the_rest_handed_on(tmp_path: Path) -> None:
    file = tmp_path / "infrastructure.yaml"
    file.write_text("organization_id: o-abc\ndeployment:\n  role_name: deployer\n  backend: s3://state\n")
    settings, values = read_settings(file)
    assert (settings.role_name, settings.external_id, settings.backend) == ("deployer", None, "s3://state")
    assert values == {"organization_id": "o-abc"}
    file.write_text("deployment: {role: deployer, backend: state, external_id: 7}\n")
    with pytest.raises(deploy.DeploymentError) as refused:
        read_settings(file)
    for problem in ("deployment.role: is not known", "deployment.backend", "deployment.external_id: is 7"):
        assert problem in str(refused.value)


def test_a_missing_configuration_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(deploy.DeploymentError, match="No such file") as refused:
        read_settings(tmp_path / "none.yaml")
    assert "infrastructure.yaml" in str(refused.value.hint)
