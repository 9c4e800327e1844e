"""Where the pipeline reads the inventory: an object of the evidence bucket, or a tree of SSM parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.bucket import Bucket
from infra.configuration import INVENTORY_KEY, INVENTORY_PARAMETER, Configuration

MOST_PARAMETER_BYTES = 8 * 1024  # of an advanced parameter
_STANDARD_BYTES = 4 * 1024


@dataclass(frozen=True, slots=True)
class InventoryLocationArgs:
    """Where it goes. Every version of the object is kept as long as evidence: it says what was asked for."""

    configuration: Configuration
    bucket: Bucket
    key_arn: pulumi.Input[str]


class InventoryLocation(Component):
    """The object, or the parameters (SecureString: host names are nobody's business).

    Attributes:
        source: what the pipeline's setting `inventory` says.

    Raises:
        ValueError: an account's entry is larger than a parameter; then it has to be the bucket.
    """

    def __init__(self, name: str, args: InventoryLocationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        configuration = args.configuration
        if configuration.values.inventory_location == "s3":
            aws.s3.BucketObjectv2(
                name,
                bucket=args.bucket.name,
                key=INVENTORY_KEY,
                content=configuration.inventory_text.decode(),
                content_type="application/yaml",
                server_side_encryption="aws:kms",
                kms_key_id=args.key_arn,
                bucket_key_enabled=True,
                opts=self.child(depends_on=[args.bucket, args.bucket.ready], retain_on_delete=True),
            )
            self.source = f"s3://{configuration.bucket}/{INVENTORY_KEY}"
        else:
            for part, value in _parameters(configuration):
                aws.ssm.Parameter(
                    f"{name}-{part}",
                    name=f"{INVENTORY_PARAMETER}/{part}",
                    type="SecureString",
                    value=value,
                    tier="Standard" if len(value.encode()) <= _STANDARD_BYTES else "Advanced",
                    opts=self.child(),
                )
            self.source = f"ssm:{INVENTORY_PARAMETER}"
        self.register_outputs({"source": self.source})


def _parameters(configuration: Configuration) -> Iterator[tuple[str, str]]:
    document: dict[str, Any] = configuration.inventory.document.model_dump(
        mode="json", exclude_none=True, exclude_unset=True
    )
    accounts: dict[str, Any] = document.pop("accounts")
    for part, value in sorted({**document, **accounts}.items()):
        text = json.dumps(value, separators=(",", ":"))
        if len(text.encode()) > MOST_PARAMETER_BYTES:
            size = len(text.encode())
            raise ValueError(f"the inventory's {part} has {size} bytes, a parameter 8,192: set inventory_location s3")
        yield part, text
