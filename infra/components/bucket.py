"""A bucket that is locked down: what holds for every bucket of ours, whatever is kept in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.components.base import Component, as_json, kept
from infra.policies import Policy

Rules = Sequence[aws.s3.BucketLifecycleConfigurationRuleArgs]


@dataclass(frozen=True, slots=True)
class BucketArgs:
    """A bucket.

    Attributes:
        policy: its bucket policy.
        key_arn: KMS key, with an S3 bucket key (one KMS call per minutes, not per object); None for SSE-S3, where AWS
            delivers logs to it.
        lock_days: Object Lock in COMPLIANCE mode for so long; None for none.
        lifecycle: rules in addition to the one that ends unfinished uploads.
    """

    bucket: str
    policy: pulumi.Input[Policy]
    key_arn: pulumi.Input[str] | None = None
    lock_days: int | None = None
    lifecycle: Rules = field(default_factory=tuple)


class Bucket(Component):
    """The bucket: versioned, encrypted, without ACLs, without public access, under its policy.

    Attributes:
        ready: the last of its settings; what writes objects waits for it.
    """

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        bucket = aws.s3.Bucket(
            name,
            bucket=args.bucket,
            object_lock_enabled=args.lock_days is not None,
            force_destroy=False,
            opts=kept(self),
        )
        self.name: pulumi.Output[str] = bucket.bucket
        versioning = aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.id,
            versioning_configuration={"status": "Enabled"},
            opts=kept(self),
        )
        self._encrypt(name, bucket, args.key_arn)
        self._close(name, bucket, args.policy)
        if args.lock_days is not None:
            retention = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                mode="COMPLIANCE", days=args.lock_days
            )
            self.ready: pulumi.Resource = aws.s3.BucketObjectLockConfiguration(
                f"{name}-lock",
                bucket=bucket.id,
                rule=aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=retention),
                opts=pulumi.ResourceOptions.merge(kept(self), pulumi.ResourceOptions(depends_on=[versioning])),
            )
        else:
            self.ready = versioning
        unfinished = aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="end-unfinished-uploads",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=7
            ),
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.id,
            rules=[unfinished, *args.lifecycle],
            opts=pulumi.ResourceOptions.merge(kept(self), pulumi.ResourceOptions(depends_on=[versioning])),
        )
        self.register_outputs({"name": self.name})

    def _encrypt(self, name: str, bucket: aws.s3.Bucket, key_arn: pulumi.Input[str] | None) -> None:
        default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms" if key_arn is not None else "AES256", kms_master_key_id=key_arn
        )
        rule = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=default, bucket_key_enabled=key_arn is not None
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption", bucket=bucket.id, rules=[rule], opts=kept(self)
        )

    def _close(self, name: str, bucket: aws.s3.Bucket, policy: pulumi.Input[Policy]) -> None:
        block = aws.s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=kept(self),
        )
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.id,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=kept(self),
        )
        document = pulumi.Output.from_input(policy).apply(as_json)
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.id,
            policy=document,
            opts=pulumi.ResourceOptions.merge(kept(self), pulumi.ResourceOptions(depends_on=[block])),
        )
