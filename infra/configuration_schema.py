"""What may be configured in a stack, as a pydantic model: types and forms, nothing that needs the inventory.

The keys are those of Pulumi's stack configuration (`db-admin-report:NAME`), of a plain mapping, and of the table in
docs/infrastructure.md, which a test compares with this model.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from dbadmin_assets.inventory_schema import AccountId, Region, SecurityGroupId, SubnetId, TagKey, TagValue, VpcId

MEMORY_MB_LEAST, MEMORY_MB_MOST = 256, 10_240


def _private(value: str) -> str:
    """A CIDR block, and not of the internet: nothing of ours is opened to everybody."""
    network = ipaddress.ip_network(value)
    if not network.is_private or network.prefixlen == 0:
        raise ValueError(f"{value} is not a private CIDR block")
    return value


def _matching(pattern: str) -> StringConstraints:
    return StringConstraints(pattern=rf"^(?:{pattern})$")


PrivateCidr = Annotated[str, AfterValidator(_private)]
OrganizationId = Annotated[str, _matching("o-[a-z0-9]{10,32}")]
BucketName = Annotated[str, _matching("[a-z0-9][a-z0-9-]{1,57}[a-z0-9]")]  # 4 less than S3's 63, for `-logs`
KeyArn = Annotated[str, _matching(r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")]
RoleArn = Annotated[str, _matching(r"arn:[a-z-]+:iam::[0-9]{12}:role/[\w+=,.@/-]+")]
CertificateArn = Annotated[str, _matching(r"arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+")]
Address = Annotated[str, _matching(r"[^@\s]+@[^@\s]+\.[^@\s]+")]
RouteTableId = Annotated[str, _matching("rtb-[0-9a-f]+")]
# A digest or a tag, in a private registry of ECR: execution roles may pull from that repository only.
Image = Annotated[
    str,
    _matching(
        r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9._/-]+(@sha256:[0-9a-f]{64}|:[A-Za-z0-9._-]+)"
    ),
]
Name = Annotated[str, _matching("[A-Za-z0-9-]{1,64}")]
EndpointService = Literal["secretsmanager", "sts", "logs", "kms", "rds", "ec2", "monitoring"]


class Part(BaseModel):
    """Base of the model: no unknown keys, not changed afterwards. Pulumi's values are text, so types are lax."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CentralNetwork(Part):
    """Where Dagster stands in the central account: private subnets in two zones or more, with a way out (NAT)."""

    vpc_id: VpcId
    subnet_ids: Annotated[list[SubnetId], Field(min_length=2)]


class StackConfiguration(Part):
    """Every key. Those without a default must be given; docs/infrastructure.md tells what each is for."""

    inventory: Annotated[str, Field(min_length=1)]
    organization_id: OrganizationId
    central_account_id: AccountId
    central_region: Region
    environment: Annotated[str, _matching("[a-z0-9-]{1,32}")] = "prod"
    tags: dict[TagKey, TagValue] = {}
    bucket: BucketName | None = None
    retention_days: Annotated[int, Field(ge=400, le=36_500)] = 400
    archive_after_days: Annotated[int, Field(ge=30)] | None = 90
    expire_after_days: Annotated[int, Field(ge=401)] | None = None
    log_bucket_days: Annotated[int, Field(ge=90)] = 400
    inventory_location: Literal["s3", "ssm"] = "s3"
    operators: list[RoleArn] = []
    access_trail: bool = True
    alarm_addresses: list[Address] = []
    most_users: Annotated[int, Field(ge=1)] = 100_000
    lambda_package: Annotated[str, Field(min_length=1)] = "dist/worker_lambda.zip"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    memory_mb: Annotated[int, Field(ge=MEMORY_MB_LEAST, le=MEMORY_MB_MOST)] = 512
    reserved_concurrency: Annotated[int, Field(ge=1)] = 10
    provisioned_concurrency: Annotated[int, Field(ge=0)] = 0
    secret_key_arns: list[KeyArn] = []
    database_cidrs: list[PrivateCidr] = []
    endpoints: list[EndpointService] = []
    route_tables: dict[VpcId, Annotated[list[RouteTableId], Field(min_length=1)]] = {}
    dagster: Literal["ecs", "dagster_plus_agent", "none"] = "ecs"
    dagster_image: Image | None = None
    dagster_network: CentralNetwork | None = None
    dagster_certificate_arn: CertificateArn | None = None
    dagster_client_cidrs: list[PrivateCidr] = []
    dagster_client_security_groups: list[SecurityGroupId] = []
    dagster_database_class: Annotated[str, _matching(r"db\.[a-z0-9]+\.[a-z0-9]+")] = "db.t4g.small"
    dagster_multi_az: bool = False
    dagster_plus_cluster: Name | None = None
    dagster_plus_namespace: Annotated[str, _matching("ns-[a-z0-9]+")] | None = None
