"""Something that behaves like `pulumi.automation`: stacks in memory, the library's own types and errors.

It stands where PulumiEngine takes the module. There is no Pulumi engine where this is built: these tests hold what
is asked of it, not what it does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation._cmd import CommandResult

BUCKET = ("aws:s3/bucket:Bucket", "evidence", True)
KEY = ("aws:kms/key:Key", "signing", True)
LOGS = ("aws:cloudwatch/logGroup:LogGroup", "worker-logs", True)
ROLE = ("aws:iam/role:Role", "role", False)
FUNCTION = ("aws:lambda/function:Function", "worker", False)
WANTED = {"central": [BUCKET, KEY, ROLE], "worker": [FUNCTION, LOGS, ROLE]}


def failure(stderr: str) -> Exception:
    """What the library raises when the binary fails so."""
    error: Exception = automation.errors.create_command_error(CommandResult(stdout="", stderr=stderr, code=255))
    return error


class FakeAutomation:
    """The module. `state` outlives a command, as Pulumi's does: (type, name, protected) by stack."""

    CommandError = automation.CommandError
    ConcurrentUpdateError = automation.ConcurrentUpdateError
    InvalidVersionError = automation.InvalidVersionError
    ConfigValue = automation.ConfigValue
    LocalWorkspaceOptions = automation.LocalWorkspaceOptions

    def __init__(self) -> None:
        self.state: dict[str, list[tuple[str, str, bool]]] = {}
        self.failing: dict[str, Exception] = {}
        self.opened: list[str] = []
        self.updated: list[str] = []
        self.configuration: dict[str, dict[str, str]] = {}
        self.options: dict[str, Any] = {}
        self.declared: list[str] = []
        self.during_update: Callable[[str], None] = lambda name: None
        self.lock = threading.Lock()

    def PulumiCommand(self) -> object:
        return object()

    def create_or_select_stack(self, *, stack_name: str, project_name: str, program: Any, opts: Any) -> FakeStack:
        assert project_name == "db-admin-report"
        with self.lock:
            self.opened.append(stack_name)
            self.options[stack_name] = opts
            assert Path(opts.work_dir).is_dir()
        return FakeStack(self, stack_name, program)

    def select_stack(self, *, stack_name: str, project_name: str, program: Any, opts: Any) -> FakeStack:
        if stack_name not in self.state:
            raise failure(f"error: no stack named '{stack_name}' found")
        return self.create_or_select_stack(stack_name=stack_name, project_name=project_name, program=program, opts=opts)


class FakeStack:
    """One stack of the fake."""

    def __init__(self, automation: FakeAutomation, name: str, program: Callable[[], None]) -> None:
        self.auto, self.name, self.program = automation, name, program
        self.wanted = WANTED[name.partition("-")[0]]

    def set_all_config(self, config: dict[str, automation.ConfigValue], *, path: bool) -> None:
        assert path
        assert not any(value.secret for value in config.values())
        self.auto.configuration[self.name] = {key: value.value for key, value in config.items()}

    def preview(self, *, on_output: Callable[[str], None], color: str) -> automation.PreviewResult:
        assert color == "never"
        self.program()
        on_output("previewing")
        return automation.PreviewResult("", "", self._counts())

    def up(self, *, on_output: Callable[[str], None], color: str) -> automation.UpResult:
        assert color == "never"
        self.program()
        on_output("updating")
        self.auto.during_update(self.name)
        counts = self._counts()
        with self.auto.lock:
            self.auto.updated.append(self.name)
            error = self.auto.failing.get(self.name)
            self.auto.state[self.name] = self.wanted[:1] if error else list(self.wanted)
        if error:
            raise error
        return automation.UpResult("", "", _summary(counts), {})

    def destroy(self, *, on_output: Callable[[str], None], color: str, exclude_protected: bool) -> Any:
        assert exclude_protected
        before = self.auto.state.get(self.name, [])
        self.auto.state[self.name] = [item for item in before if item[2]]
        deleted = len(before) - len(self.auto.state[self.name])
        return automation.DestroyResult("", "", _summary({automation.OpType.DELETE: deleted}))

    def outputs(self) -> dict[str, automation.OutputValue]:
        return {
            "function_arn": automation.OutputValue(f"arn:{self.name}", False),
            "password": automation.OutputValue("hunter2", True),
        }

    def export_stack(self) -> automation.Deployment:
        listed: list[dict[str, Any]] = [{"urn": "urn:pulumi::stack", "type": "pulumi:pulumi:Stack", "custom": False}]
        listed.append({"urn": "urn:pulumi::aws", "type": "pulumi:providers:aws", "custom": True})
        for kind, name, protected in self.auto.state.get(self.name, []):
            listed.append({"urn": f"urn:pulumi:{kind}::{name}", "type": kind, "custom": True, "protect": protected})
        return automation.Deployment(3, {"resources": listed})

    def _counts(self) -> dict[Any, int]:
        have = self.auto.state.get(self.name, [])
        same = len([item for item in self.wanted if item in have])
        counts = {automation.OpType.SAME: same, automation.OpType.CREATE: len(self.wanted) - same}
        return {operation: count for operation, count in counts.items() if count}


def _summary(counts: dict[Any, int]) -> automation.UpdateSummary:
    return automation.UpdateSummary("update", datetime.now(UTC), "", {}, {}, "succeeded", resource_changes=counts)
