"""A CloudTrail trail of every access to an object of the evidence bucket (P3), delivered to the log bucket."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component, kept
from infra.components.evidence_bucket import TRAIL, EvidenceBucket


@dataclass(frozen=True, slots=True)
class AccessTrailArgs:
    """The trail. Data events of the evidence bucket only: management events are the organization's trail's."""

    buckets: EvidenceBucket
    evidence_bucket_arn: str


class AccessTrail(Component):
    """The trail. Its log files are hashed and signed by CloudTrail."""

    def __init__(self, name: str, args: AccessTrailArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        selector = aws.cloudtrail.TrailAdvancedEventSelectorArgs(
            name="objects of the evidence bucket",
            field_selectors=[
                aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs(field="eventCategory", equals=["Data"]),
                aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs(
                    field="resources.type", equals=["AWS::S3::Object"]
                ),
                aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs(
                    field="resources.ARN", starts_withs=[f"{args.evidence_bucket_arn}/"]
                ),
            ],
        )
        trail = aws.cloudtrail.Trail(
            name,
            name=TRAIL,
            s3_bucket_name=args.buckets.logs.name,
            s3_key_prefix="trail",
            enable_log_file_validation=True,
            include_global_service_events=False,
            is_multi_region_trail=False,
            advanced_event_selectors=[selector],
            opts=pulumi.ResourceOptions.merge(kept(self), pulumi.ResourceOptions(depends_on=[args.buckets])),
        )
        self.arn: pulumi.Output[str] = trail.arn
        self.register_outputs({"arn": self.arn})
