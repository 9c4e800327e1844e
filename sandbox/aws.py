"""The local AWS: ministack, pinned, in an environment of its own, on a free loopback port, with authorization on."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import trustme
from botocore.config import Config

from sandbox import tools
from sandbox.processes import ROOT, Processes, SandboxError

LOCK_FILE = ROOT / "requirements" / "sandbox-aws.txt"
START_WITHIN_SECONDS = 60.0
ORGANIZATION_ID = "o-dbadminsandbox"
_PORT_TRIES = 3
# As root it would also listen on 443, where some programs look for Cognito's keys.
_PROGRAM = "from ministack import app; app._port_is_bindable = lambda *_: False; app.main()"
_STATE_FORMAT = 2
_CERTIFICATE = "certificate.pem"


def install() -> Path:
    """The Python of the emulator's environment, made on the first call and when the pins change.

    Raises:
        SandboxError: pip failed; the message holds what it said.
    """
    return tools.install("aws", LOCK_FILE)


class LocalAws:
    """A running emulator.

    Args:
        members: ids of accounts that belong to one organization, ORGANIZATION_ID; every other is one of its own.
        tls: whether it speaks TLS only, as AWS does where policies deny plain HTTP.

    Attributes:
        endpoint: `http(s)://127.0.0.1:PORT`.
        environment: what leads plain boto3 there.
        ca_file: of the authority that signed its certificate; None without TLS.
    """

    def __init__(self, processes: Processes, members: Collection[str] = (), *, tls: bool = False) -> None:
        python = install()
        self._lock = threading.Lock()
        self._session = _session_of_our_own()
        home = processes.directory / "aws"
        (home / "state").mkdir(parents=True, exist_ok=True)
        self.ca_file = _certify(home) if tls else None
        _found_organization(home / "state", members)
        for _ in range(_PORT_TRIES):
            self.port = _free_port()
            self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
            self.process = processes.start("aws", [str(python), "-c", _PROGRAM], self._environment(home))
            if _is_healthy_within(self.process, self._connection, START_WITHIN_SECONDS):
                break
        else:
            tail = processes.log_path("aws").read_text(errors="replace")[-1500:]
            raise SandboxError(f"the local AWS did not start:\n{tail}")
        self.environment = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_EC2_METADATA_DISABLED": "true"}
        if self.ca_file:
            self.environment["AWS_CA_BUNDLE"] = str(self.ca_file)

    def client(self, service: str, account_id: str, region: str) -> Any:
        """A client with the root rights of an account: the emulator takes the account's id for its root key."""
        return self.client_as(service, region, {"AccessKeyId": account_id, "SecretAccessKey": "test"})

    def client_as(self, service: str, region: str, credentials: dict[str, Any], endpoint: str | None = None) -> Any:
        """A client with the credentials of an AssumeRole answer."""
        with self._lock:  # making clients on a shared session is not documented to be thread-safe
            return self._session.client(
                service,  # type: ignore[call-overload]
                endpoint_url=endpoint or self.endpoint,
                verify=str(self.ca_file) if self.ca_file else None,
                region_name=region,
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials.get("SessionToken"),
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )

    def _connection(self) -> http.client.HTTPConnection:
        if self.ca_file is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=trust)

    def _environment(self, home: Path) -> dict[str, str]:
        certificate = str(home / _CERTIFICATE)
        tls = {"USE_SSL": "1", "MINISTACK_SSL_CERT": certificate, "MINISTACK_SSL_KEY": certificate}
        return {
            "PATH": os.defpath,
            "HOME": str(home),
            "TMPDIR": str(home),
            "STATE_DIR": str(home / "state"),
            "PERSIST_STATE": "1",  # it reads the organization there
            "S3_DATA_DIR": str(home / "s3"),
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",  # else it listens on 0.0.0.0:8883 as well
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{home}/no-docker.sock",  # never touch a Docker that happens to run here
            "LOG_LEVEL": "WARNING",
            **(tls if self.ca_file else {}),
        }


def _certify(home: Path) -> Path:
    """A certificate for the loopback address, and the file of the authority that signed it."""
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(home / _CERTIFICATE)
    ca_file = home / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    return ca_file


def _found_organization(state: Path, members: Collection[str]) -> None:
    """The emulator makes every account an organization of its own, unless its state says otherwise."""
    known = {f"{account_id}\0'self'": {"Id": ORGANIZATION_ID} for account_id in members}
    payload = {"orgs": {"__scoped__": True, "data": known}}
    text = json.dumps({"__ministack_format__": _STATE_FORMAT, "payload": payload})
    (state / "organizations.json").write_text(text, encoding="utf-8")


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


def _is_healthy_within(
    process: subprocess.Popen[bytes], connect: Callable[[], http.client.HTTPConnection], seconds: float
) -> bool:
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at and process.poll() is None:
        connection = connect()
        try:
            connection.request("GET", "/_ministack/health")
            if connection.getresponse().status == 200 and process.poll() is None:
                return True
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    return False
