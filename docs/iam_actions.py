"""docs/iam-actions.md: every action that a policy of ours allows or denies, on what, and why; and who may be whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infra import policies
from infra.policies import Estate, Policy, Statement, dagster, keys, resources
from infra.policies.reasons import REASONS

CENTRAL, ACCOUNT, REGION = "CENTRAL", "ACCOUNT", "REGION"
_LOGS = f"arn:aws:logs:{REGION}:{{account}}:log-group:/aws/security-ops/{{account}}/{REGION}/*"

ESTATE = Estate(
    central_account_id=CENTRAL,
    bucket="BUCKET",
    organization_id="ORGANIZATION",
    external_id="EXTERNAL_ID",
    inventory_key="inventory/db-admin-report.yaml",
    inventory_parameter="/db-admin-report/inventory",
    bucket_key_arn="EVIDENCE_KEY",
    signing_key_arn="SIGNING_KEY",
    topic_arn="TOPIC",
    topic_key_arn="OPERATIONS_KEY",
    worker_role=f"db-admin-report-worker-{REGION}",
)
NAMES = dagster.DagsterNames(
    account_id=CENTRAL,
    region=REGION,
    cluster="CLUSTER",
    run_family="db-admin-report-run",
    services_role="db-admin-report-dagster-services",
    code_role="db-admin-report-dagster-code",
    execution_role="db-admin-report-dagster-execution",
    log_group_arns=(_LOGS.format(account=CENTRAL),),
)

PAGE = """\
# Every IAM action, and why

{notice}

Upper case stands for what differs: `CENTRAL` and `ACCOUNT` are account ids. Rights that depend on the configuration (an inventory in
Parameter Store, customer keys, IAM authentication, discovery, a VPC) are all shown; a deployment has those that it needs.
[security.md](security.md) says what was tried against these policies.

## Who may become whom

| Role | Who | Where |
|---|---|---|
{trusts}

{tables}"""


def documents() -> Mapping[str, list[Policy]]:
    """Every policy but those of trust, by its name in REASONS, with everything that can be configured."""
    account_logs = _LOGS.format(account=ACCOUNT)
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/KEY"
    worker = policies.worker_identity(
        ESTATE, ACCOUNT, region=REGION, log_group_arns=(account_logs,), secrets=("SECRET",), secret_key_arns=(key,),
        iam_database_users=("USER",), in_vpc=True, discovery=True,
    )  # fmt: skip
    services = resources.INTERFACE_ENDPOINTS
    return {
        "orchestrator role": [policies.orchestrator_identity(ESTATE)],
        "invoker role": [policies.invoker_identity(ESTATE, ACCOUNT)],
        "worker role": [worker],
        "writer role": [policies.writer_identity(ESTATE, ACCOUNT)],
        "every role": [policies.log_deletion_deny((account_logs,))],
        "role of alarm rules": [resources.alarm_forwarding_identity("BUS")],
        "Dagster's services": [dagster.services_identity(ESTATE, NAMES)],
        "Dagster's code location": [dagster.code_location_identity(ESTATE)],
        "Dagster's execution role": [
            dagster.execution_identity(
                NAMES,
                repository_arn="REPOSITORY",
                secret_arn="SECRET",  # noqa: S106 - a placeholder
                key_arn="OPERATIONS_KEY",
            )
        ],
        "Dagster's restart role": [dagster.restart_identity(NAMES)],
        "Dagster+ agent": [dagster.agent_identity(ESTATE, NAMES, "NAMESPACE")],
        "evidence bucket": [policies.bucket_policy(ESTATE)],
        "log bucket": [resources.log_bucket_policy(ESTATE, "LOG_BUCKET", REGION, "TRAIL")],
        "evidence key": [keys.bucket_key_policy(ESTATE, REGION)],
        "signing key": [keys.signing_key_policy(ESTATE)],
        "log key": [keys.log_key_policy(ESTATE, ACCOUNT, REGION, f"/aws/security-ops/{ACCOUNT}/{REGION}/*")],
        "operations key": [keys.operations_key_policy(ESTATE, REGION, f"/aws/security-ops/{CENTRAL}/*")],
        "alert topic": [resources.topic_policy(ESTATE, "TOPIC")],
        "event bus": [resources.bus_policy(ESTATE, "BUS")],
        "interface endpoint": [
            resources.endpoint_policy(ESTATE, service, ACCOUNT, REGION, account_logs) for service in services
        ],
        "S3 gateway endpoint": [resources.s3_gateway_policy(ESTATE, ACCOUNT)],
    }


def trusts() -> Mapping[str, Policy]:
    """Every trust policy, by role."""
    operator = f"arn:aws:iam::{CENTRAL}:role/OPERATOR"
    tasks = policies.service_trust(CENTRAL, "ecs-tasks.amazonaws.com")
    return {
        "orchestrator role": policies.orchestrator_trust(
            ESTATE, services=("ecs-tasks.amazonaws.com",), operators=(operator,)
        ),
        "invoker role": policies.invoker_trust(ESTATE),
        "worker role": policies.worker_trust(),
        "writer role": policies.writer_trust(ESTATE, ACCOUNT),
        "role of alarm rules": policies.service_trust(ACCOUNT, "events.amazonaws.com"),
        "Dagster's services, code location, execution; Dagster+ agent": tasks,
        "Dagster's restart role": policies.service_trust(CENTRAL, "scheduler.amazonaws.com"),
    }


def page(notice: str) -> str:
    """The whole document."""
    who = [
        f"| {role} | {_lines(_principals(statement))} | {_condition(statement)} |"
        for role, trust in trusts().items()
        for statement in trust["Statement"]
    ]
    tables = [_table(name, found) for name, found in documents().items()]
    return PAGE.format(notice=notice, trusts="\n".join(who), tables="\n".join(tables))


def _table(name: str, found: list[Policy]) -> str:
    lines = [f"## {name[0].upper()}{name[1:]}", "", "| Action | On | Where | Why |", "|---|---|---|---|"]
    for statement in (s for document in found for s in document["Statement"]):
        word = "**deny** " if statement["Effect"] == "Deny" else ""
        actions = word + _lines(_listed(statement["Action"]))
        on = "this key" if name.endswith(" key") else _lines(_listed(statement["Resource"]))
        lines.append(f"| {actions} | {on} | {_condition(statement)} | {REASONS[name][statement['Sid']]} |")
    return "\n".join(lines) + "\n"


def _condition(statement: Statement) -> str:
    """Whom it speaks of, where it is not the role that carries it, and its conditions."""
    parts = []
    if "Principal" in statement and statement["Action"] != "sts:AssumeRole" and statement["Principal"] != "*":
        parts.append(f"principal {_lines(_principals(statement))}")
    for operator, tests in statement.get("Condition", {}).items():
        parts += [f"{key} {operator} {_lines(_listed(value))}" for key, value in tests.items()]
    return "<br>".join(parts)


def _principals(statement: Statement) -> Iterator[str]:
    for value in statement["Principal"].values():
        yield from _listed(value)


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _lines(texts: Iterator[str] | list[str]) -> str:
    return "<br>".join(f"`{text}`" for text in texts)
