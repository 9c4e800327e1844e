"""The two kinds of stack, as wiring of components: nothing is decided here but what is connected to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from dbadmin_assets.inventory import Target
from infra import event_patterns
from infra.components.access_trail import AccessTrail, AccessTrailArgs
from infra.components.access_watch import AccessWatch, AccessWatchArgs
from infra.components.alarms import Alarms, AlarmsArgs, worker_alarms
from infra.components.alert_topic import AlertTopic, AlertTopicArgs
from infra.components.central_roles import OrchestratorRole, OrchestratorRoleArgs, WriterRoles, WriterRolesArgs
from infra.components.dagster import DagsterArgs, DagsterOnEcs, DagsterPlusAgent
from infra.components.dashboard import Dashboard, DashboardArgs
from infra.components.evidence_bucket import EvidenceBucket, EvidenceBucketArgs
from infra.components.inventory_location import InventoryLocation, InventoryLocationArgs
from infra.components.key import Key, KeyArgs
from infra.components.log_group import SERVICE, LogGroup, LogGroupArgs
from infra.components.worker_function import WorkerFunction, WorkerFunctionArgs
from infra.components.worker_network import WorkerNetwork, WorkerNetworkArgs
from infra.components.worker_roles import WorkerRoles, WorkerRolesArgs
from infra.configuration import CENTRAL_STACK, SIGNING_ALIAS, Configuration, stack_name
from infra.policies import keys as key_policies
from infra.policies.resources import LOG_PATH
from infra.tags import register_tags, stack_tags
from worker_lambda.contract import DEFAULT_PORTS


def central(configuration: Configuration) -> None:
    """Declare the central stack: evidence, keys, roles, alerts, Dagster. There is one of it."""
    register_tags(stack_tags(configuration, CENTRAL_STACK))
    v, estate = configuration.values, configuration.estate()
    _refuse_other_account(v.central_account_id)
    bucket_key = Key(
        "evidence-key",
        KeyArgs(
            alias="alias/db-admin-report-evidence",
            description="db-admin-report: evidence",
            policy=key_policies.bucket_key_policy(estate, v.central_region),
        ),
    )
    operations_key = Key(
        "operations-key",
        KeyArgs(
            alias="alias/db-admin-report-operations",
            description="db-admin-report: log groups, alerts, Dagster's database",
            policy=key_policies.operations_key_policy(
                estate, v.central_region, _log_groups(v.central_account_id, v.central_region)
            ),
        ),
    )
    orchestrator = OrchestratorRole("orchestrator", OrchestratorRoleArgs(configuration))
    signing_key = Key(
        "signing-key",
        KeyArgs(
            alias=SIGNING_ALIAS,
            description="db-admin-report: signs manifests",
            # KMS refuses a policy that names a role which is not there yet.
            policy=orchestrator.arn.apply(lambda _: key_policies.signing_key_policy(estate)),
            signing=True,
        ),
    )
    buckets = EvidenceBucket(
        "evidence",
        EvidenceBucketArgs(
            estate=estate,
            region=v.central_region,
            key_arn=bucket_key.arn,
            log_bucket=configuration.log_bucket,
            retention_days=v.retention_days,
            archive_after_days=v.archive_after_days,
            expire_after_days=v.expire_after_days,
            log_days=v.log_bucket_days,
        ),
    )
    inventory = InventoryLocation("inventory", InventoryLocationArgs(configuration, buckets.evidence, bucket_key.arn))
    alerts = AlertTopic("alerts", AlertTopicArgs(estate, operations_key.arn, configuration.bus_arn, v.alarm_addresses))
    orchestrator.grant(
        bucket_key_arn=bucket_key.arn,
        signing_key_arn=signing_key.arn,
        topic_arn=alerts.arn,
        topic_key_arn=operations_key.arn,
    )
    writers = WriterRoles("writer", WriterRolesArgs(configuration, bucket_key.arn))
    if v.access_trail:
        AccessTrail("trail", AccessTrailArgs(buckets, estate.bucket_arn()))
    keys = pulumi.Output.all(bucket_key.arn, signing_key.arn)
    watched: Mapping[str, pulumi.Input[event_patterns.Pattern]] = {
        "refused-roles": event_patterns.refused_roles(SERVICE),
        "refused-evidence": event_patterns.refused_evidence(configuration.bucket),
        "refused-keys": keys.apply(event_patterns.refused_keys),
        "changed-bucket": event_patterns.changed_bucket(configuration.bucket, configuration.log_bucket),
        "changed-keys": keys.apply(event_patterns.changed_keys),
        "changed-logs": event_patterns.changed_logs(f"{LOG_PATH}/"),
    }
    AccessWatch("watch", AccessWatchArgs("central", watched, alerts.arn))
    Dashboard("dashboard", DashboardArgs(configuration.inventory.regions, v.central_region))
    environment: dict[str, pulumi.Input[str]] = {
        "DBADMIN_BUCKET": configuration.bucket,
        "DBADMIN_REGION": v.central_region,
        "DBADMIN_INVENTORY": inventory.source,
        "DBADMIN_SIGNING_KEY": signing_key.arn,
        "DBADMIN_ALERT_TOPIC": alerts.arn,
        "DBADMIN_MAX_PER_ACCOUNT": str(v.reserved_concurrency),
    }
    dagster_args = DagsterArgs(
        configuration=configuration,
        operations_key_arn=operations_key.arn,
        bucket_key_arn=bucket_key.arn,
        topic_arn=alerts.arn,
        orchestrator_arn=orchestrator.arn,
        log_bucket=buckets.logs.name,
        environment=environment,
    )
    dagster: dict[str, Any] = {}
    if v.dagster == "ecs":
        on_ecs = DagsterOnEcs("dagster", dagster_args)
        Alarms("alarms", AlarmsArgs("central", on_ecs.alarms, [alerts.arn]))
        dagster = {"dagster_url": on_ecs.url}
    elif v.dagster == "dagster_plus_agent":
        agent = DagsterPlusAgent("dagster", dagster_args)
        dagster = {f"dagster_plus_{what}_role_arn": arn for what, arn in agent.role_arns.items()}
    _export(
        bucket=buckets.name,
        log_bucket=buckets.logs.name,
        inventory=inventory.source,
        evidence_key_arn=bucket_key.arn,
        signing_key_arn=signing_key.arn,
        signing_key_alias=signing_key.alias,
        orchestrator_role_arn=orchestrator.arn,
        writer_role_arns=writers.arns,
        topic_arn=alerts.arn,
        environment=environment,
        **dagster,
    )


def worker(configuration: Configuration, account_id: str, region: str) -> None:
    """Declare the stack of one account and region: the function, its roles, network, log group, alarms.

    Raises:
        UnknownScopeError: the inventory has no such target.
    """
    target = configuration.target(account_id, region)
    register_tags(stack_tags(configuration, stack_name(account_id, region)))
    _refuse_other_account(account_id)
    v, estate = configuration.values, configuration.estate_of(target)
    key = Key(
        "log-key",
        KeyArgs(
            alias="alias/db-admin-report-logs",
            description="db-admin-report: log groups",
            policy=key_policies.log_key_policy(estate, account_id, region, _log_groups(account_id, region)),
        ),
    )
    log_args = LogGroupArgs(account_id, region, "worker", key.arn, partition=configuration.partition)
    log_group = LogGroup("worker-log", log_args)
    roles = WorkerRoles("role", WorkerRolesArgs(configuration, target, (log_args.arn,)))
    network = _network(configuration, target, log_args.arn)
    given = (target.network.security_group_ids or []) if target.network else []
    function = WorkerFunction(
        "worker",
        WorkerFunctionArgs(
            function_name=target.worker.function_name,
            package=configuration.package,
            architecture=v.architecture,
            memory_mb=v.memory_mb,
            timeout_seconds=target.worker.timeout_seconds,
            reserved_concurrency=v.reserved_concurrency,
            provisioned_concurrency=v.provisioned_concurrency,
            role=roles.worker,
            log_group=log_group,
            subnet_ids=target.network.subnet_ids if target.network else [],
            security_group_ids=[network.group.id, *given] if network else [],
            environment=network.environment if network else {},
        ),
    )
    alarms = worker_alarms(
        account_id,
        region,
        target.worker.function_name,
        timeout_seconds=target.worker.timeout_seconds,
        most_users=v.most_users,
    )
    Alarms("alarms", AlarmsArgs(f"{account_id}/{region}", alarms))
    watched = {
        "alarms": event_patterns.own_alarms(),
        "refused-roles": event_patterns.refused_roles(SERVICE),
        "refused-secrets": event_patterns.refused_secrets(),
        "changed-logs": event_patterns.changed_logs(f"{LOG_PATH}/{account_id}/"),
    }
    AccessWatch("watch", AccessWatchArgs("worker", watched, configuration.bus_arn, roles.alarms.arn))
    outputs: dict[str, Any] = {"invoker_role_arn": roles.invoker.arn} if roles.invoker else {}
    if network:
        outputs["security_group_id"] = network.group.id
    _export(
        function_arn=function.arn,
        worker_role_arn=roles.worker.arn,
        log_group=log_group.name,
        log_key_arn=key.arn,
        **outputs,
    )


def _network(configuration: Configuration, target: Target, log_group_arn: str) -> WorkerNetwork | None:
    if target.network is None:
        return None
    v = configuration.values
    ports = {*DEFAULT_PORTS.values(), *(d.port for d in target.databases if d.port)}
    args = WorkerNetworkArgs(
        estate=configuration.estate_of(target),
        account_id=target.account_id,
        region=target.region,
        vpc_id=target.network.vpc_id,
        subnet_ids=target.network.subnet_ids,
        ports=sorted(ports),
        database_cidrs=v.database_cidrs,
        endpoints=sorted(set(v.endpoints)),
        route_tables=v.route_tables.get(target.network.vpc_id, []),
        bucket_region=v.central_region,
        log_group_arn=log_group_arn,
        discovery=target.worker.discover,
    )
    return WorkerNetwork("network", args)


def _log_groups(account_id: str, region: str) -> str:
    return f"{LOG_PATH}/{account_id}/{region}/*"


def _refuse_other_account(account_id: str) -> None:
    """Stop before anything is made with the credentials of another account."""
    found = aws.get_caller_identity().account_id
    if found != account_id:
        raise pulumi.RunError(f"the credentials are of account {found}, this stack is for {account_id}")


def _export(**outputs: Any) -> None:
    for name, value in outputs.items():
        pulumi.export(name, value)
