"""Dagster in the central account: all of it on ECS Fargate, or only the roles that a Dagster+ agent needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra import policies
from infra.components.alarms import Alarm, dagster_alarms
from infra.components.base import Component
from infra.components.dagster_database import DagsterDatabase, DagsterDatabaseArgs
from infra.components.dagster_load_balancer import DagsterLoadBalancer, DagsterLoadBalancerArgs
from infra.components.dagster_network import DagsterNetwork, DagsterNetworkArgs
from infra.components.dagster_roles import DagsterRoles, DagsterRolesArgs, repository_arn
from infra.components.dagster_services import RUN, SERVICES, DagsterServices, DagsterServicesArgs
from infra.components.log_group import LogGroup, LogGroupArgs
from infra.components.role import Role, RoleArgs
from infra.configuration import Configuration
from infra.policies import dagster as dagster_policies
from infra.policies.dagster import DagsterNames

CLUSTER = "db-admin-report"
RUN_LOG = "runs"  # who was asked for what, and what came back: an audit log


@dataclass(frozen=True, slots=True)
class DagsterArgs:
    """What both kinds need.

    Attributes:
        operations_key_arn: encrypts database and log groups; bucket_key_arn: the inventory in the bucket.
        topic_arn: where alerts go, encrypted with the operations key.
        environment: settings of the pipeline by environment variable.
    """

    configuration: Configuration
    operations_key_arn: pulumi.Input[str]
    bucket_key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    orchestrator_arn: pulumi.Input[str]
    log_bucket: pulumi.Input[str]
    environment: Mapping[str, pulumi.Input[str]]


def _log_group(args: DagsterArgs, component: str, *, audit: bool) -> LogGroupArgs:
    v = args.configuration.values
    return LogGroupArgs(
        account_id=v.central_account_id,
        region=v.central_region,
        component=component,
        key_arn=args.operations_key_arn,
        audit=audit,
        partition=args.configuration.partition,
    )


def _names(args: DagsterArgs, cluster: str, log_group_arns: tuple[str, ...]) -> DagsterNames:
    v = args.configuration.values
    return DagsterNames(
        account_id=v.central_account_id,
        region=v.central_region,
        cluster=cluster,
        run_family="db-admin-report-run",
        services_role="db-admin-report-dagster-services",
        code_role="db-admin-report-dagster-code",
        execution_role="db-admin-report-dagster-execution",
        log_group_arns=log_group_arns,
        partition=args.configuration.partition,
    )


class DagsterOnEcs(Component):
    """Network, database, roles, load balancer, services.

    Attributes:
        alarms: what can go wrong with it.
        url: the load balancer's own name; people use the one of the certificate.
    """

    def __init__(self, name: str, args: DagsterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        configuration, v = args.configuration, args.configuration.values
        if v.dagster_network is None or v.dagster_image is None or v.dagster_certificate_arn is None:
            raise ValueError("dagster is ecs: network, image and certificate must be configured")
        logs = {p.name: _log_group(args, f"dagster-{p.name}", audit=False) for p in SERVICES}
        logs[RUN.name] = _log_group(args, RUN_LOG, audit=True)
        groups = {what: LogGroup(f"{name}-log-{what}", group, self.child()) for what, group in logs.items()}
        names = _names(args, CLUSTER, tuple(group.arn for group in logs.values()))
        network = DagsterNetwork(
            f"{name}-network",
            DagsterNetworkArgs(
                v.dagster_network.vpc_id, v.dagster_client_cidrs, tuple(v.dagster_client_security_groups)
            ),
            self.child(),
        )
        database = DagsterDatabase(
            f"{name}-database",
            DagsterDatabaseArgs(
                subnet_ids=v.dagster_network.subnet_ids,
                security_group_id=network.database.id,
                key_arn=args.operations_key_arn,
                instance_class=v.dagster_database_class,
                multi_az=v.dagster_multi_az,
            ),
            self.child(),
        )
        roles = DagsterRoles(
            f"{name}-roles",
            DagsterRolesArgs(
                estate=configuration.estate(),
                names=names,
                image=v.dagster_image,
                secret_arn=database.secret_arn,
                key_arn=args.operations_key_arn,
                bucket_key_arn=args.bucket_key_arn,
                topic_arn=args.topic_arn,
            ),
            self.child(),
        )
        balancer = DagsterLoadBalancer(
            f"{name}-balancer",
            DagsterLoadBalancerArgs(
                vpc_id=v.dagster_network.vpc_id,
                subnet_ids=v.dagster_network.subnet_ids,
                security_group_id=network.balancer.id,
                certificate_arn=v.dagster_certificate_arn,
                log_bucket=args.log_bucket,
            ),
            self.child(),
        )
        DagsterServices(
            f"{name}-services",
            DagsterServicesArgs(
                names=names,
                vpc_id=v.dagster_network.vpc_id,
                subnet_ids=v.dagster_network.subnet_ids,
                security_group_id=network.tasks.id,
                image=v.dagster_image,
                architecture=v.architecture,
                roles=roles,
                orchestrator_arn=args.orchestrator_arn,
                database=database,
                load_balancer=balancer,
                log_groups={what: group.name for what, group in groups.items()},
                environment=args.environment,
            ),
            self.child(),
        )
        self.alarms: tuple[Alarm, ...] = dagster_alarms(
            database=database.identifier,
            load_balancer=balancer.arn_suffix,
            target_group=balancer.target_group_arn_suffix,
            cluster=CLUSTER,
            services=[process.name for process in SERVICES],
        )
        self.url: pulumi.Output[str] = balancer.dns_name.apply(lambda host: f"https://{host}")
        self.register_outputs({"url": self.url})


class DagsterPlusAgent(Component):
    """The agent's role, and the execution role and log group of what it starts; the agent itself is Dagster's."""

    def __init__(self, name: str, args: DagsterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        configuration, v = args.configuration, args.configuration.values
        if v.dagster_image is None or v.dagster_plus_cluster is None or v.dagster_plus_namespace is None:
            raise ValueError("dagster is dagster_plus_agent: image, cluster and namespace must be configured")
        group = _log_group(args, RUN_LOG, audit=True)
        LogGroup(f"{name}-log-{RUN.name}", group, self.child())
        names = _names(args, v.dagster_plus_cluster, (group.arn,))
        partition = configuration.partition
        namespace = f"arn:{partition}:servicediscovery:{v.central_region}:{v.central_account_id}:namespace"
        documents = {
            "agent": dagster_policies.agent_identity(
                configuration.estate(), names, f"{namespace}/{v.dagster_plus_namespace}"
            ),
            "execution": dagster_policies.execution_identity(
                names, repository_arn=repository_arn(v.dagster_image, partition)
            ),
        }
        role_names = {"agent": "db-admin-report-dagster-plus-agent", "execution": names.execution_role}
        self.role_arns: dict[str, pulumi.Output[str]] = {}
        for what, identity in documents.items():
            role = Role(
                f"{name}-{what}",
                RoleArgs(
                    name=role_names[what],
                    account_id=v.central_account_id,
                    trust=policies.service_trust(v.central_account_id, "ecs-tasks.amazonaws.com"),
                    identity=identity,
                    description=f"Dagster+: {what}",
                    partition=partition,
                ),
                self.child(),
            )
            self.role_arns[what] = role.arn
        self.register_outputs({})
