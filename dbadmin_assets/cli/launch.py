"""Launching a run, and the small file that lets every later command find it again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dbadmin_assets.cli.instance import writable
from dbadmin_assets.cli.processes import run_processes
from dbadmin_assets.cli.runs import JOB, REQUESTED_BY_TAG, RunRequest, run_tags
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import ReportError, UnknownRunError

MODULE = "dbadmin_assets.definitions"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """`{state_dir}/runs/{run_id}.json`: who asked for what, and which process group does it.

    `scope` has accounts and regions as they were asked for, and the keys of the targets they come to.
    """

    run_id: str
    pid: int
    pgid: int
    started_at: str
    requested_by: str
    scope: dict[str, list[str]]

    def is_alive(self) -> bool:
        """Whether any process of the run is there."""
        return bool(run_processes(self.pgid, self.run_id))

    @property
    def started(self) -> datetime:
        """When it was launched, aware."""
        return datetime.fromisoformat(self.started_at)


def runs_folder(settings: Settings) -> Path:
    """Where records and logs of runs lie."""
    return settings.state_dir / "runs"


def log_path(settings: Settings, run_id: str) -> Path:
    """What the run's processes printed."""
    return runs_folder(settings) / f"{run_id}.log"


def canceled_path(settings: Settings, run_id: str) -> Path:
    """There once a run was canceled before Dagster knew of it: nothing else could tell."""
    return runs_folder(settings) / f"{run_id}.canceled"


def launch(settings: Settings, request: RunRequest) -> tuple[RunRecord, subprocess.Popen[bytes]]:
    """Start the job as a process session of its own: Ctrl-C here, or a closed terminal, does not reach it."""
    run_id = str(uuid.uuid4())
    config, tags = request.run_config(), run_tags(settings, run_id) | request.lineage_tags()
    command = [
        sys.executable, "-m", "dagster", "job", "launch", "-m", MODULE, "-j", JOB, "--run-id", run_id,
        "--config-json", json.dumps(config), "--tags", json.dumps(tags),
    ]  # fmt: skip
    folder = runs_folder(settings)
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(log_path(settings, run_id), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,  # not the caller's folder: `python -m` would import from it
            env={**os.environ, **settings.environment()},
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    record = RunRecord(
        run_id=run_id,
        pid=process.pid,
        pgid=process.pid,
        started_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        requested_by=tags[REQUESTED_BY_TAG],
        scope={
            "accounts": list(request.accounts),
            "regions": list(request.regions),
            "targets": list(request.target_keys or ()),
        },
    )
    _write(record, folder / f"{run_id}.json")
    return record, process


def _write(record: RunRecord, path: Path) -> None:
    partial = path.with_suffix(".json.partial")
    partial.write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
    partial.replace(path)


def read_record(settings: Settings, run_id: str) -> RunRecord | None:
    """The record of a run that was launched here; None where there is none (launched in the UI, or elsewhere).

    Raises:
        UnknownRunError: what was given cannot be a run id.
        ConfigurationError: the state folder cannot be read.
        ReportError: the record is damaged.
    """
    checked_run_id(run_id)
    path = runs_folder(settings) / f"{run_id}.json"
    with writable(path.parent):
        try:
            text = path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return None
    try:
        values: dict[str, Any] = json.loads(text)
        return RunRecord(**values)
    except (ValueError, TypeError) as error:
        raise ReportError(
            f"{path} is not the record of a run ({error})",
            hint="move the file away: without it, the run is looked up in the Dagster instance alone",
        ) from error


def checked_run_id(run_id: str) -> str:
    """What was given, which is a run id.

    Raises:
        UnknownRunError: it cannot be one.
    """
    try:
        uuid.UUID(run_id)
    except ValueError as error:
        raise UnknownRunError(f"{run_id!r} is not a run id", hint="`db-admin-report generate` prints it") from error
    return run_id
