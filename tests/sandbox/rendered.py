"""A sandbox in which everything of ours is what the Pulumi program renders from the sandbox's own inventory."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import yaml

from infra import program
from infra.configuration import Configuration, load_configuration, stack_names, target_of
from sandbox.aws import ORGANIZATION_ID, LocalAws
from sandbox.lambda_function import Function
from sandbox.organization import ANOTHER_EXTERNAL_ID, BUCKET, EXTERNAL_ID, NAMES, OPERATOR_ROLE, Organization
from sandbox.plan import CENTRAL_ACCOUNT, Plan
from tests.infra import demo
from tests.infra.local_provider import LocalProvider
from tests.infra.recording import Stack, render

NETWORK = {
    region: {"vpc_id": f"vpc-0{n}", "subnet_ids": [f"subnet-0{n}a", f"subnet-0{n}b"]}
    for n, region in enumerate(("us-east-1", "eu-west-1"))
}


@dataclass
class RenderedDeployment:
    """`Sandbox(plan, deploy=RenderedDeployment())`: renders every stack into the local AWS.

    Attributes:
        stacks: what was rendered, the central stack first.
    """

    stacks: list[Stack] = field(default_factory=list)

    def __call__(self, aws: LocalAws, plan: Plan, inventory: str) -> Organization:
        configuration = _configuration(f"{inventory}{yaml.safe_dump({'network': NETWORK})}")
        # An account that cannot be entered was deployed with another ExternalId than the inventory has now.
        earlier = _configuration(configuration.inventory_text.decode().replace(EXTERNAL_ID, ANOTHER_EXTERNAL_ID))
        for name in stack_names(configuration):
            target = target_of(name)
            place = target or (CENTRAL_ACCOUNT, configuration.values.central_region)
            chosen = earlier if target and target[0] in plan.unassumable else configuration
            declare = partial(program.worker, chosen, *target) if target else partial(program.central, chosen)
            self.stacks.append(render(name, *place, declare, LocalProvider(aws, *place).make))
        estate = replace(NAMES, signing_key_arn=self.central.outputs["signing_key_arn"])
        functions = tuple(_function(plan, stack) for stack in self.stacks[1:])
        return Organization(aws, estate, functions, self.central.outputs["environment"])

    @property
    def central(self) -> Stack:
        """The central stack."""
        return self.stacks[0]

    def worker(self, account_id: str, region: str) -> Stack:
        """The stack of one target."""
        return next(s for s in self.stacks[1:] if (s.account_id, s.region) == (account_id, region))


def _configuration(inventory: str) -> Configuration:
    operator = NAMES.role_arn(CENTRAL_ACCOUNT, OPERATOR_ROLE)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "inventory.yaml").write_text(inventory, encoding="utf-8")
        values = demo.values(bucket=BUCKET, organization_id=ORGANIZATION_ID, operators=[operator])
        return load_configuration(values, Path(folder))


def _function(plan: Plan, stack: Stack) -> Function:
    inputs = stack.one("lambda/function:Function").inputs
    return Function(
        stack.account_id,
        stack.region,
        inputs["name"],
        inputs["role"],
        handler=plan.handlers.get(stack.account_id, inputs["handler"]),
        timeout_seconds=inputs["timeout"],
        memory_mb=int(inputs["memorySize"]),
        concurrency=int(inputs["reservedConcurrentExecutions"]),
        environment=inputs.get("environment", {}).get("variables", {}),
    )
