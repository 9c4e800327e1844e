"""Attempts on the bucket: results that are not one's own, evidence that was sealed, the inventory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.organization import BUCKET, INVENTORY_KEY
from sandbox.stack import Sandbox
from tests.sandbox.acting import administrator, client, writer
from tests.sandbox.denied.attempt import EVIDENCE, ONE, OTHER, RESULT, Attempt, Call, over_plain_http


def attempts() -> list[Attempt]:
    return [*_results(), *_sealed()]


def put(sandbox: Sandbox, credentials: dict[str, Any], key: str, **more: str) -> object:
    """Write an object once, as the product does."""
    s3 = client(sandbox, "s3", credentials)
    return s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}", IfNoneMatch="*", **more)


def stored(sandbox: Sandbox) -> str:
    """Version of a piece of evidence that is there now."""
    return str(sandbox.s3().put_object(Bucket=BUCKET, Key=EVIDENCE, Body=b"evidence")["VersionId"])


def _results() -> list[Attempt]:
    def by_writer(key: str, **more: str) -> Call:
        return lambda sandbox: put(sandbox, writer(sandbox, ONE, of=ONE), key, **more)

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
        Attempt("a worker", "write a result without the evidence key", "bucket policy: no other encryption",
                by_writer(f"collections/denied/{ONE}/us-east-1/2.json", ServerSideEncryption="AES256")),
        Attempt("orchestrator", "write a worker's result", made_up,
                lambda s: s.as_orchestrator("s3").put_object(Bucket=BUCKET, Key=RESULT, Body=b"{}")),
        Attempt("an administrator of the central account", "make up a worker's result", made_up,
                lambda s: put(s, administrator(s), f"collections/denied/{OTHER}/us-east-1/9.json")),
    ]  # fmt: skip


def _sealed() -> list[Attempt]:
    def read_over_plain_http(sandbox: Sandbox) -> object:
        stored(sandbox)
        sandbox.as_orchestrator("s3").get_object(Bucket=BUCKET, Key=EVIDENCE)
        return over_plain_http(sandbox.as_orchestrator("s3")).get_object(Bucket=BUCKET, Key=EVIDENCE)

    def remove(sandbox: Sandbox) -> object:
        stored(sandbox)
        return sandbox.as_orchestrator("s3").delete_object(Bucket=BUCKET, Key=EVIDENCE)

    def remove_as_administrator(sandbox: Sandbox) -> object:
        stored(sandbox)
        return client(sandbox, "s3", administrator(sandbox)).delete_object(Bucket=BUCKET, Key=EVIDENCE)

    def remove_version(sandbox: Sandbox) -> object:
        return sandbox.s3().delete_object(Bucket=BUCKET, Key=EVIDENCE, VersionId=stored(sandbox))

    def shorten(sandbox: Sandbox) -> object:
        version, soon = stored(sandbox), datetime.now(UTC) + timedelta(days=1)
        return sandbox.as_orchestrator("s3").put_object_retention(
            Bucket=BUCKET, Key=EVIDENCE, VersionId=version, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": soon}
        )

    def overwrite(sandbox: Sandbox) -> object:
        stored(sandbox)
        return put(sandbox, sandbox.organization.orchestrator(), EVIDENCE)

    identity = "the orchestrator's identity policy"
    return [
        Attempt("orchestrator", "read evidence over plain HTTP", "bucket policy", read_over_plain_http),
        Attempt("orchestrator", "delete evidence", "bucket policy", remove),
        Attempt("an administrator of the central account", "delete evidence", "bucket policy", remove_as_administrator),
        Attempt("orchestrator", "overwrite evidence", "If-None-Match", overwrite, ("PreconditionFailed",)),
        Attempt("root of the central account", "delete a version of evidence", "Object Lock", remove_version),
        Attempt("orchestrator", "shorten the retention of evidence", "Object Lock", shorten),
        Attempt("orchestrator", "list all of the bucket", identity,
                lambda s: s.as_orchestrator("s3").list_objects_v2(Bucket=BUCKET)),
        Attempt("orchestrator", "change the inventory", identity,
                lambda s: put(s, s.organization.orchestrator(), INVENTORY_KEY)),
        Attempt("orchestrator", "lift the bucket's policy", identity,
                lambda s: s.as_orchestrator("s3").delete_bucket_policy(Bucket=BUCKET)),
    ]  # fmt: skip
