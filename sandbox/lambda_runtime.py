"""One execution environment of a Lambda function: the Runtime API and the awslambdaric process that polls it."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import datetime as dt
import os
import signal
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.http_server import HttpServer, Request, Response
from sandbox.lambda_function import Function

_RUNTIME_API = "/2018-06-01/runtime/"
_ACCEPTED = Response(202, b'{"status":"OK"}')
LOG_CHUNKS = 200


@dataclass(frozen=True, slots=True)
class RoleCredentials:
    """What a function's process gets as its execution role; never printed."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one invocation ended. `kind`: response, error (the handler raised), exit (the process ended)."""

    kind: str
    payload: bytes = b""


class Environment:
    """A process with its own Runtime API port; serves one invocation at a time, as on AWS."""

    def __init__(self, function: Function, credentials: RoleCredentials, base: dict[str, str], log_file: Path) -> None:
        self.function = function
        self.credentials = credentials
        self.log: collections.deque[bytes] = collections.deque(maxlen=LOG_CHUNKS)
        self.ready = asyncio.Event()
        self.exited = asyncio.Event()
        self.init_error: bytes | None = None
        self.used_at = time.monotonic()
        self._base = base
        self._log_file = log_file
        self._next: asyncio.Queue[tuple[str, bytes, float]] = asyncio.Queue(1)
        self._pending: dict[str, asyncio.Future[Outcome]] = {}
        self._server = HttpServer(self._runtime_api)

    async def start(self) -> None:
        """Start the process; `ready` is set when it asks for work, fails to initialise, or ends."""
        port = await self._server.start()
        self.process = await asyncio.create_subprocess_exec(
            self.function.python,
            "-m",
            "awslambdaric",
            self.function.handler,
            cwd=self.function.root,
            env=self._environment(port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._tasks = [asyncio.create_task(self._pump()), asyncio.create_task(self._watch())]

    async def invoke(self, request_id: str, event: bytes, timeout_seconds: float) -> Outcome:
        """Hand over one event and wait for the answer.

        Raises:
            TimeoutError: no answer in time; the environment must be killed then.
        """
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = future
        self.log.clear()
        try:
            if self.exited.is_set():
                return Outcome("exit")
            await self._next.put((request_id, event, time.time() + timeout_seconds))
            return await asyncio.wait_for(future, timeout_seconds)
        finally:
            self._pending.pop(request_id, None)
            self.used_at = time.monotonic()

    @property
    def exit_status(self) -> str:
        """`exit status N` or `signal: N`, as AWS words it."""
        code = self.process.returncode
        return f"signal: {-code}" if code is not None and code < 0 else f"exit status {code}"

    async def kill(self) -> None:
        """End the process and everything it started, and its port."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the second: macOS, for an ended group
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.exited.wait()
        await self._server.close()

    async def _runtime_api(self, request: Request) -> Response:
        call = request.path.removeprefix(_RUNTIME_API)
        if call == "invocation/next":
            self.ready.set()
            request_id, event, deadline = await self._next.get()
            return Response(200, event, self._invocation_headers(request_id, deadline))
        if call == "init/error":
            self.init_error = request.body
            self.ready.set()
            return _ACCEPTED
        parts = call.split("/")
        if len(parts) == 3 and parts[0] == "invocation" and parts[2] in ("response", "error"):
            future = self._pending.get(parts[1])
            if future is not None and not future.done():
                future.set_result(Outcome(parts[2], request.body))
            return _ACCEPTED
        return Response(404)

    def _invocation_headers(self, request_id: str, deadline: float) -> dict[str, str]:
        return {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.function.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }

    async def _pump(self) -> None:
        assert self.process.stdout is not None
        with self._log_file.open("ab") as log:
            while chunk := await self.process.stdout.read(65536):
                self.log.append(chunk)
                log.write(chunk)
                log.flush()

    async def _watch(self) -> None:
        await self.process.wait()
        self.exited.set()
        self.ready.set()
        for future in self._pending.values():
            if not future.done():
                future.set_result(Outcome("exit"))

    def _environment(self, port: int) -> dict[str, str]:
        function, credentials = self.function, self.credentials
        stream = f"{dt.datetime.now(dt.UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        return {
            "PATH": os.defpath,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": str(function.root),
            "LAMBDA_TASK_ROOT": str(function.root),
            "_HANDLER": function.handler,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
            **self._base,
            **function.environment,
        }
