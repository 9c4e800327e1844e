"""Identity policies of Dagster: its services on ECS, and the agent of Dagster+.

Webserver and daemon start runs and can do nothing else; the code location reads the inventory and publishes alerts;
only a run is the orchestrator.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.policies.estate import Estate
from infra.policies.orchestrator import alert_statements, inventory_statements
from infra.policies.statements import Policy, Statement, allow, policy


@dataclass(frozen=True, slots=True)
class DagsterNames:
    """What the policies of one Dagster deployment speak of.

    Attributes:
        run_family: family of the task definition that runs are started from.
        log_group_arns: the groups of its containers.
    """

    account_id: str
    region: str
    cluster: str
    run_family: str
    services_role: str
    code_role: str
    execution_role: str
    log_group_arns: tuple[str, ...]
    partition: str = "aws"

    def ecs_arn(self, path: str) -> str:
        """ARN of something of ECS."""
        return f"arn:{self.partition}:ecs:{self.region}:{self.account_id}:{path}"


def services_identity(estate: Estate, names: DagsterNames) -> Policy:
    """Webserver and daemon: what EcsRunLauncher calls with a task definition that is there already."""
    in_cluster = {"ArnEquals": {"ecs:cluster": names.ecs_arn(f"cluster/{names.cluster}")}}
    tasks = names.ecs_arn(f"task/{names.cluster}/*")
    started = {"StringEquals": {"ecs:CreateAction": "RunTask"}}
    roles = (estate.orchestrator_role, names.execution_role)
    streams = [f"{arn}:log-stream:*" for arn in names.log_group_arns]
    family = names.ecs_arn(f"task-definition/{names.run_family}:*")
    reads = ["ecs:DescribeTaskDefinition", "ecs:ListAccountSettings", "ec2:DescribeNetworkInterfaces"]
    return policy(
        [
            allow("StartRuns", "ecs:RunTask", family) | {"Condition": in_cluster},
            allow("WatchRuns", ["ecs:DescribeTasks", "ecs:StopTask"], tasks) | {"Condition": in_cluster},
            allow("TagRuns", "ecs:TagResource", tasks) | {"Condition": started},
            _pass_roles(names, roles),
            allow("ReadRunLogs", "logs:GetLogEvents", streams),
            allow("LookUp", reads, "*"),
        ]
    )


def code_location_identity(estate: Estate) -> Policy:
    """The code location's server, whose sensors read the inventory, look how old the newest report is, and publish.

    It neither assumes a role nor writes.
    """
    latest = estate.bucket_arn("reports/latest.json")
    statements = [
        *inventory_statements(estate),
        allow("ReadLatestReport", "s3:GetObject", latest),
        allow("SeeLatestReport", "s3:ListBucket", estate.bucket_arn())
        | {"Condition": {"StringEquals": {"s3:prefix": "reports/latest.json"}}},
        *alert_statements(estate),
    ]
    if estate.bucket_key_arn:
        statements.append(allow("DecryptBucket", "kms:Decrypt", estate.bucket_key_arn))
    return policy(statements)


def execution_identity(
    names: DagsterNames, *, repository_arn: str, secret_arn: str | None = None, key_arn: str | None = None
) -> Policy:
    """What ECS itself does to start a container: pull the image, read the database's password, open the log."""
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    streams = [f"{arn}:log-stream:*" for arn in names.log_group_arns]
    statements = [
        allow("PullImage", pull, repository_arn),
        allow("LogInToRegistry", "ecr:GetAuthorizationToken", "*"),
        allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], streams),
    ]
    if secret_arn:
        statements.append(allow("ReadDatabasePassword", "secretsmanager:GetSecretValue", secret_arn))
    if key_arn:
        via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{names.region}.amazonaws.com"}}
        statements.append(allow("DecryptDatabasePassword", "kms:Decrypt", key_arn) | {"Condition": via})
    return policy(statements)


def restart_identity(names: DagsterNames) -> Policy:
    """The scheduler starts the services anew after their database password was rotated."""
    return policy([allow("RestartServices", "ecs:UpdateService", names.ecs_arn(f"service/{names.cluster}/*"))])


def agent_identity(estate: Estate, names: DagsterNames, namespace_arn: str) -> Policy:
    """The Dagster+ agent on ECS: makes a service per code location and a task per run, in one cluster.

    From Dagster's list for its ECS agent, held to the cluster and the namespace where an action knows a resource. Its
    secrets (the agent token) come through the execution role; secretsmanager:ListSecrets is left out, so secrets
    are named, not tagged.
    """
    cluster = names.ecs_arn(f"cluster/{names.cluster}")
    in_cluster = {"ArnEquals": {"ecs:cluster": cluster}}
    services, tasks = names.ecs_arn(f"service/{names.cluster}/*"), names.ecs_arn(f"task/{names.cluster}/*")
    families = names.ecs_arn("task-definition/*:*")
    discovery = f"arn:{names.partition}:servicediscovery:{names.region}:{names.account_id}:service/*"
    change = ["ecs:CreateService", "ecs:UpdateService", "ecs:DeleteService", "ecs:DescribeServices"]
    own = ["ecs:RunTask", "ecs:StopTask", "ecs:DescribeTasks", "ecs:ListTasks"]
    reads = ["ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:ListAccountSettings", "ecs:ListServices"]
    reads += ["servicediscovery:ListServices", "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables"]
    streams = [f"{arn}:log-stream:*" for arn in names.log_group_arns]
    return policy(
        [
            allow("ServeCodeLocations", change, services) | {"Condition": in_cluster},
            allow("StartTasks", own, [families, tasks]) | {"Condition": in_cluster},
            allow("Tag", ["ecs:TagResource", "ecs:ListTagsForResource"], [services, tasks, families]),
            allow(
                "NameCodeLocations",
                [
                    "servicediscovery:CreateService",
                    "servicediscovery:DeleteService",
                    "servicediscovery:GetNamespace",
                    "servicediscovery:TagResource",
                    "servicediscovery:ListTagsForResource",
                ],
                [namespace_arn, discovery],
            ),
            _pass_roles(names, (estate.orchestrator_role, names.execution_role)),
            allow("ReadLogs", "logs:GetLogEvents", streams),
            allow("LookUpAndRegister", reads, "*"),
        ]
    )


def _pass_roles(names: DagsterNames, roles: tuple[str, ...]) -> Statement:
    arns = [f"arn:{names.partition}:iam::{names.account_id}:role/{role}" for role in roles]
    to_ecs = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    return allow("PassRoles", "iam:PassRole", arns) | {"Condition": to_ecs}
