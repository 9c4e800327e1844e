"""The worker Lambda itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.log_group import LogGroup
from infra.components.role import Role

ALIAS = "live"


@dataclass(frozen=True, slots=True)
class WorkerFunctionArgs:
    """The function.

    Attributes:
        package: the zip that `make lambda` builds for this architecture.
        timeout_seconds: the inventory's, which the pipeline waits by, too.
        provisioned_concurrency: instances that are kept warm behind the alias `live`; 0 for none and no alias.
        security_group_ids, subnet_ids: empty outside a VPC.
    """

    function_name: str
    package: Path
    architecture: str
    memory_mb: int
    timeout_seconds: int
    reserved_concurrency: int
    provisioned_concurrency: int
    role: Role
    log_group: LogGroup
    subnet_ids: Sequence[str]
    security_group_ids: Sequence[pulumi.Input[str]]
    environment: Mapping[str, pulumi.Input[str]]


class WorkerFunction(Component):
    """The function, in the VPC of its databases. A failed invocation is never repeated by AWS: retries are ours."""

    def __init__(self, name: str, args: WorkerFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        vpc = aws.lambda_.FunctionVpcConfigArgs(
            subnet_ids=list(args.subnet_ids), security_group_ids=list(args.security_group_ids)
        )
        function = aws.lambda_.Function(
            name,
            name=args.function_name,
            description="Reads who has administrator access to the databases of this account and region",
            role=args.role.arn,
            runtime="python3.12",
            architectures=[args.architecture],
            handler="worker_lambda.handler.handler",
            code=pulumi.FileArchive(str(args.package)),
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            reserved_concurrent_executions=args.reserved_concurrency,
            publish=args.provisioned_concurrency > 0,
            vpc_config=vpc if args.subnet_ids else None,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=args.environment) if args.environment else None,
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(log_format="JSON", log_group=args.log_group.name),
            # The role may attach network interfaces only once its policies are there.
            opts=self.child(depends_on=args.role.policies),
        )
        self.name: pulumi.Output[str] = function.name
        self.arn: pulumi.Output[str] = function.arn
        aws.lambda_.FunctionEventInvokeConfig(
            f"{name}-no-repeats",
            function_name=function.name,
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=60,
            opts=self.child(),
        )
        if args.provisioned_concurrency:
            alias = aws.lambda_.Alias(
                f"{name}-{ALIAS}",
                name=ALIAS,
                function_name=function.name,
                function_version=function.version,
                opts=self.child(),
            )
            aws.lambda_.ProvisionedConcurrencyConfig(
                f"{name}-warm",
                function_name=function.name,
                qualifier=alias.name,
                provisioned_concurrent_executions=args.provisioned_concurrency,
                opts=self.child(),
            )
        self.register_outputs({"arn": self.arn})
