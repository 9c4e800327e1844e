"""The way to Dagster's webserver: an internal load balancer that speaks TLS, logged; no public endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.dagster_network import HTTPS_PORT, WEB_PORT


@dataclass(frozen=True, slots=True)
class DagsterLoadBalancerArgs:
    """The load balancer.

    Attributes:
        certificate_arn: of the name that people use, in ACM.
        log_bucket: its access logs go there, below `balancer/`.
    """

    vpc_id: str
    subnet_ids: Sequence[str]
    security_group_id: pulumi.Input[str]
    certificate_arn: str
    log_bucket: pulumi.Input[str]


class DagsterLoadBalancer(Component):
    """Load balancer, target group, and one HTTPS listener; there is none for HTTP, not even to redirect."""

    def __init__(self, name: str, args: DagsterLoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        balancer = aws.lb.LoadBalancer(
            name,
            name="db-admin-report-dagster",
            internal=True,
            load_balancer_type="application",
            subnets=list(args.subnet_ids),
            security_groups=[args.security_group_id],
            drop_invalid_header_fields=True,
            enable_deletion_protection=True,
            access_logs=aws.lb.LoadBalancerAccessLogsArgs(bucket=args.log_bucket, prefix="balancer", enabled=True),
            opts=self.child(),
        )
        health = aws.lb.TargetGroupHealthCheckArgs(path="/server_info", matcher="200", interval=30, timeout=10)
        self.target_group = aws.lb.TargetGroup(
            f"{name}-webserver",
            name="db-admin-report-dagster",
            vpc_id=args.vpc_id,
            port=WEB_PORT,
            protocol="HTTP",
            target_type="ip",
            deregistration_delay=30,
            health_check=health,
            opts=self.child(),
        )
        forward = aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=self.target_group.arn)
        self.listener = aws.lb.Listener(
            f"{name}-https",
            load_balancer_arn=balancer.arn,
            port=HTTPS_PORT,
            protocol="HTTPS",
            ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
            certificate_arn=args.certificate_arn,
            default_actions=[forward],
            opts=self.child(),
        )
        self.dns_name: pulumi.Output[str] = balancer.dns_name
        self.arn_suffix: pulumi.Output[str] = balancer.arn_suffix
        self.target_group_arn_suffix: pulumi.Output[str] = self.target_group.arn_suffix
        self.register_outputs({"dns_name": self.dns_name})
