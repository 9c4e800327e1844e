"""A log group named, kept and encrypted as requirement I1 says."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.policies.resources import LOG_PATH

AUDIT_DAYS = 90
OPERATIONAL_DAYS = 7
SERVICE = "db-admin-report"


@dataclass(frozen=True, slots=True)
class LogGroupArgs:
    """A log group.

    Attributes:
        component: the last part of its name, such as `worker`.
        audit: whether it tells who did what (90 days), or only how a program fares (7 days).
    """

    account_id: str
    region: str
    component: str
    key_arn: pulumi.Input[str]
    audit: bool = True
    partition: str = "aws"

    @property
    def name(self) -> str:
        """`/aws/security-ops/{account}/{region}/{service}/{component}`."""
        return f"{LOG_PATH}/{self.account_id}/{self.region}/{SERVICE}/{self.component}"

    @property
    def arn(self) -> str:
        """Its ARN, without the `:*` that the console shows."""
        return f"arn:{self.partition}:logs:{self.region}:{self.account_id}:log-group:{self.name}"


class LogGroup(Component):
    """The group. It stays when the stack is destroyed; its retention ends what is in it."""

    def __init__(self, name: str, args: LogGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        group = aws.cloudwatch.LogGroup(
            name,
            name=args.name,
            retention_in_days=AUDIT_DAYS if args.audit else OPERATIONAL_DAYS,
            kms_key_id=args.key_arn,
            opts=self.child(retain_on_delete=True),
        )
        self.name: pulumi.Output[str] = group.name
        self.arn = args.arn
        self.register_outputs({"name": self.name})
