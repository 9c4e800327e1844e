"""A deployed Dagster as a company runs it: code server, webserver and daemon, each a process; and a gate before it.

The webserver can be killed and started again on its port while runs go on. The gate is an HTTP server that
asks for a token, speaks TLS, and loses requests or answers as it is told.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil

START_SECONDS = 120
_DAGSTER_YAML = """\
telemetry: {enabled: false}
nux: {enabled: false}
run_coordinator:
  module: dagster._core.run_coordinator
  class: QueuedRunCoordinator
  config: {dequeue_interval_seconds: 1}
concurrency: {runs: {max_concurrent_runs: 10}, pools: {granularity: run, default_limit: POOL_LIMIT}}
run_monitoring: {enabled: true, poll_interval_seconds: 2}
run_retries: {enabled: true}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DeployedDagster:
    """Code server, webserver and daemon of one instance; `with` stops them, and every run they started."""

    def __init__(self, home: Path, environment: Mapping[str, str], *, pool_limit: int = 10) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._code_port = free_port()
        self._environment = {**environment, "DAGSTER_HOME": str(home)}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        home.mkdir(parents=True, exist_ok=True)
        (home / "dagster.yaml").write_text(_DAGSTER_YAML.replace("POOL_LIMIT", str(pool_limit)))
        server = f"{{host: 127.0.0.1, port: {self._code_port}, location_name: dbadmin_assets.definitions}}"
        self._workspace = home / "workspace.yaml"
        self._workspace.write_text(f"load_from: [{{grpc_server: {server}}}]\n")

    def __enter__(self) -> DeployedDagster:
        try:
            self._start("code", "dagster", "api", "grpc", "-m", "dbadmin_assets.definitions", "-h", "127.0.0.1",
                        "-p", str(self._code_port))  # fmt: skip
            self._wait(lambda: _listens(self._code_port), "code")
            self.start_webserver()
            self.start_daemon()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._processes):
            self.kill(name)

    def start_webserver(self) -> None:
        """Start it, on the same port as before."""
        self._start("webserver", "dagster_webserver", "-h", "127.0.0.1", "-p", str(self.port),
                    "-w", str(self._workspace))  # fmt: skip
        self._wait(lambda: self.graphql(_LOADED)["workspaceLocationEntryOrError"]["loadStatus"] == "LOADED",
                   "webserver")  # fmt: skip

    def start_daemon(self) -> None:
        """Start it; queued runs begin when it is there."""
        self._start("daemon", "dagster._daemon", "run", "-w", str(self._workspace))

    def kill(self, name: str) -> None:
        """SIGKILL the group of one of them: code (with its runs), webserver or daemon."""
        process = self._processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_runs(self) -> None:
        """SIGKILL the processes of all runs, which the code server started."""
        for process in psutil.Process(self._processes["code"].pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself
                if any("spawn_main" in word for word in process.cmdline()):
                    process.kill()

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            said: dict[str, Any] = json.load(answer)
        assert "errors" not in said, said
        data: dict[str, Any] = said["data"]
        return data

    def runs(self) -> dict[str, dict[str, str]]:
        """Tags by run id, and `status` among them."""
        found = self.graphql("{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }")
        return {
            run["runId"]: {"status": run["status"]} | {tag["key"]: tag["value"] for tag in run["tags"]}
            for run in found["runsOrError"]["results"]
        }

    def _start(self, name: str, *module: str) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", *module], env=self._environment, cwd=self.home, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def _wait(self, ready: Callable[[], bool], name: str) -> None:
        give_up = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(urllib.error.URLError, OSError, http.client.HTTPException):
                if ready():
                    return
            log = self.home / f"{name}.log"
            assert self._processes[name].poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < give_up, log.read_text()[-3000:]
            time.sleep(0.2)


_LOADED = """{ workspaceLocationEntryOrError(name: "dbadmin_assets.definitions") {
  ... on WorkspaceLocationEntry { loadStatus } } }"""


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Gate:
    """What stands before a webserver. Everything may be changed while it runs.

    Attributes:
        token: what the Authorization header must carry; None lets everybody in.
        lose_requests, lose_answers: so many launches are cut before, or after, they reach the webserver.
        hold: a launch that is cut reaches the webserver all the same, once this is set.
        answer: instead of the webserver's: status, headers, body.
        seen: the headers of every request.
    """

    target: str
    token: str | None = None
    lose_requests: int = 0
    lose_answers: int = 0
    hold: threading.Event | None = None
    answer: tuple[int, dict[str, str], bytes] | None = None
    seen: list[dict[str, str]] = field(default_factory=list)
    launches: int = 0
    url: str = ""

    def forward(self, body: bytes) -> tuple[int, bytes]:
        request = urllib.request.Request(f"{self.target}/graphql", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 502, b"Bad Gateway"


@contextlib.contextmanager
def gate(target: str, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Gate]:
    """A gate before `target`, on a port of its own."""
    made = Gate(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.seen.append(dict(self.headers.items()))
            if made.answer is not None:
                self._send(*made.answer)
                return
            if made.token is not None and self.headers.get("Authorization") != f"Bearer {made.token}":
                self._send(401, {}, b"who are you?")
                return
            if b"launchRun" in body:
                made.launches += 1
                if made.lose_requests > 0:
                    made.lose_requests -= 1
                    if made.hold is not None:
                        threading.Thread(target=self._later, args=(made.hold, body), daemon=True).start()
                    self._cut()
                    return
            status, data = made.forward(body)
            if b"launchRun" in body and made.lose_answers > 0:
                made.lose_answers -= 1
                self._cut()
                return
            self._send(status, {"Content-Type": "application/json"}, data)

        def _later(self, hold: threading.Event, body: bytes) -> None:
            hold.wait(60)
            made.forward(body)

        def _cut(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    made.url = f"{'https' if tls else 'http'}://{host}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
