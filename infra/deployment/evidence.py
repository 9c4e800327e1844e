"""What `destroy` never touches: buckets and all that protects them, keys, log groups.

Pulumi refuses by itself to delete what the program protects. This module is the second lock: a stack whose state
holds such a resource without protection is not destroyed at all.
"""

from __future__ import annotations

from collections.abc import Iterable

from infra.deployment.engine import Resource

# A bucket without its policy, lock or public access block is evidence without protection: all of `aws:s3/`.
_EVIDENCE = ("aws:s3/", "aws:kms/key:Key", "aws:kms/keyPolicy:", "aws:cloudwatch/logGroup:LogGroup", "aws:cloudtrail/")


def is_evidence(resource: Resource) -> bool:
    """Whether it holds evidence, or protects some."""
    return resource.type.startswith(_EVIDENCE)


def kept(resources: Iterable[Resource]) -> list[Resource]:
    """What a destruction leaves, in the order of types and names."""
    return sorted((r for r in resources if r.kept or is_evidence(r)), key=lambda r: (r.type, r.name))


def unprotected(resources: Iterable[Resource]) -> list[Resource]:
    """Evidence that Pulumi would delete: where there is any, nothing is destroyed."""
    return sorted((r for r in resources if is_evidence(r) and not r.kept), key=lambda r: (r.type, r.name))
