"""Dagster's roles on ECS: services that start runs, code location with its sensors, execution, restart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi

from infra import policies
from infra.components.base import Component
from infra.components.role import Role, RoleArgs
from infra.policies import Estate, Policy
from infra.policies import dagster as dagster_policies
from infra.policies.dagster import DagsterNames


@dataclass(frozen=True, slots=True)
class DagsterRolesArgs:
    """The roles.

    Attributes:
        image: in ECR; execution may pull from that repository only.
        secret_arn, key_arn: the database's password and its key.
        bucket_key_arn: the inventory in the bucket is encrypted with it.
        topic_arn: where alerts go; encrypted with key_arn.
    """

    estate: Estate
    names: DagsterNames
    image: str
    secret_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    bucket_key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]


def repository_arn(image: str, partition: str) -> str:
    """ARN of the ECR repository of an image `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@DIGEST` (or `:TAG`)."""
    registry, _, rest = image.partition("/")
    account_id, _, _, region, *_ = registry.split(".")
    repository = rest.partition("@")[0].partition(":")[0]
    return f"arn:{partition}:ecr:{region}:{account_id}:repository/{repository}"


class DagsterRoles(Component):
    """The four roles. The run's own role is the orchestrator."""

    def __init__(self, name: str, args: DagsterRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._names = name, args.names
        tasks = policies.service_trust(args.names.account_id, "ecs-tasks.amazonaws.com")
        repository = repository_arn(args.image, args.names.partition)
        self.services = self._role(
            "services",
            args.names.services_role,
            tasks,
            dagster_policies.services_identity(args.estate, args.names),
            "Dagster's webserver and daemon: starts runs, and nothing else",
        )
        self.code = self._role(
            "code",
            args.names.code_role,
            tasks,
            pulumi.Output.all(
                bucket_key_arn=args.bucket_key_arn, topic_arn=args.topic_arn, topic_key_arn=args.key_arn
            ).apply(lambda arns: dagster_policies.code_location_identity(replace(args.estate, **arns))),
            "Dagster's code location: reads the inventory, publishes alerts",
        )
        self.execution = self._role(
            "execution",
            args.names.execution_role,
            tasks,
            pulumi.Output.all(args.secret_arn, args.key_arn).apply(
                lambda arns: dagster_policies.execution_identity(
                    args.names, repository_arn=repository, secret_arn=arns[0], key_arn=arns[1]
                )
            ),
            "ECS: pulls Dagster's image, reads its database password, writes its logs",
        )
        self.restart = self._role(
            "restart",
            f"{args.names.services_role}-restart",
            policies.service_trust(args.names.account_id, "scheduler.amazonaws.com"),
            dagster_policies.restart_identity(args.names),
            "Starts Dagster's services anew after its database password was rotated",
        )
        self.register_outputs({})

    def _role(self, what: str, role: str, trust: Policy, identity: pulumi.Input[Policy], description: str) -> Role:
        return Role(
            f"{self._name}-{what}",
            RoleArgs(
                name=role,
                account_id=self._names.account_id,
                trust=trust,
                identity=identity,
                description=description,
                partition=self._names.partition,
            ),
            self.child(),
        )
