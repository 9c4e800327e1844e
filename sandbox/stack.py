"""One sandbox: local AWS, Lambda host, databases and a seeded organization, started and stopped together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from dbadmin_assets.cli.instance import dagster_yaml
from sandbox.aws import LocalAws
from sandbox.databases import DatabaseServers
from sandbox.inventory import inventory
from sandbox.lambda_function import Function
from sandbox.lambda_host import LambdaHost
from sandbox.lambda_pool import LIVE_LIMIT
from sandbox.organization import BUCKET, NAMES, Deploy, deploy, seed
from sandbox.plan import CENTRAL_ACCOUNT, HOME_REGION, Plan, demo_plan
from sandbox.processes import Processes


class Sandbox:
    """`with Sandbox(plan) as sandbox:` - everything it starts ends with the block, or with this process.

    Args:
        plan: accounts, databases, faults; the demo's by default.
        progress: gets one line per step; None is silent.
        live_limit: Lambda processes at once.
        function_environment: more environment for every function process.
        deploy: what makes roles, bucket and functions of ours in the organization.

    Attributes:
        directory: `.sandbox/run-…`, logs included; gone after stop.
        environment: the variables of this sandbox; `command_environment` is all that a command needs.
        organization: the seeded accounts; its `aws` gives clients.
    """

    bucket = BUCKET
    region = HOME_REGION

    def __init__(
        self,
        plan: Plan | None = None,
        *,
        progress: Callable[[str], None] | None = None,
        live_limit: int = LIVE_LIMIT,
        function_environment: dict[str, str] | None = None,
        deploy: Deploy = deploy,
    ) -> None:
        self.plan = plan or demo_plan()
        self.environment: dict[str, str] = {}
        self._progress = progress
        self._live_limit = live_limit
        self._function_environment = function_environment or {}
        self._deploy = deploy
        self._processes: Processes | None = None
        self._host: LambdaHost | None = None
        self.servers = DatabaseServers()

    def start(self) -> Sandbox:
        """Start everything; on failure nothing is left running."""
        self._step_began_at = time.monotonic()
        self._processes = processes = Processes()
        self.directory = processes.directory
        try:
            aws = LocalAws(processes, [CENTRAL_ACCOUNT, *self.plan.accounts], tls=True)
            self._say("local AWS")
            self.servers.start(self.plan.servers, processes, self._say)
            document = inventory(self.plan, NAMES, self.servers.endpoints)
            self.inventory_file = self.directory / "inventory.yaml"
            self.inventory_file.write_text(document, encoding="utf-8")
            seed(aws, self.plan, self.servers)
            self.organization = self._deploy(aws, self.plan, document)
            self._say(f"{len(self.plan.accounts)} accounts, {len(self.plan.databases)} databases declared")
            self._start_host(aws, processes)
            self.environment = self._environment(aws)
            self._say("Lambda host")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything, in the order opposite to the start. Idempotent."""
        try:
            if self._host is not None:
                self._host.stop()
                self._host = None
            self.servers.stop()
        finally:
            if self._processes is not None:
                self._processes.stop()

    def s3(self) -> Any:
        """An S3 client with the central account's root rights, which no policy limits."""
        return self.organization.aws.client("s3", CENTRAL_ACCOUNT, HOME_REGION)

    def as_orchestrator(self, service: str, region: str = HOME_REGION) -> Any:
        """A client that acts as the orchestrator, with its least privilege."""
        return self.organization.aws.client_as(service, region, self.organization.orchestrator())

    def deploy(self, function: Function) -> None:
        """Add a function, or replace one: another handler, time-out or concurrency, for fault injection."""
        assert self._host is not None
        self._host.register(function)

    @property
    def lambda_endpoint(self) -> str:
        """Where functions are invoked."""
        assert self._host is not None
        return self._host.endpoint

    def command_environment(self) -> dict[str, str]:
        """The whole environment for a command inside: ours, without what would lead it to a real AWS or Dagster."""
        elsewhere = ("DBADMIN_CONFIG", "DBADMIN_DAGSTER_URL")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and k not in elsewhere}
        return kept | self.environment

    def start_command(self, name: str, argv: list[str]) -> subprocess.Popen[bytes]:
        """Start a command inside that ends with the sandbox; what it prints goes to `log_path(name)`."""
        assert self._processes is not None
        return self._processes.start(name, argv, self.command_environment())

    def log_path(self, name: str) -> Path:
        """Where the output of a started command goes."""
        assert self._processes is not None
        return self._processes.log_path(name)

    def exports(self) -> list[str]:
        """Shell lines that set up a terminal. Without the marker: what a person starts there is theirs."""
        mine = self._processes.marker if self._processes else {}
        lines = [f"export {k}='{v}'" for k, v in self.environment.items() if k not in mine]
        return ["unset AWS_PROFILE AWS_DEFAULT_PROFILE DBADMIN_CONFIG DBADMIN_DAGSTER_URL", *lines]

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_host(self, aws: LocalAws, processes: Processes) -> None:
        base = {**aws.environment, **processes.marker, **self._function_environment}
        logs = self.directory / "logs"
        self._host = LambdaHost(aws, self.organization.execution_role, base, logs, self._live_limit)
        for function in self.organization.functions:
            self._host.register(function)

    def _environment(self, aws: LocalAws) -> dict[str, str]:
        credentials = self.organization.orchestrator()
        home = self.directory / "home"
        dagster_home = home / "dagster"
        dagster_home.mkdir(parents=True)
        (dagster_home / "dagster.yaml").write_text(dagster_yaml(dagster_home))
        nothing = self.directory / "no-aws-config"
        nothing.touch()
        assert self._processes is not None
        return {
            **aws.environment,
            "AWS_ENDPOINT_URL_LAMBDA": self.lambda_endpoint,
            "AWS_CONFIG_FILE": str(nothing),
            "AWS_SHARED_CREDENTIALS_FILE": str(nothing),
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "AWS_REGION": HOME_REGION,
            "AWS_DEFAULT_REGION": HOME_REGION,
            **self.organization.settings,
            "DBADMIN_STATE_DIR": str(home),
            "DAGSTER_HOME": str(dagster_home),
            **self._processes.marker,
        }

    def _say(self, what: str) -> None:
        now = time.monotonic()
        if self._progress is not None:
            self._progress(f"{what} ({now - self._step_began_at:.1f} s)")
        self._step_began_at = now


def to_stderr(line: str) -> None:
    """Progress for a person."""
    print(f"sandbox: {line}", file=sys.stderr, flush=True)
