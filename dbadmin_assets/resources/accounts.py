"""The accounts of the organization as one orchestrator sees them: who we are, one assumed role per account.

Clients are shared: one Lambda client per region, whose credentials are chosen per call. A client per account
would cost 0.28 MiB and 4 ms each (measured), which a thousand accounts cannot afford.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_sts.client import STSClient

SESSION_NAME_PREFIX = "db-admin-report-"
ROLE_DURATION_SECONDS = 3600  # the most that role chaining allows
_LEAST_VALIDITY = timedelta(minutes=15)  # longer than all attempts of a target
_KEEPALIVE_IDLE_SECONDS = 120  # NAT gateways drop a flow that is idle for 350 s


class AssumeRoleError(Exception):
    """The role of an account could not be assumed; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who the orchestrator is, as STS says it."""

    account_id: str
    arn: str

    @property
    def partition(self) -> str:
        """`aws`, `aws-us-gov`, `aws-cn`."""
        return self.arn.split(":")[1]


_call_credentials: ContextVar[ReadOnlyCredentials] = ContextVar("call_credentials")


class _PerCallCredentials(Credentials):
    """Credentials of a shared client: what `signed_by` put in force for the calling thread."""

    def __init__(self) -> None:
        super().__init__("chosen-per-call", "chosen-per-call")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return _call_credentials.get()


@contextlib.contextmanager
def signed_by(credentials: ReadOnlyCredentials) -> Iterator[None]:
    """Sign every call of this thread on a shared client with these credentials."""
    token = _call_credentials.set(credentials)
    try:
        yield
    finally:
        _call_credentials.reset(token)


class AwsAccounts:
    """Assumes one role per account, once, and lends Lambda clients that sign per call.

    Args:
        session: the orchestrator's own session.
        run_id: carried in the role session name, so that CloudTrail in every account names the run.
        max_connections: the most calls under way at once on one region's client.
    """

    def __init__(self, session: boto3.Session, *, run_id: str, max_connections: int) -> None:
        self._session = session
        self._session_name = f"{SESSION_NAME_PREFIX}{run_id}"[:64]
        self._max_connections = max_connections
        self._sts: STSClient = session.client(
            "sts",
            config=Config(
                connect_timeout=5,
                read_timeout=15,
                max_pool_connections=32,
                retries={"mode": "standard", "total_max_attempts": 8},  # STS throttles bursts of many accounts
            ),
        )
        self._sts_slots = threading.BoundedSemaphore(32)
        self._roles: dict[tuple[str, str | None], tuple[ReadOnlyCredentials, datetime]] = {}
        self._role_locks: dict[tuple[str, str | None], threading.Lock] = {}
        self._clients: dict[tuple[str, int], LambdaClient] = {}
        self._lock = threading.Lock()
        self._caller: Caller | None = None

    def caller(self) -> Caller:
        """The verified identity of this process.

        Raises:
            ClientError, BotoCoreError: when STS does not accept the credentials.
        """
        with self._lock:
            if self._caller is None:
                identity = self._sts.get_caller_identity()
                self._caller = Caller(account_id=identity["Account"], arn=identity["Arn"])
            return self._caller

    def credentials(self, account_id: str, role_name: str, external_id: str | None) -> ReadOnlyCredentials:
        """Credentials of `role_name` in an account; assumed once, and again when they run out.

        Raises:
            AssumeRoleError: with the role's ARN and what STS said.
        """
        role_arn = f"arn:{self.caller().partition}:iam::{account_id}:role/{role_name}"
        key = (role_arn, external_id)
        with self._lock:
            lock = self._role_locks.setdefault(key, threading.Lock())
        with lock:
            known = self._roles.get(key)
            if known and known[1] - datetime.now(UTC) > _LEAST_VALIDITY:
                return known[0]
            self._roles[key] = fresh = self._assume(role_arn, external_id)
            return fresh[0]

    def _assume(self, role_arn: str, external_id: str | None) -> tuple[ReadOnlyCredentials, datetime]:
        extra: dict[str, Any] = {"ExternalId": external_id} if external_id else {}
        try:
            with self._sts_slots:
                answer = self._sts.assume_role(
                    RoleArn=role_arn,
                    RoleSessionName=self._session_name,
                    DurationSeconds=ROLE_DURATION_SECONDS,
                    **extra,
                )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown error")
            raise AssumeRoleError(f"{code} on sts:AssumeRole of {role_arn}") from error
        except BotoCoreError as error:
            raise AssumeRoleError(f"{type(error).__name__} on sts:AssumeRole of {role_arn}") from error
        c = answer["Credentials"]
        frozen = ReadOnlyCredentials(c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])
        return frozen, c["Expiration"]

    def lambda_client(self, region: str, read_timeout_seconds: int) -> LambdaClient:
        """The shared client of a region; every call on it stands inside `signed_by`.

        boto3 does not retry on it: a call that timed out would run the function again, unseen.
        """
        key = (region, read_timeout_seconds)
        with self._lock:
            client = self._clients.get(key)
            if client is None:
                client = self._clients[key] = self._make_client(region, read_timeout_seconds)
            return client

    def _make_client(self, region: str, read_timeout_seconds: int) -> LambdaClient:
        profile = self._session.profile_name  # "default" when none was named, whether it exists or not
        session = botocore.session.Session(profile=None if profile == "default" else profile)
        session._credentials = _PerCallCredentials()  # type: ignore[attr-defined]
        client = session.create_client(
            "lambda",
            region_name=region,
            config=Config(
                connect_timeout=5,
                read_timeout=read_timeout_seconds,
                tcp_keepalive=True,
                max_pool_connections=self._max_connections,
                retries={"total_max_attempts": 1},
            ),
        )
        _probe_idle_connections(client)
        return client  # type: ignore[return-value]


def _probe_idle_connections(client: Any) -> None:
    """Let the kernel probe an idle connection before a NAT gateway forgets it.

    botocore sets SO_KEEPALIVE only, and the kernel's first probe comes after 7,200 s. There is no public
    option for the interval, so it is put where botocore keeps its socket options; a test holds it there.
    """
    option = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)
    if option is not None:
        options = client._endpoint.http_session._socket_options
        options.append((socket.IPPROTO_TCP, option, _KEEPALIVE_IDLE_SECONDS))
