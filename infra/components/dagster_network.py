"""Security groups of Dagster in the central account: each lets in the one before it, by reference, and nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component

WEB_PORT = 3000
CODE_PORT = 4000
DATABASE_PORT = 5432
HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class DagsterNetworkArgs:
    """The groups.

    Attributes:
        client_cidrs: private ranges that people come from; client_groups: security groups they come from.
    """

    vpc_id: str
    client_cidrs: Sequence[str]
    client_groups: Sequence[str]


class DagsterNetwork(Component):
    """People → load balancer → webserver → code location; all of Dagster → database; all of it → AWS (HTTPS out)."""

    def __init__(self, name: str, args: DagsterNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name = name
        self.balancer = self._group("balancer", args.vpc_id, "People reach Dagster's load balancer")
        self.tasks = self._group("tasks", args.vpc_id, "Dagster's containers")
        self.database = self._group("database", args.vpc_id, "Dagster's database")
        for index, cidr in enumerate(args.client_cidrs):
            self._rule_in(f"people-{index}", self.balancer, HTTPS_PORT, cidr=cidr)
        for index, group in enumerate(args.client_groups):
            self._rule_in(f"people-group-{index}", self.balancer, HTTPS_PORT, group=group)
        self._connect("web", self.balancer, self.tasks, WEB_PORT)
        self._connect("code", self.tasks, self.tasks, CODE_PORT)
        self._connect("database", self.tasks, self.database, DATABASE_PORT)
        # STS and Lambda of every region, S3, KMS, ECR: AWS's addresses are no list that a group could hold.
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-aws",
            security_group_id=self.tasks.id,
            ip_protocol="tcp",
            from_port=HTTPS_PORT,
            to_port=HTTPS_PORT,
            cidr_ipv4="0.0.0.0/0",
            description="AWS services, HTTPS",
            opts=self.child(),
        )
        self.register_outputs({"tasks": self.tasks.id})

    def _group(self, what: str, vpc_id: str, description: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(f"{self._name}-{what}", vpc_id=vpc_id, description=description, opts=self.child())

    def _rule_in(
        self,
        what: str,
        group_of: aws.ec2.SecurityGroup,
        port: int,
        *,
        cidr: str | None = None,
        group: pulumi.Input[str] | None = None,
    ) -> None:
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-{what}-in",
            security_group_id=group_of.id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4=cidr,
            referenced_security_group_id=group,
            opts=self.child(),
        )

    def _connect(self, what: str, source: aws.ec2.SecurityGroup, target: aws.ec2.SecurityGroup, port: int) -> None:
        self._rule_in(what, target, port, group=source.id)
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-{what}-out",
            security_group_id=source.id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            referenced_security_group_id=target.id,
            opts=self.child(),
        )
