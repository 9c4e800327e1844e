"""Pulumi behind one seam: everything that is said to its Automation API is said here.

`PulumiEngine(automation=…)` takes the module `pulumi.automation`, or in tests something that behaves like it: where
this is built there is no Pulumi engine, so what is proven is what we ask of it, not what it does.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from infra.deployment.errors import DeploymentError, StackError
from infra.deployment.stacks import Changes, Stack, first_cause

PROJECT = "db-admin-report"
Line = Callable[[str], None]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Request:
    """One stack and what it is made of.

    Attributes:
        program: declares the stack's resources when called.
        configuration: Pulumi configuration by path.
        backend: URL of the state (`s3://…`); None: where the machine is logged in.
        secrets_provider: what encrypts secrets in the state (`awskms://…`); None: the backend's own way.
    """

    stack: Stack
    program: Callable[[], None]
    configuration: Mapping[str, str]
    backend: str | None = None
    secrets_provider: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a stack's state. `kept` where Pulumi itself will not delete it."""

    urn: str
    type: str
    kept: bool

    @property
    def name(self) -> str:
        """Its name in the program."""
        return self.urn.rpartition("::")[2]


class PulumiEngine:
    """The Automation API, as far as this program needs it."""

    def __init__(self, automation: Any = None) -> None:
        if automation is None:
            from pulumi import automation
        self._automation = automation

    def check(self) -> None:
        """Is there a `pulumi` binary that the library can talk to?

        Raises:
            DeploymentError: no, with what to do.
        """
        try:
            self._automation.PulumiCommand()
        except FileNotFoundError as error:
            raise DeploymentError(
                "the pulumi binary is not on the PATH",
                hint="install the Pulumi CLI, version 3, as its documentation says; the Python package is not enough",
            ) from error
        except subprocess.CalledProcessError as error:
            raise DeploymentError("`pulumi version` fails", hint="install the Pulumi CLI anew") from error
        except self._automation.InvalidVersionError as error:
            raise DeploymentError(str(error), hint="the CLI's major version must be that of the library: 3") from error

    def preview(self, request: Request, on_line: Line) -> Changes:
        """What an update would change; changes nothing but the list of stacks."""
        return self._ask(
            request, lambda stack: Changes.of(stack.preview(on_output=on_line, color="never").change_summary)
        )

    def update(self, request: Request, on_line: Line) -> Changes:
        """Make the stack what its program says. What is as it should be is left alone."""
        return self._ask(
            request,
            lambda stack: Changes.of(stack.up(on_output=on_line, color="never").summary.resource_changes or {}),
        )

    def destroy(self, request: Request, on_line: Line) -> Changes:
        """Delete what is not protected.

        Raises:
            StackError: also where there is no such stack.
        """

        def act(stack: Any) -> Changes:
            done = stack.destroy(on_output=on_line, color="never", exclude_protected=True)
            return Changes.of(done.summary.resource_changes or {})

        return self._ask(request, act, create=False)

    def outputs(self, request: Request) -> dict[str, Any]:
        """The stack's outputs; a secret one is None."""
        return self._ask(
            request,
            lambda stack: {k: None if v.secret else v.value for k, v in sorted(stack.outputs().items())},
            create=False,
        )

    def resources(self, request: Request) -> list[Resource]:
        """What the state says there is, without providers and the stack itself."""

        def act(stack: Any) -> list[Resource]:
            listed = (stack.export_stack().deployment or {}).get("resources") or []
            return [
                Resource(item["urn"], item["type"], bool(item.get("protect") or item.get("retainOnDelete")))
                for item in listed
                if item.get("custom") and not item["type"].startswith("pulumi:")
            ]

        return self._ask(request, act, create=False)

    def _ask(self, request: Request, act: Callable[[Any], _T], *, create: bool = True) -> _T:
        auto = self._automation
        with tempfile.TemporaryDirectory(prefix="db-admin-report-pulumi-") as directory:
            try:
                return act(self._open(request, directory, create=create))
            except auto.ConcurrentUpdateError as error:
                held = "another deployment holds this stack, or died with it: wait, or `pulumi cancel`"
                raise StackError(f"{held} ({first_cause(str(error))})") from error
            except auto.CommandError as error:
                raise StackError(first_cause(str(error))) from error

    def _open(self, request: Request, directory: str, *, create: bool) -> Any:
        auto = self._automation
        environment = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
        if request.backend:
            environment["PULUMI_BACKEND_URL"] = request.backend
        options = auto.LocalWorkspaceOptions(
            work_dir=directory, env_vars=environment, secrets_provider=request.secrets_provider
        )
        find = auto.create_or_select_stack if create else auto.select_stack
        stack = find(stack_name=request.stack.name, project_name=PROJECT, program=request.program, opts=options)
        values = {key: auto.ConfigValue(value) for key, value in request.configuration.items()}
        stack.set_all_config(values, path=True)
        return stack
