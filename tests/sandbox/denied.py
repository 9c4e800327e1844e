"""Every forbidden thing that is tried on the running local AWS: who tries what, and what must refuse it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from botocore.awsrequest import AWSRequest

from infra.policies import log_deletion_deny
from sandbox.organization import BUCKET, INVENTORY_KEY
from sandbox.plan import CENTRAL_ACCOUNT, HOME_REGION
from sandbox.stack import Sandbox
from tests.sandbox.acting import client, invoker, worker, writer

ONE, OTHER = "100000000000", "100000000001"
RESULT = f"collections/denied/{ONE}/us-east-1/1.json"
EVIDENCE = "reports/2024/01/15/20240115T142233Z-denied00/manifest.json"
SECRET = "db-admin-report/db-0000"
LOG_GROUP = f"/aws/security-ops/{ONE}/us-east-1/db-admin-report/worker"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt.

    Attributes:
        refused_by: what refuses it, as a reader of docs/security.md looks for it.
        call: makes it; raises where it is refused.
        codes: error codes that count as that refusal.
    """

    who: str
    what: str
    refused_by: str
    call: Callable[[Sandbox], object]
    codes: tuple[str, ...] = ("AccessDenied", "AccessDeniedException")


def attempts() -> list[Attempt]:
    """All of them, grouped by who."""
    return [*_roles(), *_results(), *_evidence(), *_secrets(), *_keys(), *_logs()]


def _roles() -> list[Attempt]:
    def become_invoker(sandbox: Sandbox, credentials: Any) -> object:
        estate = sandbox.organization.estate
        arn = estate.role_arn(OTHER, estate.invoker_role)
        sts = client(sandbox, "sts", credentials)
        return sts.assume_role(RoleArn=arn, RoleSessionName="denied", ExternalId=estate.external_id)

    def root(sandbox: Sandbox) -> object:
        return become_invoker(sandbox, {"AccessKeyId": CENTRAL_ACCOUNT, "SecretAccessKey": "test"})

    trust, own = "trust policy of the invoker role", "trust policy of the writer role"
    return [
        Attempt("orchestrator", "enter an account without the ExternalId", trust, lambda s: invoker(s, ONE, None)),
        Attempt("orchestrator", "enter an account with another ExternalId", trust, lambda s: invoker(s, ONE, "other")),
        Attempt("a worker", "enter another account", trust, lambda s: become_invoker(s, worker(s, ONE))),
        Attempt("root of the central account", "enter an account", trust, root),
        Attempt("a worker", "become another account's writer", own, lambda s: writer(s, ONE, of=OTHER)),
        Attempt("a worker", "become its writer with another ExternalId", own,
                lambda s: writer(s, ONE, of=ONE, external_id="other")),
    ]  # fmt: skip


def _put(sandbox: Sandbox, credentials: dict[str, Any], key: str) -> object:
    return client(sandbox, "s3", credentials).put_object(Bucket=BUCKET, Key=key, Body=b"{}", IfNoneMatch="*")


def _results() -> list[Attempt]:
    def by_writer(key: str) -> Callable[[Sandbox], object]:
        return lambda sandbox: _put(sandbox, writer(sandbox, ONE, of=ONE), key)

    def twice(sandbox: Sandbox) -> object:
        by_writer(RESULT)(sandbox)
        return by_writer(RESULT)(sandbox)

    def read(sandbox: Sandbox) -> object:
        return client(sandbox, "s3", writer(sandbox, ONE, of=ONE)).get_object(Bucket=BUCKET, Key=RESULT)

    identity = "the writer's identity policy: one account's literal prefix"
    made_up = "bucket policy: results from writer roles only"
    return [
        Attempt("a worker", "write another account's result", identity,
                by_writer(f"collections/denied/{OTHER}/us-east-1/1.json")),
        Attempt("a worker", "write a verdict", identity, by_writer(f"outcomes/denied/{ONE}/us-east-1.json")),
        Attempt("a worker", "write into a report", identity, by_writer(EVIDENCE)),
        Attempt("a worker", "change the inventory", identity, by_writer(INVENTORY_KEY)),
        Attempt("a worker", "read a result back", identity, read),
        Attempt("a worker", "overwrite its own result", "If-None-Match", twice, ("PreconditionFailed",)),
        Attempt("orchestrator", "write a worker's result", made_up,
                lambda s: s.as_orchestrator("s3").put_object(Bucket=BUCKET, Key=RESULT, Body=b"{}")),
        Attempt("an administrator of the central account", "make up a worker's result", made_up,
                lambda s: _put(s, administrator(s), f"collections/denied/{OTHER}/us-east-1/9.json")),
    ]  # fmt: skip


def _evidence() -> list[Attempt]:
    def stored(sandbox: Sandbox) -> str:
        return str(sandbox.s3().put_object(Bucket=BUCKET, Key=EVIDENCE, Body=b"evidence")["VersionId"])

    def remove(sandbox: Sandbox) -> object:
        stored(sandbox)
        return sandbox.as_orchestrator("s3").delete_object(Bucket=BUCKET, Key=EVIDENCE)

    def remove_version(sandbox: Sandbox) -> object:
        return sandbox.s3().delete_object(Bucket=BUCKET, Key=EVIDENCE, VersionId=stored(sandbox))

    def shorten(sandbox: Sandbox) -> object:
        version, soon = stored(sandbox), datetime.now(UTC) + timedelta(days=1)
        return sandbox.as_orchestrator("s3").put_object_retention(
            Bucket=BUCKET, Key=EVIDENCE, VersionId=version, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": soon}
        )

    def overwrite(sandbox: Sandbox) -> object:
        stored(sandbox)
        return sandbox.as_orchestrator("s3").put_object(Bucket=BUCKET, Key=EVIDENCE, Body=b"{}", IfNoneMatch="*")

    def over_plain_http(sandbox: Sandbox) -> object:
        stored(sandbox)
        s3 = sandbox.as_orchestrator("s3")
        s3.get_object(Bucket=BUCKET, Key=EVIDENCE)
        # The local AWS speaks TLS only; it takes this header, as from a proxy that ends TLS, for how the caller came.
        say_so = partial(_add_header, "X-Forwarded-Proto", "http")
        s3.meta.events.register("before-sign", say_so)
        return s3.get_object(Bucket=BUCKET, Key=EVIDENCE)

    return [
        Attempt("orchestrator", "read evidence over plain HTTP", "bucket policy", over_plain_http),
        Attempt("orchestrator", "delete evidence", "bucket policy", remove),
        Attempt("orchestrator", "overwrite evidence", "If-None-Match", overwrite, ("PreconditionFailed",)),
        Attempt("root of the central account", "delete a version of evidence", "Object Lock", remove_version),
        Attempt("orchestrator", "shorten the retention of evidence", "Object Lock", shorten),
        Attempt("orchestrator", "list all of the bucket", "the orchestrator's identity policy",
                lambda s: s.as_orchestrator("s3").list_objects_v2(Bucket=BUCKET)),
    ]  # fmt: skip


def _add_header(name: str, value: str, request: AWSRequest, **_: Any) -> None:
    request.headers.add_header(name, value)


def _secrets() -> list[Attempt]:
    def other_secret(sandbox: Sandbox) -> object:
        owner = sandbox.organization.aws.client("secretsmanager", ONE, HOME_REGION)
        owner.create_secret(Name="payroll/denied", SecretString="{}")
        return client(sandbox, "secretsmanager", worker(sandbox, ONE)).get_secret_value(SecretId="payroll/denied")

    def other_account(sandbox: Sandbox) -> object:
        arn = f"arn:aws:secretsmanager:{HOME_REGION}:{OTHER}:secret:{SECRET}"
        return client(sandbox, "secretsmanager", worker(sandbox, ONE)).get_secret_value(SecretId=arn)

    def through_invoker(sandbox: Sandbox) -> object:
        return client(sandbox, "secretsmanager", invoker(sandbox, ONE)).get_secret_value(SecretId=SECRET)

    path = "the worker's identity policy: secrets of one path"
    return [
        Attempt("a worker", "read another secret of its account", path, other_secret),
        Attempt("a worker", "read another account's secret", path, other_account,
                ("AccessDenied", "AccessDeniedException", "ResourceNotFoundException")),
        Attempt("orchestrator, as invoker", "read a database's secret", "the invoker's identity policy",
                through_invoker),
    ]  # fmt: skip


def _keys() -> list[Attempt]:
    def sign(sandbox: Sandbox, credentials: dict[str, Any]) -> object:
        return client(sandbox, "kms", credentials).sign(
            KeyId=sandbox.organization.estate.signing_key_arn, Message=b"0" * 32, MessageType="DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )  # fmt: skip

    def remove_key(sandbox: Sandbox) -> object:
        return sandbox.as_orchestrator("kms").schedule_key_deletion(
            KeyId=sandbox.organization.estate.signing_key_arn, PendingWindowInDays=7
        )

    return [
        Attempt("an administrator of the central account", "sign a manifest", "key policy: the orchestrator only",
                lambda s: sign(s, administrator(s))),
        Attempt("a worker", "sign a manifest", "key policy: the orchestrator only", lambda s: sign(s, worker(s, ONE))),
        Attempt("orchestrator", "delete the signing key", "the orchestrator's identity policy", remove_key),
    ]  # fmt: skip


def _logs() -> list[Attempt]:
    def remove(sandbox: Sandbox) -> object:
        sandbox.organization.aws.client("logs", ONE, HOME_REGION).create_log_group(logGroupName=LOG_GROUP)
        arn = f"arn:aws:logs:{HOME_REGION}:{ONE}:log-group:{LOG_GROUP}"
        keeper = administrator(sandbox, ONE, "LogKeeper", log_deletion_deny((arn,)))
        return client(sandbox, "logs", keeper).delete_log_group(logGroupName=LOG_GROUP)

    return [Attempt("a role of ours that may do everything else", "delete a security log group",
                    "the explicit deny that every role of ours has", remove)]  # fmt: skip


def administrator(
    sandbox: Sandbox, account_id: str = CENTRAL_ACCOUNT, name: str = "Everything", more: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Credentials of a role that may do everything, but for `more`."""
    iam = sandbox.organization.aws.client("iam", account_id, HOME_REGION)
    trust = {"Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):  # from the attempt before
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    statements = [everything, *(more or {"Statement": []})["Statement"]]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps({"Statement": statements}))
    sts = sandbox.organization.aws.client("sts", account_id, HOME_REGION)
    arn = sandbox.organization.estate.role_arn(account_id, name)
    credentials: dict[str, Any] = sts.assume_role(RoleArn=arn, RoleSessionName="everything")["Credentials"]
    return credentials
