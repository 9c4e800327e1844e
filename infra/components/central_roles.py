"""The central account's roles: the orchestrator, and one evidence writer per worker account."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi

from infra import policies
from infra.components.base import Component
from infra.components.role import Role, RoleArgs
from infra.configuration import Configuration


@dataclass(frozen=True, slots=True)
class OrchestratorRoleArgs:
    """The orchestrator. What it may do follows with `grant`, once the signing key is there."""

    configuration: Configuration


class OrchestratorRole(Component):
    """What a run is: it assumes invokers, reads the inventory, writes reports, signs. ECS and operators become it.

    The signing key's policy names this role, and this role's policy the key: so the role comes first, without rights.
    """

    def __init__(self, name: str, args: OrchestratorRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._configuration = args.configuration
        estate = args.configuration.estate()
        operators = tuple(args.configuration.values.operators)
        services = () if args.configuration.values.dagster == "none" else ("ecs-tasks.amazonaws.com",)
        self.role = Role(
            name,
            RoleArgs(
                name=estate.orchestrator_role,
                account_id=estate.central_account_id,
                trust=policies.orchestrator_trust(estate, services=services, operators=operators),
                identity=None,
                description="Makes reports: assumes invokers, writes and signs evidence",
                partition=estate.partition,
            ),
            self.child(),
        )
        self.arn = self.role.arn
        self.register_outputs({"arn": self.arn})

    def grant(
        self,
        *,
        bucket_key_arn: pulumi.Input[str],
        signing_key_arn: pulumi.Input[str],
        topic_arn: pulumi.Input[str],
        topic_key_arn: pulumi.Input[str],
    ) -> None:
        """Attach its identity policy, which speaks of these."""
        estate = self._configuration.estate()
        invokers = tuple(sorted({t.worker.role_name for t in self._configuration.inventory.targets()}))
        known = pulumi.Output.all(
            bucket_key_arn=bucket_key_arn,
            signing_key_arn=signing_key_arn,
            topic_arn=topic_arn,
            topic_key_arn=topic_key_arn,
        )
        self.role.grant(known.apply(lambda arns: policies.orchestrator_identity(replace(estate, **arns), invokers)))


@dataclass(frozen=True, slots=True)
class WriterRolesArgs:
    """The writers, one per account of the inventory."""

    configuration: Configuration
    bucket_key_arn: pulumi.Input[str]


class WriterRoles(Component):
    """Each writes results of one account, whose id stands literally in its policy, and nothing else.

    Attributes:
        arns: by account id.
    """

    def __init__(self, name: str, args: WriterRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.arns: dict[str, pulumi.Output[str]] = {}
        configuration = args.configuration
        for target in configuration.inventory.targets():
            account_id = target.account_id
            if account_id in self.arns:
                continue
            # Worker roles are named by region: the pattern stands for all of them, within that one account.
            estate = replace(configuration.estate_of(target), worker_role=f"{configuration.estate().worker_role}-*")
            role = Role(
                f"{name}-{account_id}",
                RoleArgs(
                    name=estate.writer_role_for(account_id),
                    account_id=estate.central_account_id,
                    trust=policies.writer_trust(estate, account_id),
                    identity=_writer_identity(estate, account_id, args.bucket_key_arn),
                    description=f"Writes what the workers of {account_id} read, and nothing else",
                    partition=estate.partition,
                ),
                self.child(),
            )
            self.arns[account_id] = role.arn
        self.register_outputs({"count": len(self.arns)})


def _writer_identity(
    estate: policies.Estate, account_id: str, bucket_key_arn: pulumi.Input[str]
) -> pulumi.Output[policies.Policy]:
    return pulumi.Output.from_input(bucket_key_arn).apply(
        lambda arn: policies.writer_identity(replace(estate, bucket_key_arn=arn), account_id)
    )
