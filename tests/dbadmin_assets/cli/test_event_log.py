"""The embedded instance's event log is Dagster's own, only with its connections kept open."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

from dbadmin_assets.cli.event_log import PooledSqliteEventLogStorage
from dbadmin_assets.cli.instance import dagster_yaml


@dg.asset
def noted() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"n": 7})


def test_what_it_stores_dagsters_own_class_reads(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(dagster_yaml(tmp_path))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert type(instance.event_log_storage) is PooledSqliteEventLogStorage
        result = dg.materialize([noted], instance=instance)
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        stored = instance.get_records_for_run(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        (record,) = stored.records
    assert record.asset_materialization and record.asset_materialization.metadata["n"].value == 7


def test_it_keeps_connections_open_and_closes_them_with_the_instance(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(dagster_yaml(tmp_path))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        dg.materialize([noted], instance=instance)
        assert _open_files(tmp_path)
    assert _open_files(tmp_path) == []


def _open_files(folder: Path) -> list[str]:
    import psutil

    opened = [file.path for file in psutil.Process(os.getpid()).open_files()]
    return [path for path in opened if path.startswith(str(folder / "history" / "runs"))]
