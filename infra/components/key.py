"""A KMS key with its alias: symmetric ones are rotated every year, the signing key's public half stays what it is."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component, as_json, kept
from infra.policies import Policy

_ROTATION_DAYS = 365
_DELETION_WINDOW_DAYS = 30  # the longest: a key that goes takes what it encrypted with it


@dataclass(frozen=True, slots=True)
class KeyArgs:
    """A key.

    Attributes:
        alias: with `alias/`.
        signing: ECC_NIST_P256 for SIGN_VERIFY, as the pipeline wants it. KMS rotates no asymmetric key.
    """

    alias: str
    description: str
    policy: pulumi.Input[Policy]
    signing: bool = False


class Key(Component):
    """The key, protected: whatever it encrypted or signed outlives the stack."""

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        key = aws.kms.Key(
            name,
            description=args.description,
            policy=pulumi.Output.from_input(args.policy).apply(as_json),
            key_usage="SIGN_VERIFY" if args.signing else "ENCRYPT_DECRYPT",
            customer_master_key_spec="ECC_NIST_P256" if args.signing else "SYMMETRIC_DEFAULT",
            enable_key_rotation=not args.signing,
            rotation_period_in_days=None if args.signing else _ROTATION_DAYS,
            deletion_window_in_days=_DELETION_WINDOW_DAYS,
            opts=kept(self),
        )
        aws.kms.Alias(f"{name}-alias", name=args.alias, target_key_id=key.key_id, opts=self.child())
        self.arn: pulumi.Output[str] = key.arn
        self.alias = args.alias
        self.register_outputs({"arn": self.arn, "alias": self.alias})
