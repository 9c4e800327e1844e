"""The one place that knows the infrastructure program: its configuration and the two functions that declare stacks.

The program uses Pulumi's default AWS provider; region, account and role of each stack reach it as configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

from infra.deployment.credentials import DeploymentRole
from infra.deployment.errors import DeploymentError
from infra.deployment.settings import DEFAULT_FILE, read_settings
from infra.deployment.stacks import Stack


@dataclass(frozen=True)
class Plan:
    """What there is to deploy.

    Attributes:
        stacks: the central one first, then one per account and region of the inventory.
        program: what declares a stack's resources.
    """

    stacks: tuple[Stack, ...]
    program: Callable[[Stack], Callable[[], None]]
    role: DeploymentRole
    backend: str | None
    secrets_provider: str | None

    def chosen(self, kind: str, accounts: set[str], regions: set[str]) -> list[Stack]:
        """The stacks of a kind (or `all`), of these accounts and regions (of all, where none is named).

        Raises:
            DeploymentError: a name that selects nothing: less than was asked for would be deployed, unseen.
        """
        workers = [stack for stack in self.stacks if stack.kind == "worker"]
        unknown = sorted(accounts - {s.account_id for s in workers}) + sorted(regions - {s.region for s in workers})
        if unknown:
            raise DeploymentError(f"not in the inventory: {', '.join(unknown)}")
        workers = [
            s for s in workers if (not accounts or s.account_id in accounts) and (not regions or s.region in regions)
        ]
        idle = sorted(accounts - {s.account_id for s in workers}) + sorted(regions - {s.region for s in workers})
        if idle:
            raise DeploymentError(f"without a worker in what else was asked for: {', '.join(idle)}")
        central = [stack for stack in self.stacks if stack.kind == "central"]
        return (central if kind != "worker" else []) + (workers if kind != "central" else [])


def load_plan(path: str | None) -> Plan:
    """Read the configuration file and plan its stacks.

    Raises:
        DeploymentError: it is not there or not valid.
    """
    from dbadmin_assets.errors import DbAdminReportError

    # By name: Pulumi and its AWS package take seconds to import, and `--help` needs neither.
    configuration, program = import_module("infra.configuration"), import_module("infra.program")
    file = Path(path or DEFAULT_FILE)
    settings, values = read_settings(file)
    try:
        found = configuration.load_configuration(values, file.resolve().parent)
    except DbAdminReportError as error:
        raise DeploymentError(str(error), hint=error.hint) from error
    central = Stack("central", found.values.central_account_id, found.values.central_region)
    targets = [target for target in found.inventory.targets() if target.databases]
    workers = [Stack("worker", target.account_id, target.region) for target in targets]

    def declare(stack: Stack) -> Callable[[], None]:
        if stack.kind == "central":
            return partial(program.central, found)
        return partial(program.worker, found, stack.account_id, stack.region)

    role = DeploymentRole(settings.role_name, settings.external_id, found.partition)
    return Plan((central, *workers), declare, role, settings.backend, settings.secrets_provider)
