"""From Dagster's event log to alerts: which runs of ours ended since the last look, and what their checks said.

Everything is derived from events, and the cursor is written when the tick is over: a daemon that is killed anywhere
in between finds the same events again. Nothing is read per passing evaluation: 10,000 of them take seconds to decode.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.event_api import RunStatusChangeEventType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status

from dbadmin_assets.failure_reason import why_it_failed
from dbadmin_assets.review.alerts.grouping import (
    WHOLE,
    FailedEvaluation,
    failed_in_run,
    failed_without_run,
    recovered,
)
from dbadmin_assets.review.alerts.model import Alert, alert_id
from dbadmin_assets.review.alerts.state import State
from dbadmin_assets.review.times import to_text

JOB = "db_admin_report"
FIRST_LOOK_SECONDS = 3600
"""How far back the very first tick looks: what ended long before anybody wanted alerts is no news."""
SETTLE_SECONDS = 2
"""Younger events wait: PostgreSQL may show a later event before an earlier one whose transaction is not over."""

_PAGE = 1000
_CLOCKS_DIFFER_SECONDS = 60  # the database's and that of the process that made the run
_MOST_RUNS = 200
_ENDS: tuple[RunStatusChangeEventType, ...] = (
    dg.DagsterEventType.RUN_SUCCESS,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_CANCELED,
)


class Look:
    """One look at an instance.

    Args:
        checks: every check of ours; an evaluation of another is nobody's alert here.
        now: Unix time.
    """

    def __init__(self, instance: dg.DagsterInstance, checks: Collection[dg.AssetCheckKey], now: float) -> None:
        self._instance = instance
        self._checks = {f"{key.asset_key.to_user_string()}:{key.name}": key for key in checks}
        self._assets = {key.asset_key for key in checks}
        self._now = now
        self._oldest = now  # nothing that is new was evaluated before
        self._failed_ids: dict[tuple[str, str], int] = {}

    def new_alerts(self, state: State) -> list[Alert]:
        """What is new since `state`, which is moved on; nothing is delivered here."""
        told_before = dict(state.newest_failed)
        ended = list(self._ended(state))
        runs = {record.run_id: run for record in ended if (run := self._run_of_ours(record.run_id))}
        failed = self._failed_evaluations(list(runs.values()))
        alerts: list[Alert] = []
        for record in ended:
            if run := runs.get(record.run_id):
                at = _text(record.timestamp)
                alerts += failed_in_run(run.run_id, at, failed.get(run.run_id, []), state.red)
                alerts += self._of_run(run, record, at, state)
        alerts += self._without_run(state)
        for (check, _), number in self._failed_ids.items():
            state.newest_failed[check] = max(number, state.newest_failed.get(check, 0))
        alerts += recovered(state.red, self._passing(state, runs, told_before), _text(self._now))
        return alerts

    def _ended(self, state: State) -> Iterator[dg.EventLogRecord]:
        """Ends of runs in the order in which they were stored; moves the state on past those it yields."""
        found: list[dg.EventLogRecord] = []
        bound: float = float("inf")
        for event_type in _ENDS:
            page = self._instance.fetch_run_status_changes(
                dg.RunStatusChangeRecordsFilter(
                    event_type,
                    after_storage_id=state.runs_after,
                    after_timestamp=state.since if state.runs_after is None else None,
                ),
                limit=_MOST_RUNS,
                ascending=True,
            )
            found += page.records
            if page.has_more:  # events of the other kinds beyond its last one would be handled out of order
                bound = min(bound, page.records[-1].storage_id)
        for record in sorted(found, key=lambda record: record.storage_id):
            if record.storage_id > bound or record.timestamp > self._now - SETTLE_SECONDS:
                return
            state.runs_after = record.storage_id
            yield record

    def _run_of_ours(self, run_id: str) -> dg.DagsterRun | None:
        """None for a run of somebody else on the same instance, and for one that was deleted."""
        run = self._instance.get_run_by_id(run_id)
        if run is None:
            return None
        selected = {*(run.asset_selection or ()), *(key.asset_key for key in run.asset_check_selection or ())}
        return run if run.job_name == JOB or selected & self._assets else None

    def _failed_evaluations(self, runs: Sequence[dg.DagsterRun]) -> dict[str, list[FailedEvaluation]]:
        """By run, what did not pass; the newest first, until before these runs began."""
        wanted: dict[str, list[FailedEvaluation]] = {run.run_id: [] for run in runs}
        records = [self._instance.get_run_record_by_id(run_id) for run_id in wanted]
        began = min((record.create_timestamp.timestamp() for record in records if record), default=self._now)
        self._oldest = min(self._oldest, began)
        for check, key in self._checks.items() if wanted else ():
            for record in self._history(key, {Status.FAILED}):
                if record.create_timestamp < began - _CLOCKS_DIFFER_SECONDS:
                    break
                evaluation = record.evaluation
                if evaluation is not None and record.run_id in wanted:
                    target, said = evaluation.partition or WHOLE, evaluation.description or ""
                    failure = FailedEvaluation(check, target, evaluation.severity.value, said)
                    wanted[record.run_id].append(failure)
                    self._note_failure(check, target, record.id)
        return wanted

    def _history(
        self, key: dg.AssetCheckKey, status: set[Status], page: int = _PAGE
    ) -> Iterator[AssetCheckExecutionRecord]:
        cursor = None
        storage = self._instance.event_log_storage
        while found := storage.get_asset_check_execution_history(key, limit=page, cursor=cursor, status=status):
            yield from found
            cursor = found[-1].id

    def _of_run(self, run: dg.DagsterRun, record: dg.EventLogRecord, at: str, state: State) -> Iterator[Alert]:
        """The run itself: that it failed, or that runs of this job succeed again."""
        event = record.event_log_entry.dagster_event_type
        if event == dg.DagsterEventType.RUN_FAILURE:
            state.failed_jobs = sorted({*state.failed_jobs, run.job_name})
            said = f"run {run.run_id}: {why_it_failed(self._instance, run.run_id, record)}"
            yield Alert(id=alert_id("run-failed", run.run_id), kind="run-failed", severity="ERROR", at=at, said=said,
                        run_id=run.run_id)  # fmt: skip
        elif event == dg.DagsterEventType.RUN_SUCCESS and run.job_name in state.failed_jobs:
            state.failed_jobs = [name for name in state.failed_jobs if name != run.job_name]
            said = f"run {run.run_id} succeeded"
            yield Alert(id=alert_id("run-recovered", run.run_id), kind="run-recovered", severity="INFO", at=at,
                        said=said, run_id=run.run_id)  # fmt: skip

    def _without_run(self, state: State) -> Iterator[Alert]:
        """Checks that a sensor evaluated: few, and of the asset as a whole."""
        for check, key in self._checks.items():
            if check.startswith("account_collections:"):  # by partition, only ever in runs
                continue
            after = state.runless_after.get(check, 0)
            new = []
            for record in self._history(key, {Status.FAILED, Status.SUCCEEDED}, page=20):
                if record.id <= after or (not after and record.create_timestamp < state.since):
                    break
                new.append(record)
            for record in reversed(new):
                if record.create_timestamp > self._now - SETTLE_SECONDS:
                    break
                state.runless_after[check] = record.id
                evaluation = record.evaluation
                if evaluation is None or record.run_id:
                    continue
                self._oldest = min(self._oldest, record.create_timestamp)
                if not evaluation.passed:
                    self._note_failure(check, WHOLE, record.id)
                    failure = FailedEvaluation(check, WHOLE, evaluation.severity.value, evaluation.description or "")
                    yield from failed_without_run(failure, _text(record.create_timestamp), record.id, state.red)

    def _note_failure(self, check: str, target: str, number: int) -> None:
        self._failed_ids[check, target] = max(number, self._failed_ids.get((check, target), 0))

    def _passing(
        self, state: State, runs: Collection[str], told_before: Mapping[str, int]
    ) -> dict[str, dict[str, object]]:
        """Of the checks that are red: the targets that passed in these runs, or without one, after they failed.

        A target that is in no inventory any more is forgotten: nothing will ever evaluate it again.

        Args:
            told_before: by check the newest failure of earlier looks. A run that began before that one may end after
                it, and what passed there has not recovered.
        """
        known = {WHOLE, *self._instance.get_dynamic_partitions("targets")} if state.red else set()
        passing: dict[str, dict[str, object]] = {}
        for check in state.red:
            state.red[check] = [target for target in state.red[check] if target in known]
            left, key = set(state.red[check]), self._checks.get(check)
            found = passing.setdefault(check, {})
            for record in self._history(key, {Status.SUCCEEDED}) if key and left and self._oldest < self._now else ():
                if not left or record.create_timestamp < self._oldest - _CLOCKS_DIFFER_SECONDS:
                    break
                target = record.partition or WHOLE
                failed = max(self._failed_ids.get((check, target), 0), told_before.get(check, 0))
                if target in left and record.id > failed and (not record.run_id or record.run_id in runs):
                    found[target] = record.id
                    left.remove(target)
        return passing


def _text(timestamp: float) -> str:
    return to_text(datetime.fromtimestamp(timestamp, UTC))
