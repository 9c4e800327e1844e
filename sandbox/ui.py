"""`python -m sandbox ui`: a Dagster with a history in it, webserver and daemon, on one loopback port."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from sandbox.history import FAILING, make_history
from sandbox.processes import SandboxError
from sandbox.stack import Sandbox

START_WITHIN_SECONDS = 180.0
_LOCATION = "dbadmin_assets.definitions"
_LOADED = (
    f'{{ workspaceLocationEntryOrError(name: "{_LOCATION}") {{ ... on WorkspaceLocationEntry {{ loadStatus }} }} }}'
)


def require_free(port: int) -> None:
    """Fail before anything is started.

    Raises:
        SandboxError: something listens there already.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was closed a moment ago is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SandboxError(
                f"port {port} of 127.0.0.1 cannot be had ({error.strerror}): choose another, as in make ui PORT=3100"
            ) from error


def serve_ui(sandbox: Sandbox, port: int, say: Callable[[str], None]) -> None:
    """Make the history, serve it, say where, and go on until a signal comes.

    Raises:
        SandboxError: a report could not be made, or Dagster ended by itself.
    """
    say("making three reports with db-admin-report generate; each takes some seconds")
    make_history(sandbox, say)
    began = time.monotonic()
    say(f"starting Dagster, webserver and daemon; its log: {sandbox.log_path('dagster')}")
    queue_runs(Path(sandbox.environment["DAGSTER_HOME"]))
    dagster = start_dagster(sandbox, port)
    say(f"Dagster has loaded the code ({time.monotonic() - began:.1f} s)")
    say("the last report is complete; since then the secret of one database is wrong:")
    say(f"materialize the partition {FAILING} of account_collections, and see why it fails")
    say(f"ready: http://127.0.0.1:{port} (what to click: docs/ui.md); Ctrl-C ends it and leaves nothing")
    dagster.wait()
    raise SandboxError(f"Dagster ended with {dagster.returncode}:\n{_tail(sandbox)}")


def queue_runs(dagster_home: Path) -> None:
    """From the instance of a command that runs alone to one with a daemon, as it is deployed."""
    file = dagster_home / "dagster.yaml"
    configuration = yaml.safe_load(file.read_text("utf-8"))
    coordinator = {"module": "dagster._core.run_coordinator", "class": "QueuedRunCoordinator"}
    configuration["run_coordinator"] = coordinator | {"config": {"dequeue_interval_seconds": 1}}
    configuration["run_monitoring"] = {"enabled": True}
    file.write_text(yaml.safe_dump(configuration), "utf-8")


def start_dagster(sandbox: Sandbox, port: int) -> subprocess.Popen[bytes]:
    """`dagster dev` on the sandbox's instance; returns when the code location is loaded.

    Raises:
        SandboxError: it ended, or was not ready in time; the tail of its log is in the message.
    """
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    dagster = sandbox.start_command("dagster", command)
    give_up_at = time.monotonic() + START_WITHIN_SECONDS
    while not _is_loaded(port):
        if dagster.poll() is not None or time.monotonic() > give_up_at:
            raise SandboxError(f"Dagster did not start:\n{_tail(sandbox)}")
        time.sleep(0.2)
    return dagster


def _is_loaded(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/graphql", json.dumps({"query": _LOADED}), {"Content-Type": "application/json"})
        answer = json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return bool(answer["data"]["workspaceLocationEntryOrError"].get("loadStatus") == "LOADED")


def _tail(sandbox: Sandbox) -> str:
    return sandbox.log_path("dagster").read_text(errors="replace")[-2000:]
