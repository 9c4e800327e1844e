"""What every component shares: a type token, and children that belong to it."""

from __future__ import annotations

import json
from typing import Any

import pulumi

from infra.policies import Policy


class Component(pulumi.ComponentResource):
    """A part of a stack. Its type is `db-admin-report:infra:ClassName`.

    Args:
        name: logical name; the names of its children begin with it.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"db-admin-report:infra:{type(self).__name__}", name, None, opts)

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of a resource that belongs to this component."""
        return pulumi.ResourceOptions(parent=self, **options)


def kept(component: Component) -> pulumi.ResourceOptions:
    """Options of what outlives the stack: evidence, and the keys without which it cannot be read or verified.

    Pulumi refuses to delete it, and were the protection lifted would only forget it.
    """
    return component.child(protect=True, retain_on_delete=True)


def as_json(document: Policy) -> str:
    """A policy as AWS takes it, without spaces: IAM counts characters."""
    return json.dumps(document, separators=(",", ":"))
