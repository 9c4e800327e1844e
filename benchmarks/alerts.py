"""How long one tick of the alert sensor takes over 10,000 check evaluations of one run, on SQLite.

5,000 targets with two checks each, written by the code that the pipeline writes them with. Every tenth target fails
first, then every one, and last all pass again: the tick that must find what recovered. The endpoints answer at once:
time on the wire is not the sensor's. The instance is the embedded one, whose making is not in it.
"""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from typing import Any

from benchmarks.measured import as_child, in_fresh_interpreter, peak_mib, spread

TARGETS = 5000
REPEAT = 5
SCENES = {"every tenth target fails": 10, "every target fails": 1, "all pass again": 0}


def main() -> None:
    """One process makes the events and ticks; a tick is repeated with the cursor it began with."""
    answer = in_fresh_interpreter("benchmarks.alerts", {})
    for scene in SCENES:
        print(f"{scene:<26} {spread(answer['seconds'][scene])} s a tick, {answer['said'][scene]}")
    print(f"nothing new                {spread(answer['seconds']['nothing new'])} s a tick; "
          f"cursor of at most {answer['cursor_bytes'] / 1024:.1f} KiB; peak {answer['peak_mib']:.0f} MiB")  # fmt: skip


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """All scenes, in this process."""
    del request
    from dbadmin_assets.cli.instance import open_instance, prepare_instance
    from dbadmin_assets.config import load_settings

    with tempfile.TemporaryDirectory(prefix="alerts-") as temporary:
        settings = load_settings(environ={"DBADMIN_STATE_DIR": temporary, "DBADMIN_CONFIG": os.devnull})
        prepare_instance(settings)
        with open_instance(settings) as instance:
            return _scenes(instance)


def _scenes(instance: Any) -> dict[str, Any]:
    keys = [f"{100_000_000_000 + n}|us-east-1" for n in range(TARGETS)]
    instance.add_dynamic_partitions("targets", keys)
    cursor, seconds, said, size = None, {}, {}, 0
    for scene, every in SCENES.items():
        _ended_run(instance, keys, every)
        time.sleep(2.5)  # younger events wait for the next tick
        seconds[scene], result = _ticks(instance, cursor)
        cursor, said[scene] = result.cursor, str(result.skip_reason.skip_message)
        size = max(size, len(cursor))
    seconds["nothing new"], _ = _ticks(instance, cursor)
    return {"seconds": seconds, "said": said, "cursor_bytes": size, "peak_mib": peak_mib()}


def _ticks(instance: Any, cursor: str | None) -> tuple[list[float], Any]:
    import dagster as dg

    from dbadmin_assets.resources.wiring import AlertsResource, AwsResource
    from dbadmin_assets.sensors import alert_sensor

    def taken(_: Any) -> None:
        """Delivered at once."""

    class AtOnce(AlertsResource):
        def endpoints(self) -> Any:
            return {"SNS topic": taken, "webhook": taken}

    walls = []
    for _ in range(REPEAT):
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, resources={"alerts": AtOnce(aws=AwsResource())}
        ) as context:
            began = time.perf_counter()
            result = alert_sensor()(context)
            walls.append(time.perf_counter() - began)
    return walls, result


def _ended_run(instance: Any, keys: list[str], every: int) -> None:
    """A finished run of our job with two evaluations for each target, its events as Dagster stores them."""
    import dagster as dg
    from dagster._core.events import DagsterEvent
    from dagster._core.events.log import EventLogEntry
    from dagster._core.storage.dagster_run import DagsterRun

    from dbadmin_assets.checks.by_target import evaluations

    run_id = str(uuid.uuid4())
    instance.add_run(DagsterRun(job_name="db_admin_report", run_id=run_id, status=dg.DagsterRunStatus.STARTED))
    storage = instance.event_log_storage
    for number, key in enumerate(keys):
        failed = every != 0 and number % every == 0
        for evaluation in evaluations(_outcome(key, failed)):
            event = DagsterEvent("ASSET_CHECK_EVALUATION", "db_admin_report", event_specific_data=evaluation)
            storage.store_event(EventLogEntry(None, 10, "", run_id, time.time(), None, "db_admin_report", event))
    end = DagsterEvent("PIPELINE_SUCCESS", "db_admin_report")
    instance.handle_new_event(EventLogEntry(None, 10, "", run_id, time.time(), None, "db_admin_report", end))


def _outcome(key: str, failed: bool) -> Any:
    from dbadmin_assets.review.records import DatabaseOutcome, Outcome

    at = "2024-01-15T14:22:33Z"
    reason = "Connection Failed: Timed out" if failed else None
    database = DatabaseOutcome(
        name="db", engine="mysql", status="failed" if failed else "complete", reported_at=at,
        reason=reason,
    )  # fmt: skip
    account, region = key.split("|")
    return Outcome(
        collection_id="c", run_id="r", account_id=account, region=region, status="failed" if failed else "complete",
        attempts=1, started_at=at, ended_at=at, databases=(database,), reason=reason,
    )  # fmt: skip


if __name__ == "__main__" and not as_child(measure):
    main()
