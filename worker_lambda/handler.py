"""The Lambda's entry: event, collection, object in the central bucket, answer.

The answer says whether the object was delivered; which databases failed stands in the object.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from worker_lambda import __version__
from worker_lambda.contract import ContractError, WorkerRequest, WorkerResponse
from worker_lambda.errors import DeliveryError
from worker_lambda.json_log import JsonLog, metrics
from worker_lambda.result_object import Collection, Discovery

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# Kept back from the remaining time for the upload: assume the role, put the object, once more if need be.
UPLOAD_SECONDS = 20.0
_MOST_OF_THE_TIME = 0.7  # with little time left, collecting gets this share of it
_MAX_MESSAGE = 1000


class LambdaContext(Protocol):
    """What the handler needs of Lambda's context object."""

    function_version: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Collect and deliver. A bad event or an undeliverable result is an answer, not an exception."""
    began = time.monotonic()
    remaining = context.get_remaining_time_in_millis() / 1000
    try:
        request = WorkerRequest.from_event(event)
    except ContractError as error:
        JsonLog().error("event refused", problems=error.problems)
        return _refusal(event, f"the event is not valid: {error}").to_payload()
    log = JsonLog(
        correlation_id=request.run_id, collection_id=request.collection_id, attempt=request.attempt,
        target=f"{request.account_id}|{request.region}",
    )  # fmt: skip
    log.info("collecting", databases=len(request.databases), remaining_seconds=round(remaining))
    deadline = began + max(remaining - UPLOAD_SECONDS, remaining * _MOST_OF_THE_TIME)
    collection = _collect(request, deadline, context.function_version)
    response = _deliver(request, collection, log)
    _report(request, collection, log, began)
    return response.to_payload()


def _collect(request: WorkerRequest, deadline: float, function_version: str) -> Collection:
    discovered = _discovering(request, deadline)
    from worker_lambda.collect import collect
    from worker_lambda.credentials import secrets_client

    collection = collect(request, deadline, secrets_client(request.region))
    collection["functionVersion"] = function_version
    collection["discovery"] = discovered()
    return collection


def _discovering(request: WorkerRequest, deadline: float) -> Callable[[], Discovery]:
    if request.discover_tag is None:
        return lambda: {"status": "off", "reason": None, "at": None, "found": []}
    from worker_lambda.discovery import begin

    return begin(request, deadline)


def _deliver(request: WorkerRequest, collection: Collection, log: JsonLog) -> WorkerResponse:
    # "replace": a name with half a surrogate pair, which SQL Server allows, has no UTF-8 and must not cost the target.
    data = json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    sha256 = hashlib.sha256(data).hexdigest()
    identity: dict[str, Any] = {
        "accountId": request.account_id, "region": request.region, "collectionId": request.collection_id,
        "attempt": request.attempt, "workerVersion": __version__,
    }  # fmt: skip
    try:
        put_result(writer_client(request), request, data, sha256)
    except DeliveryError as error:
        log.error("not delivered", error=str(error))
        return WorkerResponse(status="failure", errorMessage=str(error)[:_MAX_MESSAGE], **identity)
    log.info("delivered", size_bytes=len(data), sha256=sha256)
    failed = [f"{e['database_name']}: {e['reason']}" for e in collection["errors"]]
    return WorkerResponse(
        status="success",
        s3Location=f"s3://{request.result.bucket}/{request.result.key}",
        errorMessage="; ".join(failed)[:_MAX_MESSAGE] or None,
        dataCount=collection["metadata"]["totalUsers"],
        sha256=sha256,
        sizeBytes=len(data),
        **identity,
    )


def writer_client(request: WorkerRequest) -> S3Client:
    """An S3 client as the writer role of the central account.

    Raises:
        DeliveryError: where the role cannot be assumed.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(connect_timeout=3, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 3})
    extra: dict[str, Any] = {"ExternalId": request.result.external_id} if request.result.external_id else {}
    try:
        sts = boto3.client("sts", region_name=request.region, config=config)
        assumed = sts.assume_role(
            RoleArn=request.result.writer_role_arn, RoleSessionName=f"worker-{request.run_id}"[:64], **extra
        )["Credentials"]
    except (BotoCoreError, ClientError) as error:
        raise DeliveryError(f"{_code(error)} on sts:AssumeRole of {request.result.writer_role_arn}") from error
    return boto3.client(
        "s3", region_name=request.result.region, config=config, aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"], aws_session_token=assumed["SessionToken"],
    )  # fmt: skip


def put_result(client: S3Client, request: WorkerRequest, data: bytes, sha256: str) -> None:
    """Write the object once. A key that is taken is a failure, unless it holds these very bytes.

    boto3 may send a PUT again whose first answer got lost; the second is then refused although all is well.

    Raises:
        DeliveryError: naming the key and what S3 said.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    result = request.result
    try:
        client.put_object(
            Bucket=result.bucket, Key=result.key, Body=data, ContentType="application/json", IfNoneMatch="*",
            ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
        )  # fmt: skip
    except (BotoCoreError, ClientError) as error:
        answer = getattr(error, "response", {})
        retried = answer.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
        if _code(error) == "PreconditionFailed" and retried:
            return  # the orchestrator compares the object's sha256 with the one answered
        raise DeliveryError(f"{_code(error)} on s3:PutObject of s3://{result.bucket}/{result.key}") from error


def _code(error: Exception) -> str:
    answer: dict[str, Any] = getattr(error, "response", {})
    return str(answer.get("Error", {}).get("Code") or type(error).__name__)


def _report(request: WorkerRequest, collection: Collection, log: JsonLog, began: float) -> None:
    """Log and metrics of what was collected."""
    statuses = [connection["status"] for connection in collection["databaseConnections"]]
    duration_ms = round((time.monotonic() - began) * 1000)
    for error in collection["errors"]:
        log.warn("database failed", database=error["database_name"], reason=error["reason"])
    if (discovery := collection.get("discovery")) and discovery["status"] != "off":
        told = {"status": discovery["status"], "reason": discovery["reason"], "found": len(discovery["found"])}
        log.info("discovered", **told)
    counts = {
        "Databases": len(statuses),
        "FailedDatabases": statuses.count("failed"),
        "PartialDatabases": statuses.count("partial"),
        "Users": collection["metadata"]["totalUsers"],
        "Admins": sum(connection["admins"] for connection in collection["databaseConnections"]),
    }
    log.info("collected", duration_ms=duration_ms, **counts)
    if not request.databases:  # asked what runs, and for no account: an alarm watches for a worker that reads none
        return
    values = {name: (float(count), "Count") for name, count in counts.items()}
    metrics(request.account_id, request.region, {**values, "Duration": (duration_ms, "Milliseconds")})


def _refusal(event: object, message: str) -> WorkerResponse:
    said = event if isinstance(event, dict) else {}
    return WorkerResponse(
        accountId=str(said.get("account_id", "")),
        region=str(said.get("region", "")),
        status="failure",
        errorMessage=message[:_MAX_MESSAGE],
        workerVersion=__version__,
    )
