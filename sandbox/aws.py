"""The local AWS: ministack, pinned, in an environment of its own, on a free loopback port, with authorization on."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from sandbox import tools
from sandbox.processes import ROOT, Processes, SandboxError

LOCK_FILE = ROOT / "requirements" / "sandbox-aws.txt"
START_WITHIN_SECONDS = 60.0
_PORT_TRIES = 3


def install() -> Path:
    """The Python of the emulator's environment, made on the first call and when the pins change.

    Raises:
        SandboxError: pip failed; the message holds what it said.
    """
    return tools.install("aws", LOCK_FILE)


class LocalAws:
    """A running emulator.

    Attributes:
        endpoint: `http://127.0.0.1:PORT`, what AWS_ENDPOINT_URL must be.
    """

    def __init__(self, processes: Processes) -> None:
        python = install()
        self._lock = threading.Lock()
        self._session = _session_of_our_own()
        for _ in range(_PORT_TRIES):
            self.port = _free_port()
            self.endpoint = f"http://127.0.0.1:{self.port}"
            self.process = processes.start(
                "aws", [str(python), "-m", "ministack"], self._environment(processes.directory)
            )
            if _is_healthy_within(self.process, self.port, START_WITHIN_SECONDS):
                return
        tail = processes.log_path("aws").read_text(errors="replace")[-1500:]
        raise SandboxError(f"the local AWS did not start:\n{tail}")

    def client(self, service: str, account_id: str, region: str) -> Any:
        """A client with the root rights of an account: the emulator takes the account's id for its root key."""
        return self.client_as(service, region, {"AccessKeyId": account_id, "SecretAccessKey": "test"})

    def client_as(self, service: str, region: str, credentials: dict[str, Any], endpoint: str | None = None) -> Any:
        """A client with the credentials of an AssumeRole answer."""
        with self._lock:  # making clients on a shared session is not documented to be thread-safe
            return self._session.client(
                service,  # type: ignore[call-overload]
                endpoint_url=endpoint or self.endpoint,
                region_name=region,
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials.get("SessionToken"),
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )

    def _environment(self, directory: Path) -> dict[str, str]:
        home = directory / "aws"
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.defpath,
            "HOME": str(home),
            "TMPDIR": str(home),
            "STATE_DIR": str(home / "state"),
            "S3_DATA_DIR": str(home / "s3"),
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",  # else it listens on 0.0.0.0:8883 as well
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{home}/no-docker.sock",  # never touch a Docker that happens to run here
            "LOG_LEVEL": "WARNING",
        }


def _session_of_our_own() -> boto3.session.Session:
    """A session that reads neither the person's AWS_PROFILE nor their configuration files."""
    nothing = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return boto3.session.Session(botocore_session=botocore.session.Session(session_vars=nothing))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_healthy_within(process: subprocess.Popen[bytes], port: int, seconds: float) -> bool:
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/_ministack/health")
            if connection.getresponse().status == 200 and process.poll() is None:
                return True
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    return False
