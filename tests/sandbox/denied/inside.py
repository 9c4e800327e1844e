"""Attempts on what stands inside an account: secrets, keys, logs, functions, alerts."""

from __future__ import annotations

import json
from typing import Any

from sandbox.organization import BUCKET
from sandbox.plan import CENTRAL_ACCOUNT, HOME_REGION
from sandbox.stack import Sandbox
from tests.sandbox.acting import administrator, client, documents_of, invoker, worker, writer
from tests.sandbox.denied.attempt import LOG_GROUP, ONE, OTHER, OTHER_SECRET, SECRET, Attempt, over_plain_http

ALERT = "db-admin-report-alerts"


def attempts() -> list[Attempt]:
    return [*_secrets(), *_keys(), *_logs(), *_functions(), *_alerts()]


def read_secret(sandbox: Sandbox, credentials: dict[str, Any], name: str = SECRET) -> object:
    """The text of a secret in the first region."""
    return client(sandbox, "secretsmanager", credentials).get_secret_value(SecretId=name)


def sign(sandbox: Sandbox, credentials: dict[str, Any]) -> object:
    """A signature of the manifests' key."""
    return client(sandbox, "kms", credentials).sign(
        KeyId=sandbox.organization.estate.signing_key_arn, Message=b"0" * 32, MessageType="DIGEST",
        SigningAlgorithm="ECDSA_SHA_256",
    )  # fmt: skip


def _secrets() -> list[Attempt]:
    def other_secret(sandbox: Sandbox) -> object:
        owner = sandbox.organization.aws.client("secretsmanager", ONE, HOME_REGION)
        owner.create_secret(Name="payroll/denied", SecretString="{}")
        return read_secret(sandbox, worker(sandbox, ONE), "payroll/denied")

    def other_account(sandbox: Sandbox) -> object:
        arn = f"arn:aws:secretsmanager:{HOME_REGION}:{OTHER}:secret:{OTHER_SECRET}"
        return read_secret(sandbox, worker(sandbox, ONE), arn)

    path = "the worker's identity policy: secrets of one path, in one region"
    return [
        Attempt("a worker", "read another secret of its account", path, other_secret),
        Attempt("a worker", "read another account's secret", path, other_account,
                ("AccessDenied", "AccessDeniedException", "ResourceNotFoundException")),
        Attempt("a worker", "read a secret of another region", path,
                lambda s: read_secret(s, worker(s, ONE, "eu-west-1"))),
        Attempt("a worker, as writer", "read a database's secret", "the writer's identity policy",
                lambda s: read_secret(s, writer(s, ONE, of=ONE))),
        Attempt("orchestrator, as invoker", "read a database's secret", "the invoker's identity policy",
                lambda s: read_secret(s, invoker(s, ONE))),
    ]  # fmt: skip


def _keys() -> list[Attempt]:
    def decrypt(sandbox: Sandbox, credentials: dict[str, Any]) -> object:
        head = sandbox.s3().head_object(Bucket=BUCKET, Key="inventory/db-admin-report.yaml")
        return client(sandbox, "kms", credentials).generate_data_key(KeyId=head["SSEKMSKeyId"], KeySpec="AES_256")

    def remove_key(sandbox: Sandbox) -> object:
        return sandbox.as_orchestrator("kms").schedule_key_deletion(
            KeyId=sandbox.organization.estate.signing_key_arn, PendingWindowInDays=7
        )

    signing = "key policy: the orchestrator only"
    return [
        Attempt("an administrator of the central account", "sign a manifest", signing,
                lambda s: sign(s, administrator(s))),
        Attempt("a worker", "sign a manifest", signing, lambda s: sign(s, worker(s, ONE))),
        Attempt("an administrator of the central account", "use the evidence key past S3",
                "key policy: through S3 only", lambda s: decrypt(s, administrator(s))),
        Attempt("orchestrator", "delete the signing key", "the orchestrator's identity policy", remove_key),
    ]  # fmt: skip


def _logs() -> list[Attempt]:
    def remove(sandbox: Sandbox, credentials: dict[str, Any]) -> object:
        return client(sandbox, "logs", credentials).delete_log_group(logGroupName=LOG_GROUP)

    def as_everything(sandbox: Sandbox) -> object:
        role = worker_role(sandbox)
        kept = documents_of(sandbox, ONE, role)["keep-security-logs"]
        return remove(sandbox, administrator(sandbox, ONE, "LogKeeper", kept))

    def shorten(sandbox: Sandbox) -> object:
        logs = client(sandbox, "logs", worker(sandbox, ONE))
        return logs.put_retention_policy(logGroupName=LOG_GROUP, retentionInDays=1)

    deny = "the explicit deny that every role of ours has"
    return [
        Attempt("a worker", "delete its log group", deny, lambda s: remove(s, worker(s, ONE))),
        Attempt("a worker", "shorten the retention of its log group", deny, shorten),
        Attempt("a role of ours that may do everything else", "delete a security log group", deny, as_everything),
    ]


def worker_role(sandbox: Sandbox) -> str:
    """Name of the first account's worker role."""
    function = next(f for f in sandbox.organization.functions if (f.account_id, f.region) == (ONE, HOME_REGION))
    return function.role_arn.rpartition("/")[2]


def _functions() -> list[Attempt]:
    def change(sandbox: Sandbox) -> object:
        functions = client(sandbox, "lambda", invoker(sandbox, ONE))
        return functions.update_function_code(FunctionName="db-admin-report-worker", ZipFile=b"")

    def other(sandbox: Sandbox) -> object:
        return client(sandbox, "lambda", invoker(sandbox, ONE)).invoke(FunctionName="payroll")

    def itself(sandbox: Sandbox) -> object:
        return client(sandbox, "lambda", worker(sandbox, ONE)).invoke(FunctionName="db-admin-report-worker")

    may = "the invoker's identity policy"
    return [
        Attempt("orchestrator, as invoker", "change the worker's code", may, change),
        Attempt("orchestrator, as invoker", "invoke another function", may, other),
        Attempt("a worker", "invoke a worker", "the worker's identity policy", itself),
    ]


def _alerts() -> list[Attempt]:
    topic = f"arn:aws:sns:{HOME_REGION}:{CENTRAL_ACCOUNT}:{ALERT}"

    def publish(sns: Any) -> object:
        return sns.publish(TopicArn=topic, Message=json.dumps({"denied": True}))

    def plain(sandbox: Sandbox) -> object:
        publish(sandbox.as_orchestrator("sns"))
        return publish(over_plain_http(sandbox.as_orchestrator("sns")))

    return [
        Attempt("orchestrator", "publish an alert over plain HTTP", "topic policy", plain),
        Attempt("a worker", "publish an alert", "topic policy, and the worker's identity policy",
                lambda s: publish(client(s, "sns", worker(s, ONE)))),
    ]  # fmt: skip
