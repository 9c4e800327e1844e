"""A worker's roles: what it runs as, who may invoke it, and what forwards its account's alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from dbadmin_assets.inventory import Target
from infra import policies
from infra.components.base import Component
from infra.components.role import Role, RoleArgs
from infra.configuration import Configuration
from infra.policies.resources import ALARM_ROLE, alarm_forwarding_identity


@dataclass(frozen=True, slots=True)
class WorkerRolesArgs:
    """The roles of one account and region.

    Attributes:
        log_group_arns: what the worker writes.
    """

    configuration: Configuration
    target: Target
    log_group_arns: Sequence[str]


class WorkerRoles(Component):
    """Worker and alarm roles are named by region. The invoker serves the whole account: its first region makes it.

    Attributes:
        invoker: None in the other regions.
    """

    def __init__(self, name: str, args: WorkerRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._target = name, args.target
        configuration, target = args.configuration, args.target
        estate = configuration.estate_of(target)
        self._partition = estate.partition
        self.worker = self._role(
            "worker",
            estate.worker_role,
            policies.worker_trust(),
            _worker_identity(args, estate),
            f"Reads the databases of {target.account_id} in {target.region}",
        )
        self.alarms = self._role(
            "alarms",
            ALARM_ROLE.format(region=target.region),
            policies.service_trust(target.account_id, "events.amazonaws.com"),
            alarm_forwarding_identity(configuration.bus_arn),
            "Forwards alarms to the central account",
        )
        siblings = configuration.siblings(target)
        self.invoker: Role | None = None
        if siblings[0].region == target.region:
            functions = tuple(sorted({t.worker.function_name for t in siblings}))
            self.invoker = self._role(
                "invoker",
                estate.invoker_role,
                policies.invoker_trust(estate),
                policies.invoker_identity(estate, target.account_id, functions),
                "Invokes the workers of this account, for the central orchestrator",
            )
        self.register_outputs({"worker": self.worker.arn})

    def _role(self, what: str, role: str, trust: policies.Policy, identity: policies.Policy, description: str) -> Role:
        args = RoleArgs(
            name=role,
            account_id=self._target.account_id,
            trust=trust,
            identity=identity,
            description=description,
            partition=self._partition,
        )
        return Role(f"{self._name}-{what}", args, self.child())


def _worker_identity(args: WorkerRolesArgs, estate: policies.Estate) -> policies.Policy:
    target, values = args.target, args.configuration.values
    place = f":kms:{target.region}:{target.account_id}:"
    users = {d.username for d in target.databases if d.auth == "iam" and d.username}
    return policies.worker_identity(
        estate,
        target.account_id,
        region=target.region,
        log_group_arns=tuple(args.log_group_arns),
        secrets=secrets_elsewhere(target),
        secret_key_arns=tuple(arn for arn in values.secret_key_arns if place in arn),
        iam_database_users=tuple(sorted(users)),
        in_vpc=target.network is not None,
        discovery=target.worker.discover,
    )


def secrets_elsewhere(target: Target) -> tuple[str, ...]:
    """The secrets that the inventory declares outside the common path, by name or ARN."""
    declared = {d.secret for d in target.databases if d.secret}
    prefix = f":secret:{policies.SECRET_PATH}"
    own = f":{target.region}:{target.account_id}{prefix}"
    return tuple(sorted(s for s in declared if not s.startswith(policies.SECRET_PATH) and own not in s))
