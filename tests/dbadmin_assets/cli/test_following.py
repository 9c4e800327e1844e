"""Following a run: events become states, a dead run is noticed and marked, a stranger's process is no run."""

import io
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from dbadmin_assets.cli import display as displays
from dbadmin_assets.cli.display import LineDisplay, LiveDisplay, describe
from dbadmin_assets.cli.embedded import EmbeddedRun, EmbeddedRuns
from dbadmin_assets.cli.follow import WaitedLongEnoughError, follow, longest_silence, state_of
from dbadmin_assets.cli.instance import open_instance, prepare_instance, runs_are_our_processes
from dbadmin_assets.cli.launch import RunRecord
from dbadmin_assets.cli.processes import run_processes, stop_run
from dbadmin_assets.cli.progress import RunProgress, TargetProgress
from dbadmin_assets.cli.runs import run_tags
from dbadmin_assets.config import Settings, load_settings
from dbadmin_assets.errors import EvidenceError, RunDiedError

KEYS = ("012345678901|us-east-1", "111111111111|us-east-1")
EVIL = "Worker \x1b[31mFailed"


@dg.asset
def account_collections() -> Iterator[Any]:
    metadata = {"status": "failed", "reason": EVIL, "databases": 2, "failed_databases": 2, "duration_seconds": 1.5}
    yield dg.AssetMaterialization("account_collections", partition=KEYS[0], metadata=metadata)
    yield dg.MaterializeResult()


@dg.asset(deps=[account_collections])
def db_admin_report() -> None:
    raise EvidenceError("cannot write s3://evidence/x: AccessDenied")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))  # prepare_instance sets it, too
    return load_settings({}, {"HOME": str(tmp_path), "DBADMIN_STATE_DIR": str(tmp_path / "state")})


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    prepare_instance(settings)
    with open_instance(settings) as instance:
        yield instance


@pytest.fixture
def runs(settings: Settings) -> Iterator[EmbeddedRuns]:
    with EmbeddedRuns(settings) as runs:
        yield runs


def embedded(runs: EmbeddedRuns, run_id: str, *, alive: bool | None, record: RunRecord | None = None) -> EmbeddedRun:
    """A run whose processes are there or not."""
    return EmbeddedRun(runs, run_id, record, None if alive is None else lambda: alive, Path("run.log"))


def state(run: EmbeddedRun, progress: RunProgress) -> str:
    """As `status` finds it."""
    status = run.status()
    progress.take(run.new_events())
    return state_of(status, progress, silence_seconds=longest_silence(840))


def watch(run: EmbeddedRun, timeout_seconds: float | None = None, silence_seconds: float = 60.0) -> str:
    progress, display = RunProgress(KEYS), LineDisplay(verbose=False)
    return follow(run, progress, display, timeout_seconds=timeout_seconds, silence_seconds=silence_seconds)


def started_run(instance: dg.DagsterInstance) -> str:
    return create_run_for_test(instance, run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED).run_id


def test_the_embedded_instance_runs_without_a_daemon_and_tells_nobody(instance: dg.DagsterInstance) -> None:
    assert runs_are_our_processes(instance)
    assert instance.telemetry_enabled is False
    assert instance.nux_enabled is False


def test_a_configuration_of_the_user_is_kept(settings: Settings) -> None:
    settings.dagster_home.mkdir(parents=True)
    (settings.dagster_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    prepare_instance(settings)
    with open_instance(settings) as instance:
        assert not runs_are_our_processes(instance), "it queues its runs, so no process here speaks for them"


def test_events_become_states_and_the_cause_of_a_failure(instance: dg.DagsterInstance, runs: EmbeddedRuns) -> None:
    result = dg.materialize([account_collections, db_admin_report], instance=instance, raise_on_error=False)
    run, progress = embedded(runs, result.run_id, alive=None), RunProgress(KEYS)
    changed = progress.take(run.new_events())
    assert [(t.key, t.state) for t in changed] == [(KEYS[0], "failed"), (KEYS[1], "collecting")]
    assert progress.targets[KEYS[0]].reason == EVIL
    assert progress.targets[KEYS[0]].duration_seconds == 1.5
    assert progress.targets[KEYS[1]].state == "collecting"
    assert progress.failure == "db_admin_report: cannot write s3://evidence/x: AccessDenied"
    assert progress.report is None
    assert run.new_events() == []


def test_a_run_without_a_process_is_marked_as_failed(instance: dg.DagsterInstance, runs: EmbeddedRuns) -> None:
    run_id = started_run(instance)
    with pytest.raises(RunDiedError, match=run_id) as error:
        watch(embedded(runs, run_id, alive=False))
    assert "run.log" in (error.value.hint or "")
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE


def test_every_later_look_at_a_dead_run_says_that_it_died(instance: dg.DagsterInstance, runs: EmbeddedRuns) -> None:
    run_id = started_run(instance)
    for alive in (False, None):
        progress = RunProgress([KEYS[0]])
        assert state(embedded(runs, run_id, alive=alive), progress) == "died"
        assert run_id in (progress.failure or "")


def test_a_run_that_failed_by_itself_did_not_die(instance: dg.DagsterInstance, runs: EmbeddedRuns) -> None:
    result = dg.materialize([account_collections, db_admin_report], instance=instance, raise_on_error=False)
    assert state(embedded(runs, result.run_id, alive=False), RunProgress()) == "failed"


def test_a_run_of_which_nothing_is_heard_is_called_silent(instance: dg.DagsterInstance, runs: EmbeddedRuns) -> None:
    """Its process is nobody's that can be looked at here, and no daemon marks it as failed."""
    run = embedded(runs, started_run(instance), alive=None)
    stored = instance.get_run_by_id(run.run_id)
    assert stored is not None
    instance.report_engine_event("at work", stored)
    progress = RunProgress()
    progress.take(run.new_events())
    assert progress.last_event_at is not None
    assert state_of("STARTED", progress, silence_seconds=60) == "running"
    progress.last_event_at -= 61
    assert state_of("STARTED", progress, silence_seconds=60) == "silent"
    assert state_of("QUEUED", progress, silence_seconds=60) == "queued", "it waits for others, however long that takes"
    with pytest.raises(RunDiedError, match="probably dead"):
        watch(run, silence_seconds=0.0)


def test_a_run_that_goes_on_is_left_alone_when_the_time_is_up(instance: dg.DagsterInstance, runs: EmbeddedRuns) -> None:
    run_id = started_run(instance)
    with pytest.raises(WaitedLongEnoughError, match="goes on"):
        watch(embedded(runs, run_id, alive=True), timeout_seconds=0.01)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.STARTED


def test_lines_count_against_the_scope_only_where_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    target = TargetProgress(KEYS[0], state="failed")
    for keys, count in ((KEYS, "[1/2]"), (None, "[1]")):
        LineDisplay(verbose=False).update(RunProgress(keys), [target])
        assert count in capsys.readouterr().err


def test_a_run_has_the_limits_that_the_settings_say(settings: Settings) -> None:
    tags = run_tags(replace(settings, max_runtime_seconds=600, run_max_retries=2), "request")
    assert tags["dagster/max_runtime"] == "600"
    assert (tags["dagster/max_retries"], tags["dagster/retry_on_asset_or_op_failure"]) == ("2", "false")
    assert "dagster/max_retries" not in run_tags(settings, "request")


def test_a_process_that_carries_another_name_is_not_taken_for_the_run() -> None:
    run_id = str(uuid.uuid4())
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    stranger = subprocess.Popen(command, start_new_session=True)
    ours = subprocess.Popen([*command, run_id], start_new_session=True)
    try:
        assert run_processes(stranger.pid, run_id) == []
        stop_run(stranger.pid, run_id)
        assert stranger.poll() is None, "a group id that somebody else has by now must not be killed"
        assert [process.pid for process in run_processes(ours.pid, run_id)] == [ours.pid]
        stop_run(ours.pid, run_id)
        assert run_processes(ours.pid, run_id) == [], "not waited for yet, but a zombie is dead"
    finally:
        for process in (stranger, ours):
            process.kill()
            process.wait()


def test_a_reason_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    target = TargetProgress(KEYS[0], state="failed", reason=EVIL)
    progress = RunProgress(KEYS)
    LineDisplay(verbose=False).update(progress, [target])
    assert "\x1b" not in capsys.readouterr().err
    assert "012345678901 us-east-1 failed" in describe(target)


def test_a_message_of_many_lines_cannot_pass_for_many_messages(capsys: pytest.CaptureFixture[str]) -> None:
    progress = RunProgress(KEYS)
    progress.messages = [f"the end of its worker's log:\n{EVIL}\n12:00:00Z all is well"]
    LineDisplay(verbose=True).update(progress, [])
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.endswith("Z the end of its worker's log:")
    assert all(line.startswith("    ") for line in rest)
    assert rest[-1] == "    12:00:00Z all is well"
    assert "\x1b" not in "".join(rest)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_live_table_fits_the_terminal_and_shows_failures_first(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    from rich.console import Console

    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=width, height=20, markup=False, highlight=False)
    monkeypatch.setattr(displays, "console", lambda **_: terminal)
    progress = RunProgress([f"{n:012d}|us-east-1" for n in range(1000)])
    progress.targets["000000000999|us-east-1"].state = "failed"
    progress.targets["000000000999|us-east-1"].reason = EVIL
    live = LiveDisplay()
    try:
        live.update(progress, [])
    finally:
        live.close()
    text = screen.getvalue()
    assert "000000000999" in text
    assert ("Worker \\u001b[31mFailed" in text) == (width >= 80)
    assert "1 failed, 999 waiting" in text
    first_frame = text.split("\x1b[1A")[0]
    assert first_frame.count("\n") < 20, "a table that is higher than the terminal scrolls at every refresh"
