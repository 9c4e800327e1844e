"""The same cost-allocation tags on everything that can carry tags, whoever declares it.

A transformation of the stack sees every resource before it is registered, so none escapes. Whether a resource can
carry tags is read from its own class, as the provider's schema made it: there is no list that rots.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from infra.configuration import PROJECT, Configuration


def stack_tags(configuration: Configuration, stack: str) -> dict[str, str]:
    """The tags of one stack: the inventory's, the configuration's, and ours, which win."""
    own = {"product": PROJECT, "stack": stack, "environment": configuration.values.environment}
    return {**configuration.inventory.document.tags, **configuration.values.tags, **own}


def can_be_tagged(resource: pulumi.Resource) -> bool:
    """Whether the resource's type has tags, by its schema; the namespace of a component has none."""
    return isinstance(resource, pulumi.CustomResource) and hasattr(type(resource), "tags")


def register_tags(tags: Mapping[str, str]) -> None:
    """Tag every resource of this stack from here on; a resource's own tags are kept beside, ours win."""

    def tagged(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not can_be_tagged(args.resource):
            return None
        own: Any = args.props.get("tags")
        merged = pulumi.Output.from_input(own or {}).apply(lambda given: {**given, **tags}) if own else dict(tags)
        return pulumi.ResourceTransformationResult({**args.props, "tags": merged}, args.opts)

    pulumi.runtime.register_stack_transformation(tagged)
