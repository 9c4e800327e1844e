"""Dagster on ECS Fargate: webserver, daemon and code location as services, and what each run is started from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.dagster_database import DATABASE, RESTART, DagsterDatabase
from infra.components.dagster_load_balancer import DagsterLoadBalancer
from infra.components.dagster_network import CODE_PORT, DATABASE_PORT, WEB_PORT
from infra.components.dagster_roles import DagsterRoles
from infra.policies.dagster import DagsterNames

NAMESPACE = "db-admin-report.internal"
CODE_HOST = f"code.{NAMESPACE}"
_MODULE = "dbadmin_assets.definitions"
_WEB = ["dagster-webserver", "-h", "0.0.0.0", "-p", str(WEB_PORT), "-w", "workspace.yaml"]  # noqa: S104 - in a VPC
_DAEMON = ["dagster-daemon", "run", "-w", "workspace.yaml"]
_CODE = ["dagster", "code-server", "start", "-h", "0.0.0.0", "-p", str(CODE_PORT), "-m", _MODULE]  # noqa: S104 - in a container
_MACHINES = {"arm64": "ARM64", "x86_64": "X86_64"}


@dataclass(frozen=True, slots=True)
class Process:
    """One kind of container. `run` has no command of its own: the launcher says it."""

    name: str
    command: list[str] | None
    port: int | None
    cpu: int
    memory_mb: int


WEBSERVER = Process("webserver", _WEB, WEB_PORT, 512, 1024)
DAEMON = Process("daemon", _DAEMON, None, 512, 1024)
CODE = Process("code", _CODE, CODE_PORT, 512, 1024)
RUN = Process("run", None, None, 1024, 2048)  # 1,000 targets at once: 215 MiB beside Dagster's own
SERVICES = (CODE, WEBSERVER, DAEMON)


@dataclass(frozen=True, slots=True)
class DagsterServicesArgs:
    """The services.

    Attributes:
        log_groups: name of the log group by process.
        orchestrator_arn: the role of runs.
        environment: settings of the pipeline, for code location and runs.
    """

    names: DagsterNames
    vpc_id: str
    subnet_ids: Sequence[str]
    security_group_id: pulumi.Input[str]
    image: str
    architecture: str
    roles: DagsterRoles
    orchestrator_arn: pulumi.Input[str]
    database: DagsterDatabase
    load_balancer: DagsterLoadBalancer
    log_groups: Mapping[str, pulumi.Input[str]]
    environment: Mapping[str, pulumi.Input[str]]


class DagsterServices(Component):
    """The cluster and everything in it. Runs get the orchestrator's role; nothing that listens has it."""

    def __init__(self, name: str, args: DagsterServicesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        insights = aws.ecs.ClusterSettingArgs(name="containerInsights", value="enabled")
        self._cluster = aws.ecs.Cluster(name, name=args.names.cluster, settings=[insights], opts=self.child())
        roles = {
            RUN.name: args.orchestrator_arn,
            CODE.name: args.roles.code.arn,
            WEBSERVER.name: args.roles.services.arn,
            DAEMON.name: args.roles.services.arn,
        }
        tasks = {p.name: self._task(p, roles[p.name]) for p in (RUN, *SERVICES)}
        registry = self._registry()
        for process in SERVICES:
            self._service(process, tasks[process.name], registry)
            self._restart(process)
        self.register_outputs({"cluster": self._cluster.name})

    def _task(self, process: Process, role_arn: pulumi.Input[str]) -> aws.ecs.TaskDefinition:
        args = self._args
        family = args.names.run_family if process is RUN else f"{args.names.cluster}-{process.name}"
        known = pulumi.Output.all(
            host=args.database.host,
            secret=args.database.secret_arn,
            log_group=args.log_groups[process.name],
            environment=pulumi.Output.all(**args.environment),
        )
        return aws.ecs.TaskDefinition(
            f"{self._name}-{process.name}",
            family=family,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(process.cpu),
            memory=str(process.memory_mb),
            runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
                cpu_architecture=_MACHINES[args.architecture], operating_system_family="LINUX"
            ),
            task_role_arn=role_arn,
            execution_role_arn=args.roles.execution.arn,
            container_definitions=known.apply(lambda k: json.dumps([self._container(process, k)])),
            opts=self.child(depends_on=args.roles.execution.policies),
        )

    def _container(self, process: Process, known: Mapping[str, Any]) -> dict[str, Any]:
        names = self._args.names
        environment = {
            "DAGSTER_POSTGRES_HOST": known["host"],
            "DAGSTER_POSTGRES_PORT": str(DATABASE_PORT),
            "DAGSTER_POSTGRES_DB": DATABASE,
            "DAGSTER_RUN_TASK_DEFINITION": names.run_family,
            "DAGSTER_RUN_CONTAINER": RUN.name,
            "DAGSTER_CODE_LOCATION_HOST": CODE_HOST,
            "DAGSTER_CODE_LOCATION_PORT": str(CODE_PORT),
            "AWS_REGION": names.region,
            **(known["environment"] if process in (RUN, CODE) else {}),
        }
        secrets = {"DAGSTER_POSTGRES_USER": "username", "DAGSTER_POSTGRES_PASSWORD": "password"}
        container: dict[str, Any] = {
            "name": process.name,
            "image": self._args.image,
            "essential": True,
            "environment": [{"name": key, "value": value} for key, value in sorted(environment.items())],
            "secrets": [{"name": k, "valueFrom": f"{known['secret']}:{part}::"} for k, part in secrets.items()],
            "linuxParameters": {"initProcessEnabled": True},
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": known["log_group"],
                    "awslogs-region": names.region,
                    "awslogs-stream-prefix": process.name,
                },
            },
        }
        if process.command:
            container["command"] = process.command
        if process.port:
            container["portMappings"] = [{"containerPort": process.port, "protocol": "tcp"}]
        return container

    def _registry(self) -> aws.servicediscovery.Service:
        namespace = aws.servicediscovery.PrivateDnsNamespace(
            f"{self._name}-names", name=NAMESPACE, vpc=self._args.vpc_id, opts=self.child()
        )
        record = aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type="A", ttl=10)
        return aws.servicediscovery.Service(
            f"{self._name}-code-name",
            name=CODE.name,
            dns_config=aws.servicediscovery.ServiceDnsConfigArgs(namespace_id=namespace.id, dns_records=[record]),
            opts=self.child(),
        )

    def _service(
        self, process: Process, task: aws.ecs.TaskDefinition, registry: aws.servicediscovery.Service
    ) -> aws.ecs.Service:
        args = self._args
        balancer = aws.ecs.ServiceLoadBalancerArgs(
            container_name=WEBSERVER.name, container_port=WEB_PORT, target_group_arn=args.load_balancer.target_group.arn
        )
        # Two daemons at once would each run sensors and schedules.
        alone = process is DAEMON
        return aws.ecs.Service(
            f"{self._name}-{process.name}-service",
            name=process.name,
            cluster=self._cluster.arn,
            task_definition=task.arn,
            desired_count=1,
            launch_type="FARGATE",
            platform_version="LATEST",
            propagate_tags="SERVICE",
            enable_ecs_managed_tags=True,
            enable_execute_command=False,
            deployment_minimum_healthy_percent=0 if alone else 100,
            deployment_maximum_percent=100 if alone else 200,
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=list(args.subnet_ids), security_groups=[args.security_group_id], assign_public_ip=False
            ),
            load_balancers=[balancer] if process is WEBSERVER else None,
            service_registries=(
                aws.ecs.ServiceServiceRegistriesArgs(registry_arn=registry.arn) if process is CODE else None
            ),
            opts=self.child(depends_on=[args.load_balancer.listener] if process is WEBSERVER else None),
        )

    def _restart(self, process: Process) -> None:
        """A container gets the database's password when it starts; RDS rotates it: so start anew afterwards."""
        names = self._args.names
        order = {"Cluster": names.cluster, "Service": process.name, "ForceNewDeployment": True}
        aws.scheduler.Schedule(
            f"{self._name}-{process.name}-restart",
            name=f"{names.cluster}-{process.name}-restart",
            description="After the weekly rotation of the database's password",
            schedule_expression=RESTART,
            flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=aws.scheduler.ScheduleTargetArgs(
                arn=f"arn:{names.partition}:scheduler:::aws-sdk:ecs:updateService",
                role_arn=self._args.roles.restart.arn,
                input=json.dumps(order),
            ),
            opts=self.child(),
        )
