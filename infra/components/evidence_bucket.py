"""The evidence bucket and the bucket that tells who accessed it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from infra.components.base import Component, kept
from infra.components.bucket import Bucket, BucketArgs
from infra.policies import EVIDENCE_PREFIXES, Estate, bucket_policy
from infra.policies.resources import log_bucket_policy

TRAIL = "db-admin-report-evidence"
_FOR_EVER = "chain"  # a link that is gone is a gap, and a chain with a gap proves nothing


@dataclass(frozen=True, slots=True)
class EvidenceBucketArgs:
    """The evidence bucket.

    Attributes:
        key_arn: of the KMS key that everything in it is encrypted with.
        retention_days: Object Lock, COMPLIANCE: nobody shortens it, the root user included.
        archive_after_days: then objects move to Glacier Instant Retrieval, read as before; None for never.
        expire_after_days: then they are deleted; None for never. Object Lock wins over it.
        log_days: how long access logs are kept.
    """

    estate: Estate
    region: str
    key_arn: pulumi.Input[str]
    log_bucket: str
    retention_days: int
    archive_after_days: int | None
    expire_after_days: int | None
    log_days: int


class EvidenceBucket(Component):
    """Both buckets, and the access logging between them."""

    def __init__(self, name: str, args: EvidenceBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.logs = Bucket(
            f"{name}-logs",
            BucketArgs(
                bucket=args.log_bucket,
                policy=log_bucket_policy(args.estate, args.log_bucket, args.region, TRAIL),
                lifecycle=[_end("end-logs", args.log_days)],
            ),
            self.child(),
        )
        policy = pulumi.Output.from_input(args.key_arn).apply(
            lambda key_arn: bucket_policy(replace(args.estate, bucket_key_arn=key_arn))
        )
        self.evidence = Bucket(
            f"{name}-evidence",
            BucketArgs(
                bucket=args.estate.bucket,
                policy=policy,
                key_arn=args.key_arn,
                lock_days=args.retention_days,
                lifecycle=list(_keep(args)),
            ),
            self.child(),
        )
        aws.s3.BucketLogging(
            f"{name}-access-logs",
            bucket=self.evidence.name,
            target_bucket=self.logs.name,
            target_prefix="access/",
            opts=pulumi.ResourceOptions.merge(kept(self), pulumi.ResourceOptions(depends_on=[self.logs])),
        )
        self.name = self.evidence.name
        self.register_outputs({"name": self.name, "logs": self.logs.name})


def _end(rule: str, days: int, prefix: str = "") -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id=rule,
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=days
        ),
    )


def _keep(args: EvidenceBucketArgs) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    rules = []
    if args.archive_after_days is not None:
        transition = aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
            days=args.archive_after_days, storage_class="GLACIER_IR"
        )
        rules.append(
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="archive",
                status="Enabled",
                filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                transitions=[transition],
            )
        )
    if args.expire_after_days is not None:
        days = args.expire_after_days
        rules += [_end(f"end-{prefix}", days, f"{prefix}/") for prefix in EVIDENCE_PREFIXES if prefix != _FOR_EVER]
    return rules
