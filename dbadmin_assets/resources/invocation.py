"""One invocation of a worker function, and what can come of it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
)

from dbadmin_assets.resources.accounts import signed_by
from dbadmin_assets.resources.worker_log import log_tail
from dbadmin_assets.review.records import WorkerFunction
from worker_lambda.contract import Reason, WorkerRequest

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

# Kinds of errors that Lambda reports itself; a class of Python's has no dot.
_LAMBDAS_OWN = re.compile(r"(Runtime|Sandbox|Extension|Function)\.[A-Za-z.]{1,100}")
MAX_ANSWER_BYTES = 256 * 1024  # our worker answers some hundred bytes; its data goes to S3
_THROTTLES = {"TooManyRequestsException", "ThrottlingException", "Throttling", "EC2ThrottledException"}
_COLD_START_FAILURES = ("Runtime.ExitError", "Sandbox.", "Extension.", "InitError")


@dataclass(frozen=True, slots=True)
class Answered:
    """The worker says that it delivered."""

    sha256: str | None


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """What came back is not the answer to this request: nothing it led to can be trusted."""

    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Lambda or the worker said no. A function that failed may have delivered before."""

    reason: Reason
    detail: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class CallBroken:
    """The call ended without an answer. `started` tells whether the function may be running."""

    detail: str
    started: bool = True


Invocation = Answered | WrongAnswer | Refused | CallBroken


def invoke(
    client: LambdaClient,
    credentials: ReadOnlyCredentials,
    function_name: str,
    request: WorkerRequest,
    keep_log: Callable[[tuple[str, ...]], None],
) -> Invocation:
    """Invoke the worker synchronously and classify what came back.

    Args:
        keep_log: gets the end of the worker's log, where there is an answer.
    """
    payload = json.dumps(request.to_event(), separators=(",", ":")).encode()
    try:
        with signed_by(credentials):
            answer = client.invoke(FunctionName=function_name, Payload=payload, LogType="Tail")
        keep_log(log_tail(answer.get("LogResult")))
        # Not `with answer["Payload"]`: that gives urllib3's stream, whose errors are not botocore's.
        with contextlib.closing(answer["Payload"]) as stream:
            body = stream.read(MAX_ANSWER_BYTES + 1)
            stream.read(1)  # only a read at the end makes botocore compare the length with Content-Length
    except ClientError as error:
        return _service_error(error)
    except (EndpointConnectionError, ConnectTimeoutError) as error:
        return CallBroken(type(error).__name__, started=False)
    except (ReadTimeoutError, ConnectionClosedError, HTTPClientError, IncompleteReadError) as error:
        return CallBroken(type(error).__name__)
    except BotoCoreError as error:
        return Refused(Reason.INVALID_ANSWER, f"{type(error).__name__}: {error}", retryable=False)
    if len(body) > MAX_ANSWER_BYTES:
        return WrongAnswer(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
    if answer.get("FunctionError"):
        return _function_error(body)
    return _read_answer(body, request)


def read_function(client: LambdaClient, credentials: ReadOnlyCredentials, function_name: str) -> WorkerFunction:
    """Which code the worker has; that it cannot be read is no reason not to ask it, and is told."""
    try:
        with signed_by(credentials):
            answer = client.get_function_configuration(FunctionName=function_name)
    except ClientError as error:
        said = error.response.get("Error", {})
        return WorkerFunction(name=function_name, reason=f"{said.get('Code')}: {said.get('Message')}"[:500])
    except BotoCoreError as error:
        return WorkerFunction(name=function_name, reason=f"{type(error).__name__}: {error}"[:500])
    return WorkerFunction(name=function_name, version=answer.get("Version"), code_sha256=answer.get("CodeSha256"))


def _service_error(error: ClientError) -> Refused:
    said = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = said.get("Code", str(status))
    detail = f"{code} on lambda:InvokeFunction: {said.get('Message', '')}"[:500]
    if code in _THROTTLES or status == 429:
        return Refused(Reason.WORKER_THROTTLED, detail, retryable=True)
    return Refused(Reason.INVALID_ANSWER, detail, retryable=status >= 500)


def _function_error(body: bytes) -> Refused:
    """The function was run and failed. Time-outs and crashed sandboxes may pass; a bug in it does not.

    Of an exception of its own only the class is told: the text may name an account, and goes to Dagster and its logs.
    """
    said = _json_object(body) or {}
    kind, text = str(said.get("errorType", "unknown error")), str(said.get("errorMessage", ""))
    detail = f"the function failed with {_named(kind)}"
    if _LAMBDAS_OWN.fullmatch(kind):
        detail = f"{detail}: {text}"[:500]
    if "timed out" in text.lower() or kind == "Sandbox.Timedout":
        return Refused(Reason.WORKER_TIMED_OUT, detail, retryable=True)
    return Refused(Reason.INVALID_ANSWER, detail, retryable=kind.startswith(_COLD_START_FAILURES))


def _named(kind: str) -> str:
    return kind if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]{0,100}", kind) else "an error whose class has no name"


def _read_answer(body: bytes, request: WorkerRequest) -> Answered | WrongAnswer | Refused:
    said = _json_object(body)
    if said is None:
        return WrongAnswer(f"the answer is no JSON object ({len(body)} bytes)")
    expected = {
        "accountId": request.account_id,
        "region": request.region,
        "collectionId": request.collection_id,
        "attempt": request.attempt,
    }
    wrong = [f"{k} is not {v!r}" for k, v in expected.items() if said.get(k) != v]
    status = said.get("status")
    if status == "failure":
        # A worker that refuses its event need not know whose it was: its reason matters more.
        return Refused(Reason.RESULT_MISSING, f"the worker says: {said.get('errorMessage')}"[:500], retryable=False)
    if status != "success":
        wrong.append("status is neither 'success' nor 'failure'")
    if wrong:
        return WrongAnswer("the answer is for something else: " + ", ".join(wrong))
    return Answered(sha256=said.get("sha256"))


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
