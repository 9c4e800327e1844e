"""The embedded Dagster instance: made once, under a lock, in the user's state folder (or DAGSTER_HOME)."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dbadmin_assets.config import Settings
from dbadmin_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from dagster import DagsterInstance

_READY = ".db-admin-report-ready"

# Without a daemon a queued run would wait for ever, so runs start at once. Nothing is reported to anybody.
_DAGSTER_YAML = """\
# Written by db-admin-report when this instance was made; yours to change.
event_log_storage:
  module: dbadmin_assets.cli.event_log
  class: PooledSqliteEventLogStorage
  config:
    base_dir: {events}
run_coordinator:
  module: dagster._core.run_coordinator
  class: DefaultRunCoordinator
telemetry:
  enabled: false
nux:
  enabled: false
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      failure: 90
      success: 90
"""


def dagster_yaml(home: Path) -> str:
    """The configuration of an embedded instance in `home`."""
    return _DAGSTER_YAML.format(events=json.dumps(str(home / "history" / "runs")))


def prepare_instance(settings: Settings) -> None:
    """Make the instance if it is not there yet. Several processes may do this at once.

    Three first launches at once on an empty folder made one of them fail in the database migration; so the
    first creates everything, and the others wait for it. Once made, this costs no import of Dagster.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    home = settings.dagster_home
    os.environ["DAGSTER_HOME"] = str(home)
    with writable(home):
        for folder in (settings.state_dir, home):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not os.access(folder, os.W_OK | os.X_OK):  # found out here, not as an error of the database
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        if is_made(settings):
            return
        from filelock import FileLock

        with FileLock(home / ".db-admin-report-lock"):
            if is_made(settings):
                return
            configuration = home / "dagster.yaml"
            if not configuration.exists():
                configuration.write_text(dagster_yaml(home), encoding="utf-8")
            _create_tables(settings)
            (home / _READY).touch()


def is_made(settings: Settings) -> bool:
    """Whether the instance is there already."""
    return (settings.dagster_home / _READY).exists()


@contextlib.contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Around work on files of the state folder: what the system refuses is a matter of configuration.

    Raises:
        ConfigurationError: for any OSError, naming the file (else the folder) and the settings.
    """
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            [f"{error.filename or folder} cannot be used: {error.strerror or error}"],
            hint="set DBADMIN_STATE_DIR (and DAGSTER_HOME) to folders that can be written",
        ) from error


def _create_tables(settings: Settings) -> None:
    with open_instance(settings) as instance:
        instance.get_runs(limit=1)
        instance.all_asset_keys()
        instance.get_dynamic_partitions("targets")
        instance.all_instigator_state()


def open_instance(settings: Settings) -> DagsterInstance:
    """The instance, for use in a `with` statement. `prepare_instance` came first."""
    from dagster import DagsterInstance

    return DagsterInstance.from_config(str(settings.dagster_home))


def runs_are_our_processes(instance: DagsterInstance) -> bool:
    """Whether a run lives in the process group that was launched.

    An instance that a team configured may queue runs or start them elsewhere: then no process here says anything.
    """
    from dagster._core.launcher import DefaultRunLauncher
    from dagster._core.run_coordinator import DefaultRunCoordinator

    return isinstance(instance.run_launcher, DefaultRunLauncher) and isinstance(
        instance.run_coordinator, DefaultRunCoordinator
    )
