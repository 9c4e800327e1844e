"""The files a deployment starts from load: each dagster.yaml, workspace.yaml, dagster_cloud.yaml, the Dockerfile."""

from __future__ import annotations

import http.server
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterInstance
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._grpc.client import DagsterGrpcClient
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from dbadmin_assets.cli.event_log import PooledSqliteEventLogStorage
from dbadmin_assets.cli.instance import dagster_yaml
from deployment import health
from infra.lambda_package import ROOT
from tests.infra.recording import Stack

DEPLOYMENT = ROOT / "deployment"
LOCATION = "dbadmin_assets.definitions"
with_dagster_cloud = pytest.mark.skipif(
    importlib.util.find_spec("dagster_cloud") is None, reason="needs requirements/deployed.txt (dagster-cloud)"
)
POSTGRES = {
    "DAGSTER_POSTGRES_HOST": "db.internal",
    "DAGSTER_POSTGRES_PORT": "5432",
    "DAGSTER_POSTGRES_DB": "dagster",
    "DAGSTER_POSTGRES_USER": "dagster",
    "DAGSTER_POSTGRES_PASSWORD": "p@ss/word",
    "DAGSTER_RUN_TASK_DEFINITION": "db-admin-report-run",
    "DAGSTER_RUN_CONTAINER": "run",
}


def template(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOYMENT / name).read_text(encoding="utf-8"))
    return document


# --- embedded -------------------------------------------------------------------------------------


def test_the_embedded_template_is_what_the_command_writes_by_itself() -> None:
    written = yaml.safe_load(dagster_yaml(Path("/var/lib/db-admin-report/dagster")))
    assert template("embedded/dagster.yaml") == written


def test_an_instance_starts_from_the_embedded_template(tmp_path: Path) -> None:
    text = (DEPLOYMENT / "embedded" / "dagster.yaml").read_text(encoding="utf-8")
    (tmp_path / "dagster.yaml").write_text(text.replace("/var/lib/db-admin-report/dagster", str(tmp_path)))
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.run_coordinator, DefaultRunCoordinator)
        assert isinstance(instance.event_log_storage, PooledSqliteEventLogStorage)
        assert instance.get_runs(limit=1) == []
        assert not instance.telemetry_enabled
        # Nobody would free a place that a killed run holds, notice its death or start it again.
        assert instance.get_concurrency_config().pool_config.default_pool_limit is None
        assert not instance.run_monitoring_enabled
        assert not instance.run_retries_enabled


# --- ECS ------------------------------------------------------------------------------------------


@pytest.fixture
def ecs_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The template as Dagster reads it, its own schema applied."""
    for key, value in POSTGRES.items():
        monkeypatch.setenv(key, value)
    shutil.copy(DEPLOYMENT / "ecs" / "dagster.yaml", tmp_path)
    configuration, custom_class = dagster_instance_config(str(tmp_path))
    assert custom_class is None
    return dict(configuration)


def test_dagster_accepts_the_ecs_template(ecs_instance: dict[str, Any]) -> None:
    assert ecs_instance["run_monitoring"]["enabled"] is True
    assert ecs_instance["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert ecs_instance["concurrency"]["pools"] == {"granularity": "run", "default_limit": 4}


def test_whatever_has_a_limit_has_somebody_who_frees_the_place_of_a_killed_run(ecs_instance: dict[str, Any]) -> None:
    monitoring = ecs_instance["run_monitoring"]
    assert ecs_instance["run_coordinator"]["class"] == "QueuedRunCoordinator"
    assert monitoring["enabled"] is True
    assert monitoring["max_resume_run_attempts"] == 0, "ECS can resume a run of many steps; this one is one process"
    assert 0 < monitoring["poll_interval_seconds"] <= 60
    assert monitoring["free_slots_after_run_end_seconds"] > 0


def test_dagster_plus_has_the_limits_of_ecs() -> None:
    settings, ecs = template("dagster_plus/deployment_settings.yaml"), template("ecs/dagster.yaml")
    assert settings["concurrency"] == ecs["concurrency"]
    for part in ("run_monitoring", "run_retries"):
        assert settings[part].items() <= ecs[part].items()
    assert "concurrency" not in template("dagster_plus/dagster.yaml"), "the agent's own file cannot set it"


def test_the_pool_of_the_ecs_template_is_the_one_that_the_collection_names() -> None:
    from dbadmin_assets.assets.collection import account_collections

    assert account_collections.op.pool == "db_admin_report"


def test_postgres_is_reached_over_verified_tls_with_what_the_environment_says(ecs_instance: dict[str, Any]) -> None:
    from dagster_postgres import DagsterPostgresStorage
    from dagster_postgres.utils import pg_url_from_config

    assert set(ecs_instance["storage"]) == {"postgres"}
    found = process_config(DagsterPostgresStorage.config_type(), ecs_instance["storage"]["postgres"])
    assert found.success, found.errors
    assert found.value is not None
    url = make_url(pg_url_from_config(found.value))
    assert create_engine(url).dialect.import_dbapi().__name__ == "psycopg2"  # raises where the driver is not installed
    assert (url.username, url.password, url.host, url.port) == ("dagster", "p@ss/word", "db.internal", 5432)
    assert dict(url.query) == {"sslmode": "verify-full", "sslrootcert": "/opt/dagster/rds_roots.pem"}


def test_the_ecs_launcher_starts_the_one_task_definition_and_looks_for_no_secrets(
    ecs_instance: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launcher itself, in an in-process AWS that knows the task definition."""
    import boto3
    from dagster_aws.ecs import EcsRunLauncher
    from moto import mock_aws

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    entry = ecs_instance["run_launcher"]
    assert (entry["module"], entry["class"]) == ("dagster_aws.ecs", "EcsRunLauncher")
    found = process_config(EcsRunLauncher.config_type(), entry["config"])
    assert found.success, found.errors
    assert found.value is not None
    with mock_aws():
        boto3.client("ecs").register_task_definition(
            family=POSTGRES["DAGSTER_RUN_TASK_DEFINITION"],
            containerDefinitions=[{"name": "run", "image": "i", "memory": 512}],
        )
        launcher = EcsRunLauncher(**found.value)
    assert launcher.task_definition.endswith("task-definition/db-admin-report-run:1")
    assert launcher.container_name == "run"
    assert launcher.secrets_tags == []
    assert launcher.use_current_ecs_task_config


@pytest.fixture
def code_server() -> Iterator[int]:
    """The code location's server, as its container starts it; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dagster", "code-server", "start", "-h", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen([*command, "-m", LOCATION], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def validated(workspace: Path, **environment: str) -> str:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", str(workspace)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def test_the_checkouts_workspace_loads(tmp_path: Path) -> None:
    assert LOCATION in validated(ROOT / "workspace.yaml", DAGSTER_HOME=str(tmp_path))


def test_the_ecs_workspace_reaches_the_code_location_in_its_own_container(code_server: int, tmp_path: Path) -> None:
    client = DagsterGrpcClient(port=code_server, host="127.0.0.1")
    deadline = time.monotonic() + 120
    while client.health_check_query() != "SERVING":
        assert time.monotonic() < deadline, "the code server does not answer"
        time.sleep(0.2)
    told = validated(
        DEPLOYMENT / "ecs" / "workspace.yaml",
        DAGSTER_CODE_LOCATION_HOST="127.0.0.1",
        DAGSTER_CODE_LOCATION_PORT=str(code_server),
        DAGSTER_HOME=str(tmp_path),
    )
    assert LOCATION in told


def test_every_way_to_load_the_location_gives_it_the_same_name() -> None:
    """Otherwise the UI cannot re-execute what the command launched."""
    checkout = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"][0]["python_module"]
    ecs = template("ecs/workspace.yaml")["load_from"][0]["grpc_server"]
    plus = yaml.safe_load((ROOT / "dagster_cloud.yaml").read_text())["locations"][0]
    assert {checkout["location_name"], ecs["location_name"], plus["location_name"]} == {LOCATION}
    assert plus["code_source"]["module_name"] == LOCATION


# --- Dagster+ -------------------------------------------------------------------------------------


@with_dagster_cloud
def test_dagster_plus_accepts_the_agents_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster_cloud.workspace.ecs import EcsUserCodeLauncher

    names = ("TOKEN", "CLUSTER", "SUBNET_A", "SUBNET_B", "SECURITY_GROUP", "NAMESPACE", "EXECUTION_ROLE", "TASK_ROLE")
    for name in (*names, "LOG_GROUP"):
        monkeypatch.setenv(f"DAGSTER_{name}", "x")
    monkeypatch.setenv("DAGSTER_CLOUD_AGENT_TOKEN", "agent:prod:x")
    shutil.copy(DEPLOYMENT / "dagster_plus" / "dagster.yaml", tmp_path)
    configuration, custom_class = dagster_instance_config(str(tmp_path))
    assert custom_class.__name__ == "DagsterCloudAgentInstance"
    found = process_config(EcsUserCodeLauncher.config_type(), configuration["user_code_launcher"]["config"])
    assert found.success, found.errors


def test_the_location_of_dagster_plus_gets_every_setting_that_the_central_stack_tells(agent_stack: Stack) -> None:
    location = yaml.safe_load((ROOT / "dagster_cloud.yaml").read_text())["locations"][0]
    given = location["container_context"]["ecs"]["env_vars"]
    assert set(agent_stack.outputs["environment"]) == {name for name in given if "=" not in name}


@with_dagster_cloud
def test_dagster_plus_accepts_the_location_file() -> None:
    from dagster_cloud_cli.config.models import load_dagster_cloud_yaml

    found = load_dagster_cloud_yaml((ROOT / "dagster_cloud.yaml").read_text())
    assert [location.location_name for location in found.locations] == [LOCATION]


def test_the_agents_template_holds_no_token_and_no_branch_deployments() -> None:
    api = template("dagster_plus/dagster.yaml")["dagster_cloud_api"]
    assert api["agent_token"] == {"env": "DAGSTER_CLOUD_AGENT_TOKEN"}
    assert api["branch_deployments"] is False


# --- the image ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """(instruction, arguments), continued lines joined, comments left out."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined if line.strip()]


def arguments(dockerfile: list[tuple[str, str]], instruction: str) -> list[str]:
    return [rest for name, rest in dockerfile if name == instruction]


def test_the_image_runs_as_a_numeric_user_that_is_not_root(dockerfile: list[tuple[str, str]]) -> None:
    users = arguments(dockerfile, "USER")
    assert users == ["10001:10001"]
    names = [name for name, _ in dockerfile]
    assert "RUN" not in names[names.index("USER") :]
    assert "COPY" not in names[names.index("USER") :]


def test_the_image_has_a_health_check_and_two_stages_from_one_argument(dockerfile: list[tuple[str, str]]) -> None:
    assert len(arguments(dockerfile, "HEALTHCHECK")) == 1
    assert arguments(dockerfile, "FROM") == ["${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE} AS runtime"]
    (image,) = arguments(dockerfile, "ARG")
    assert image == "PYTHON_IMAGE=python:3.12-slim"
    names = [name for name, _ in dockerfile]
    assert names.index("ARG") < names.index("FROM")


def test_the_image_fetches_nothing_but_hashed_wheels_from_where_pip_is_told(dockerfile: list[tuple[str, str]]) -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "ADD" not in [name for name, _ in dockerfile]
    assert not re.search(r"https?://|curl|wget|apt-get|--index-url|--extra-index-url|--trusted-host", text)
    installs = [run for run in arguments(dockerfile, "RUN") if "pip install" in run]
    assert len(installs) == 2
    assert "--require-hashes --only-binary=:all:" in installs[0]
    assert "--no-deps --no-index" in installs[1]
    assert not [
        rest for name, rest in dockerfile if name in ("ENV", "ARG") and re.search("PASSWORD|TOKEN|SECRET", rest)
    ]


def test_what_the_image_copies_is_there_and_let_through(dockerfile: list[tuple[str, str]]) -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for rest in arguments(dockerfile, "COPY"):
        if rest.startswith("--from="):
            continue
        for source in rest.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(source == name or source.startswith(f"{name}/") for name in allowed), source


def pinned(requirements: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{requirements}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^ ;]+)", text, re.M))


def test_everything_the_image_installs_is_pinned_hashed_and_the_same_as_elsewhere() -> None:
    text = (ROOT / "requirements" / "deployed.txt").read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert all("==" in block and "--hash=sha256:" in block for block in blocks)
    pins = {name: pinned(name) for name in ("deployed", "pipeline", "dev")}
    for other in ("pipeline", "dev"):
        # setuptools is a tool of the build; parliament wants an older one.
        shared = (pins["deployed"].keys() & pins[other].keys()) - {"setuptools"}
        assert shared
        assert {n: pins["deployed"][n] for n in shared} == {n: pins[other][n] for n in shared}


# --- the health check -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/opt/venv/bin/python /opt/venv/bin/dagster-webserver -h 0.0.0.0 -p 3000 -w workspace.yaml", "web"),
        ("/opt/venv/bin/python /opt/venv/bin/dagster code-server start -h 0.0.0.0 -p 4000 -m x", "dagster"),
        ("/opt/venv/bin/python /opt/venv/bin/dagster-daemon run -w workspace.yaml", "dagster-daemon"),
        ("/opt/venv/bin/python /opt/venv/bin/dagster api execute_run {}", None),
    ],
)
def test_each_process_is_asked_in_its_own_way(line: str, expected: str | None) -> None:
    check = health.check_for([["/sbin/docker-init", "--"], line.split(), ["python", "/opt/dagster/health.py"]])
    assert (check[0] if check else None) == expected


def test_a_webserver_is_healthy_while_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/server_info" else 404)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(health, "WEB", f"http://127.0.0.1:{server.server_port}/server_info")
    assert health.healthy(["web"])
    server.shutdown()
    server.server_close()
    assert not health.healthy(["web"])


def test_the_commands_exit_code_is_the_health() -> None:
    assert health.healthy([sys.executable, "-c", "pass"])
    assert not health.healthy([sys.executable, "-c", "raise SystemExit(1)"])
    assert health.healthy(None)


def test_a_process_that_ends_meanwhile_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "cmdline").write_bytes(b"a\0b\0")
    (tmp_path / "2" / "cmdline").mkdir(parents=True)  # reading it fails, as of a process that is gone
    assert health.command_lines(tmp_path) == [["a", "b", ""]]
