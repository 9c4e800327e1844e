"""An IAM role of ours: one trust policy, one identity policy, and the denial to delete security logs."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component, as_json
from infra.policies import Policy, log_deletion_deny
from infra.policies.resources import LOG_PATH

_MOST_TRUST_CHARACTERS = 2_048  # IAM's default quota
_MOST_INLINE_CHARACTERS = 10_240  # of all inline policies of a role; cannot be raised


@dataclass(frozen=True, slots=True)
class RoleArgs:
    """A role.

    Attributes:
        identity: None where `grant` follows.
        session_seconds: the longest session.
    """

    name: str
    account_id: str
    trust: Policy
    identity: pulumi.Input[Policy] | None
    description: str
    session_seconds: int = 3600
    partition: str = "aws"


class Role(Component):
    """The role with its two inline policies.

    Attributes:
        arn: known only once the role is there: who uses it waits for it.
        policies: the attached policies; what uses the role at once must wait for them.

    Raises:
        ValueError: a document is larger than IAM takes.
    """

    def __init__(self, name: str, args: RoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.policies: list[pulumi.Resource] = []
        trust = as_json(args.trust)
        if len(trust) > _MOST_TRUST_CHARACTERS:
            raise ValueError(f"the trust policy of {args.name} has {len(trust)} characters, IAM takes 2,048")
        role = aws.iam.Role(
            name,
            name=args.name,
            description=args.description,
            assume_role_policy=trust,
            max_session_duration=args.session_seconds,
            opts=self.child(),
        )
        groups = f"arn:{args.partition}:logs:*:{args.account_id}:log-group:{LOG_PATH}/*"
        self._name, self._args, self._role = name, args, role
        self._denial = as_json(log_deletion_deny((groups,)))
        self._attach("keep-security-logs", self._denial)
        self.arn: pulumi.Output[str] = role.arn
        self.name: pulumi.Output[str] = role.name
        if args.identity is not None:
            self.grant(args.identity)
        self.register_outputs({"arn": self.arn})

    def grant(self, identity: pulumi.Input[Policy]) -> None:
        """Attach the one identity policy: apart from __init__ where it names what needs this role to be there."""
        rest = len(self._denial)
        document = pulumi.Output.from_input(identity).apply(lambda policy: _inline(self._args.name, policy, rest))
        self._attach("least-privilege", document)

    def _attach(self, policy_name: str, document: pulumi.Input[str]) -> None:
        attached = aws.iam.RolePolicy(
            f"{self._name}-{policy_name}",
            name=policy_name,
            role=self._role.name,
            policy=document,
            opts=self.child(),
        )
        self.policies.append(attached)


def _inline(role: str, identity: Policy, others: int) -> str:
    document = as_json(identity)
    if len(document) + others > _MOST_INLINE_CHARACTERS:
        raise ValueError(f"the policies of {role} have {len(document) + others} characters, IAM takes 10,240")
    return document
