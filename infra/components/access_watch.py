"""Rules that send events to the alert topic or, from a worker account, to the central bus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component, as_json
from infra.event_patterns import Pattern


@dataclass(frozen=True, slots=True)
class AccessWatchArgs:
    """What is watched.

    Attributes:
        kind: of the stack; the central account may be a worker's, too, and a rule's name is taken once.
        patterns: by a short name, which becomes part of the rule's name.
        target_arn: topic, or bus of another account.
        role_arn: the role that sends to a bus; a topic needs none, its own policy lets EventBridge publish.
    """

    kind: str
    patterns: Mapping[str, pulumi.Input[Pattern]]
    target_arn: pulumi.Input[str]
    role_arn: pulumi.Input[str] | None = None


class AccessWatch(Component):
    """One rule and one target per pattern."""

    def __init__(self, name: str, args: AccessWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        for what, pattern in args.patterns.items():
            rule = aws.cloudwatch.EventRule(
                f"{name}-{what}",
                name=f"db-admin-report-{args.kind}-{what}",
                description=f"db-admin-report: {what.replace('-', ' ')}",
                event_pattern=pulumi.Output.from_input(pattern).apply(as_json),
                opts=self.child(),
            )
            aws.cloudwatch.EventTarget(
                f"{name}-{what}-target",
                rule=rule.name,
                arn=args.target_arn,
                role_arn=args.role_arn,
                opts=self.child(),
            )
        self.register_outputs({})
