"""Policies of resources other than the evidence bucket and keys: topic, event bus, log bucket, VPC endpoints."""

from __future__ import annotations

from infra.policies.estate import Estate
from infra.policies.statements import Policy, Statement, allow, deny, policy

ALARM_ROLE = "db-admin-report-alarms-{region}"
LOG_PATH = "/aws/security-ops"
METRIC_NAMESPACE = "DbAdminReport"

# What a worker's network may ask for; the first two are all that reading databases needs.
INTERFACE_ENDPOINTS = ("secretsmanager", "sts", "logs", "kms", "rds", "ec2", "monitoring")


def topic_policy(estate: Estate, topic_arn: str) -> Policy:
    """Who publishes to the alert topic: CloudWatch alarms and EventBridge rules of the central account, over TLS.

    The orchestrator needs no statement: its identity policy allows it, within one account that is enough.
    """
    publish = allow("AlarmsPublish", "sns:Publish", topic_arn)
    publish["Principal"] = {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}
    publish["Condition"] = {"StringEquals": {"aws:SourceAccount": estate.central_account_id}}
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    return policy([publish, deny("DenyInsecureTransport", "sns:Publish", topic_arn, plain)])


def bus_policy(estate: Estate, bus_arn: str) -> Policy:
    """Who sends events to the central bus: the alarm roles of the organization's worker accounts, nobody else."""
    send = allow("WorkersSendAlarms", "events:PutEvents", bus_arn)
    send["Principal"] = {"AWS": "*"}
    send["Condition"] = {
        "StringEquals": {"aws:PrincipalOrgID": estate.organization_id},
        "ArnLike": {"aws:PrincipalArn": estate.principal_arns("*", ALARM_ROLE.format(region="*"))},
    }
    return policy([send])


def alarm_forwarding_identity(bus_arn: str) -> Policy:
    """events:PutEvents: a worker account's alarms go to the central bus, and nowhere else."""
    return policy([allow("SendAlarms", "events:PutEvents", bus_arn)])


def log_bucket_policy(estate: Estate, log_bucket: str, region: str, trail: str) -> Policy:
    """The bucket that the evidence bucket's and the load balancer's access logs, and the trail, are delivered to.

    Only AWS's delivery services write, for the central account. TLS only, nobody from outside the organization, and
    nothing is deleted but by the lifecycle rule. S3 delivers access logs to SSE-S3 buckets only, hence no key here.
    """
    arn = f"arn:{estate.partition}:s3:::{log_bucket}"
    account = estate.central_account_id
    source = {"StringEquals": {"aws:SourceAccount": account}}
    trail_arn = f"arn:{estate.partition}:cloudtrail:{region}:{account}:trail/{trail}"
    from_trail = {"StringEquals": {"aws:SourceArn": trail_arn}}
    balancers = {"ArnLike": {"aws:SourceArn": f"arn:{estate.partition}:elasticloadbalancing:{region}:{account}:*"}}
    return policy(
        [
            _delivery("S3AccessLogs", "logging.s3.amazonaws.com", f"{arn}/access/*", source),
            _delivery("TrailLogs", "cloudtrail.amazonaws.com", f"{arn}/trail/AWSLogs/{account}/*", from_trail),
            _delivery("TrailChecks", "cloudtrail.amazonaws.com", arn, from_trail, action="s3:GetBucketAcl"),
            _delivery(
                "LoadBalancerLogs",
                "logdelivery.elasticloadbalancing.amazonaws.com",
                f"{arn}/balancer/AWSLogs/{account}/*",
                balancers,
            ),
            deny("DenyInsecureTransport", "s3:*", [arn, f"{arn}/*"], {"Bool": {"aws:SecureTransport": "false"}}),
            deny("DenyOldTls", "s3:*", [arn, f"{arn}/*"], {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
            deny(
                "DenyOutsideOrganization",
                "s3:*",
                [arn, f"{arn}/*"],
                {
                    "StringNotEquals": {"aws:PrincipalOrgID": estate.organization_id},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            ),
            deny("DenyRemovingLogs", ["s3:DeleteObject", "s3:DeleteObjectVersion"], f"{arn}/*"),
        ]
    )


def _delivery(
    sid: str, service: str, resource: str, condition: dict[str, dict[str, str]], action: str = "s3:PutObject"
) -> Statement:
    return allow(sid, action, resource) | {"Principal": {"Service": service}, "Condition": condition}


def endpoint_policy(estate: Estate, service: str, account_id: str, region: str, log_group_arn: str) -> Policy:
    """What may pass through a worker's interface endpoint: that account's worker, with what its role has, too.

    Raises:
        KeyError: for a service that no worker asks for.
    """
    part = estate.partition
    own = f"{region}:{account_id}"
    writer = estate.role_arn(estate.central_account_id, estate.writer_role_for(account_id))
    statements: dict[str, tuple[str | list[str], str | list[str]]] = {
        # The role holds the worker to its path; secrets that the inventory names elsewhere pass here as well.
        "secretsmanager": ("secretsmanager:GetSecretValue", f"arn:{part}:secretsmanager:{own}:secret:*"),
        "sts": ("sts:AssumeRole", writer),
        "logs": (["logs:CreateLogStream", "logs:PutLogEvents"], f"{log_group_arn}:log-stream:*"),
        "kms": ("kms:Decrypt", f"arn:{part}:kms:{own}:key/*"),
        "rds": (["rds:DescribeDBInstances", "rds:DescribeDBClusters"], "*"),
        "ec2": ("ec2:DescribeInstances", "*"),
        "monitoring": ("cloudwatch:PutMetricData", "*"),
    }
    actions, resources = statements[service]
    statement = allow("WorkerOnly", actions, resources)
    statement["Principal"] = "*"
    condition: dict[str, dict[str, object]] = {
        "ArnLike": {"aws:PrincipalArn": estate.principal_arns(account_id, estate.worker_role)}
    }
    if service == "monitoring":
        condition["StringEquals"] = {"cloudwatch:namespace": METRIC_NAMESPACE}
    statement["Condition"] = condition
    return policy([statement])


def s3_gateway_policy(estate: Estate, account_id: str) -> Policy:
    """What may pass through a worker's S3 gateway endpoint: its own results, put by its account's writer role."""
    put = allow("PutOwnResults", "s3:PutObject", estate.bucket_arn(f"collections/*/{account_id}/*"))
    writers = estate.principal_arns(estate.central_account_id, estate.writer_role_for(account_id))
    put["Principal"] = "*"
    put["Condition"] = {"ArnLike": {"aws:PrincipalArn": writers}}
    return policy([put])
