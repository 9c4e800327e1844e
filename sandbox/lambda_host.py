"""The Lambda service of the sandbox: the Invoke API on one loopback port, in a thread with its own event loop.

The local AWS runs no function, but knows who may: each signed request is forwarded to it unchanged, body and Host
included. It checks the signature, then `lambda:InvokeFunction` (or the action of the route) in the caller's policies,
and only then finds that it has no such function: its 404, which names the function's full ARN, is the permission.
Any other answer (403 AccessDeniedException, InvalidSignatureException) goes to the caller as it is.
"""

from __future__ import annotations

import asyncio
import base64
import collections
import datetime as dt
import json
import re
import threading
import urllib.parse
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import urllib3

from sandbox.aws import LocalAws
from sandbox.http_server import HttpServer, Request, Response
from sandbox.lambda_function import Function
from sandbox.lambda_pool import LIVE_LIMIT, Pool
from sandbox.lambda_runtime import RoleCredentials

REQUEST_LIMIT_BYTES = 6_291_456
LOG_TAIL_BYTES = 4096

_ROUTE = re.compile(r"/2015-03-31/functions/([^/]+)/(invocations|configuration)")
_NOT_FOUND = re.compile(r"Function not found: (arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+)")
_HOP_BY_HOP = ("connection", "content-length", "expect", "transfer-encoding")

AssumeExecutionRole = Callable[[Function], dict[str, Any]]
"""Blocking; returns the `Credentials` of an AssumeRole answer for a function's execution role."""


class LambdaHost:
    """Serves registered functions until `stop`.

    Attributes:
        endpoint: what AWS_ENDPOINT_URL_LAMBDA must be.
    """

    def __init__(
        self,
        aws: LocalAws,
        assume: AssumeExecutionRole,
        base_environment: dict[str, str],
        logs: Path,
        live_limit: int = LIVE_LIMIT,
    ) -> None:
        self._aws_endpoint = aws.endpoint
        self._assume = assume
        self._functions: dict[str, Function] = {}
        self._running: collections.Counter[str] = collections.Counter()
        self._credentials: dict[str, RoleCredentials] = {}
        self._blocking = ThreadPoolExecutor(16, thread_name_prefix="lambda-host-aws")
        self._http = urllib3.PoolManager(
            maxsize=16, retries=False, timeout=60, ca_certs=str(aws.ca_file) if aws.ca_file else None
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lambda-host", daemon=True)
        self._thread.start()
        self._call(self._open(base_environment, logs, live_limit))

    async def _open(self, base_environment: dict[str, str], logs: Path, live_limit: int) -> None:
        self._pool = Pool(self._role_credentials, base_environment, logs, live_limit)
        self._server = HttpServer(self._handle)
        self.endpoint = f"http://127.0.0.1:{await self._server.start()}"

    def _call(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def register(self, function: Function) -> None:
        """Deploy a function, or replace one of the same ARN for the environments that start from now on."""
        self._functions[function.arn] = function

    def stop(self) -> None:
        """Kill every environment and stop listening."""
        self._call(self._server.close())
        self._call(self._pool.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._blocking.shutdown()
        self._http.clear()

    async def _handle(self, request: Request) -> Response:
        request_id = str(uuid.uuid4())
        verdict = await self._loop.run_in_executor(self._blocking, self._forward, request)
        route = _ROUTE.fullmatch(request.path)
        found = _NOT_FOUND.search(verdict.body.decode(errors="replace")) if verdict.status == 404 else None
        if route is None or found is None:
            return verdict  # refused, or something the local AWS answers itself
        function = self._functions.get(found.group(1))
        qualifier = _qualifier(route.group(1), request.target)
        if function is None or qualifier not in (None, "$LATEST"):
            return verdict
        if request.method == "GET" and route.group(2) == "configuration":
            return Response(200, json.dumps(function.configuration()).encode())
        return await self._invoke(function, request, request_id)

    async def _invoke(self, function: Function, request: Request, request_id: str) -> Response:
        kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        event = request.body or b"{}"
        if len(event) > REQUEST_LIMIT_BYTES:
            said = f"Request must be smaller than {REQUEST_LIMIT_BYTES} bytes for the InvokeFunction operation"
            return _error(413, "RequestTooLargeException", said, request_id)
        try:
            json.loads(event)
        except ValueError:
            return _error(400, "InvalidRequestContentException", "Could not parse request body into json", request_id)
        if kind == "DryRun":
            return Response(204, headers={"x-amzn-RequestId": request_id})
        if kind != "RequestResponse":
            return _error(
                400, "InvalidParameterValueException", f"The sandbox serves no {kind} invocations", request_id
            )
        if self._running[function.arn] >= function.concurrency:
            why = "ReservedFunctionConcurrentInvocationLimitExceeded"
            return _error(429, "TooManyRequestsException", "Rate Exceeded.", request_id, Reason=why)
        self._running[function.arn] += 1
        try:
            result = await self._pool.run(function, request_id, event)
        finally:
            self._running[function.arn] -= 1
        headers = {"x-amzn-RequestId": request_id, "X-Amz-Executed-Version": "$LATEST"}
        if result.error:
            headers["X-Amz-Function-Error"] = result.error
        if request.headers.get("x-amz-log-type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(result.log[-LOG_TAIL_BYTES:]).decode()
        return Response(200, result.payload, headers)

    def _forward(self, request: Request) -> Response:
        headers = {k: v for k, v in request.headers.items() if k not in _HOP_BY_HOP}
        answer = self._http.request(
            request.method, self._aws_endpoint + request.target, body=request.body, headers=headers, redirect=False
        )
        kept = {k: v for k, v in answer.headers.items() if k.lower().startswith(("x-amz", "content-type"))}
        return Response(answer.status, answer.data, kept)

    async def _role_credentials(self, function: Function) -> RoleCredentials:
        """The function's execution role, assumed anew when the session would not outlast an invocation."""
        known = self._credentials.get(function.role_arn)
        margin = dt.timedelta(seconds=function.timeout_seconds + 60)
        if known is not None and known.expires_at > dt.datetime.now(dt.UTC) + margin:
            return known
        answer = await self._loop.run_in_executor(self._blocking, self._assume, function)
        fresh = RoleCredentials(
            answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], answer["Expiration"]
        )
        self._credentials[function.role_arn] = fresh
        return fresh


def _qualifier(reference: str, target: str) -> str | None:
    """The version or alias asked for: `?Qualifier=`, or the last part of the name or ARN."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)
    if "Qualifier" in query:
        return query["Qualifier"][0]
    parts = urllib.parse.unquote(reference).split(":")
    name_at = parts.index("function") + 1 if "function" in parts else 0
    return parts[name_at + 1] if len(parts) > name_at + 1 else None


def _error(status: int, kind: str, message: str, request_id: str, **more: str) -> Response:
    body = json.dumps({"Type": "User", "Message": message, "message": message, **more}).encode()
    return Response(status, body, {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": kind})
