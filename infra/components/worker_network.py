"""Where a worker stands: its security group, and the VPC endpoints that were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component, as_json
from infra.components.dagster_network import HTTPS_PORT
from infra.policies import Estate
from infra.policies.resources import endpoint_policy, s3_gateway_policy

_NEEDED = {"secretsmanager", "sts"}  # what a worker calls; CloudWatch Logs is called by Lambda itself, not from the VPC


@dataclass(frozen=True, slots=True)
class WorkerNetworkArgs:
    """The network of one worker.

    Attributes:
        ports: of its databases.
        database_cidrs: where they are; empty: the VPC's own ranges.
        endpoints: services to make an interface endpoint for.
        route_tables: of the worker's subnets, for an S3 gateway endpoint; empty for none.
        bucket_region: the gateway serves its own region only.
    """

    estate: Estate
    account_id: str
    region: str
    vpc_id: str
    subnet_ids: Sequence[str]
    ports: Sequence[int]
    database_cidrs: Sequence[str]
    endpoints: Sequence[str]
    route_tables: Sequence[str]
    bucket_region: str
    log_group_arn: str
    discovery: bool


class WorkerNetwork(Component):
    """The worker's security group lets nobody in, and out to the database ports and HTTPS only.

    Attributes:
        environment: AWS_ENDPOINT_URL_… of each endpoint. Private DNS stays off: it would lead every workload of the
            VPC to an endpoint whose group lets in the worker only.
    """

    def __init__(self, name: str, args: WorkerNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self.group = aws.ec2.SecurityGroup(
            name, vpc_id=args.vpc_id, description="db-admin-report worker", opts=self.child()
        )
        self._to_databases()
        self.environment: Mapping[str, pulumi.Input[str]] = self._interfaces()
        prefix_list = self._gateway()
        used = _NEEDED | ({"rds", "ec2"} if args.discovery else set())
        if prefix_list is None or not used <= set(args.endpoints):
            # Through NAT: what has no endpoint has no address that a group could name.
            self._out("aws", HTTPS_PORT, "AWS services without an endpoint, HTTPS", cidr="0.0.0.0/0")
        self.register_outputs({"security_group": self.group.id})

    def _to_databases(self) -> None:
        args = self._args
        cidrs = list(args.database_cidrs) or [aws.ec2.get_vpc(id=args.vpc_id).cidr_block]
        for cidr in cidrs:
            for port in args.ports:
                self._out(f"{port}-{cidr.replace('/', '-')}", port, f"databases on port {port}", cidr=cidr)

    def _out(
        self,
        what: str,
        port: int,
        description: str,
        *,
        cidr: str | None = None,
        group: pulumi.Input[str] | None = None,
        prefix_list: pulumi.Input[str] | None = None,
    ) -> None:
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-to-{what}",
            security_group_id=self.group.id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4=cidr,
            referenced_security_group_id=group,
            prefix_list_id=prefix_list,
            description=description,
            opts=self.child(),
        )

    def _interfaces(self) -> Mapping[str, pulumi.Input[str]]:
        args = self._args
        if not args.endpoints:
            return {}
        door = aws.ec2.SecurityGroup(
            f"{self._name}-endpoints", vpc_id=args.vpc_id, description="Endpoints of db-admin-report", opts=self.child()
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-worker-in",
            security_group_id=door.id,
            ip_protocol="tcp",
            from_port=HTTPS_PORT,
            to_port=HTTPS_PORT,
            referenced_security_group_id=self.group.id,
            opts=self.child(),
        )
        self._out("endpoints", HTTPS_PORT, "endpoints, HTTPS", group=door.id)
        environment: dict[str, pulumi.Input[str]] = {}
        for service in args.endpoints:
            policy = endpoint_policy(args.estate, service, args.account_id, args.region, args.log_group_arn)
            endpoint = aws.ec2.VpcEndpoint(
                f"{self._name}-{service}",
                vpc_id=args.vpc_id,
                service_name=f"com.amazonaws.{args.region}.{service}",
                vpc_endpoint_type="Interface",
                subnet_ids=list(args.subnet_ids),
                security_group_ids=[door.id],
                private_dns_enabled=False,
                policy=as_json(policy),
                opts=self.child(),
            )
            variable = {"monitoring": "CLOUDWATCH", "secretsmanager": "SECRETS_MANAGER", "logs": "CLOUDWATCH_LOGS"}
            url = endpoint.dns_entries.apply(lambda entries: f"https://{entries[0].dns_name}")
            environment[f"AWS_ENDPOINT_URL_{variable.get(service, service.upper())}"] = url
        return environment

    def _gateway(self) -> pulumi.Output[str] | None:
        args = self._args
        if not args.route_tables or args.region != args.bucket_region:
            return None
        endpoint = aws.ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=list(args.route_tables),
            policy=as_json(s3_gateway_policy(args.estate, args.account_id)),
            opts=self.child(),
        )
        self._out("s3", HTTPS_PORT, "S3 by its gateway, HTTPS", prefix_list=endpoint.prefix_list_id)
        prefix_list: pulumi.Output[str] = endpoint.prefix_list_id
        return prefix_list
