"""`python -m sandbox ui` and a person in a browser: one partition, all of them, why it failed, what the report says.

With DBADMIN_WRITE_DOCS=1 the screenshots go to docs/images/.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from sandbox.history import FAILING
from tests.browser import browser_page, photograph, reload_until
from tests.deployed_dagster import free_port

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 240
RUN_SECONDS = 120
BACKFILL_SECONDS = 240  # the daemon looks every 30 seconds: collections, then the report, then the end
PARTITION = f"/assets/account_collections?view=partitions&partition={FAILING.replace('|', '%7C')}"
REASON = "ledger-reporting: Connection Failed: Authentication failed"
NOT_OURS = "Function `dev_command` is superseded"


@dataclass(frozen=True)
class Served:
    """A Dagster with its history, and what it said while it was made ready."""

    process: subprocess.Popen[bytes]
    said: Path
    url: str

    @property
    def dagster_log(self) -> Path:
        found = re.search("its log: (.*)", self.said.read_text())
        assert found is not None
        return Path(found[1])

    @property
    def dagster_home(self) -> Path:
        return self.dagster_log.parents[1] / "home" / "dagster"


def start_ui(port: int, said: Path) -> subprocess.Popen[bytes]:
    with said.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "sandbox", "ui", "--port", str(port)],
            cwd=ROOT, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser_page() as opened:
        yield opened


@pytest.fixture(scope="module")
def ui(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Ended by Ctrl-C. It asks for the page first: without a browser nothing is started."""
    said, port = tmp_path_factory.mktemp("ui") / "said.txt", free_port()
    process = start_ui(port, said)
    try:
        give_up_at = time.monotonic() + READY_SECONDS
        while "ready:" not in said.read_text():
            assert process.poll() is None and time.monotonic() < give_up_at, said.read_text()
            time.sleep(0.2)
        yield Served(process, said, f"http://127.0.0.1:{port}")
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.timeout(600)
def test_one_partition_is_materialized_from_the_lineage_page_and_says_why_it_failed(
    ui: Served, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{ui.url}/asset-groups")
    reload_until(page, page.get_by_text("2 / 2 Passed"), RUN_SECONDS)  # the nodes have their state
    photograph(page, "lineage", tmp_path)
    page.get_by_text("account_collections").first.click()
    page.get_by_role("button", name="Materialize selected").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Select a partition or create one").click()
    page.get_by_text(FAILING).locator("visible=true").last.click()
    page.keyboard.press("Escape")
    launch = dialog.get_by_role("button", name="Launch 1 run")
    launch.wait_for()
    photograph(page, "materialize", tmp_path)
    launch.click()
    dialog.wait_for(state="hidden")
    page.goto(ui.url + PARTITION)
    reload_until(page, page.get_by_text(REASON), RUN_SECONDS)
    photograph(page, "partition", tmp_path)
    page.goto(f"{ui.url}/assets/account_collections?view=checks&checkDetail=collected")
    reload_until(page, page.get_by_text("1 databases failed: Connection Failed: Authentication failed"), RUN_SECONDS)
    assert page.get_by_text(FAILING).first.is_visible()
    photograph(page, "check", tmp_path)


@pytest.mark.timeout(600)
def test_a_backfill_of_all_partitions_ends_in_a_report_that_says_what_failed(
    ui: Served, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{ui.url}/asset-groups")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="All", exact=True).click()
    dialog.get_by_text("5 partitions selected").wait_for()
    dialog.get_by_role("button", name="Launch backfill").click()
    dialog.wait_for(state="hidden")
    page.goto(f"{ui.url}/runs?view=backfills")
    page.locator("a[href^='/runs/b/']").first.click()
    reload_until(page, page.get_by_text("100% completed").nth(1), BACKFILL_SECONDS)
    photograph(page, "backfill", tmp_path)
    page.goto(f"{ui.url}/assets/db_admin_report?view=events")
    reload_until(page, page.get_by_text("db-admin-report download"), RUN_SECONDS)
    shown = page.locator("table").first.inner_text()
    for name, value in {"sequence": 4, "complete": "false", "targets": 5, "databases": 6, "failed": 1}.items():
        assert re.search(rf"\b{name}\s+{value}\b", shown), shown
    assert re.search(r"download\s+db-admin-report download s3://\S+/reports/\S+/", shown), shown
    photograph(page, "report", tmp_path)


def test_users_admins_failures_and_duration_are_plotted(ui: Served, page: Page, tmp_path: Path) -> None:
    page.goto(f"{ui.url}/assets/db_admin_report")
    page.get_by_role("button", name="Plots").click()
    page.locator("canvas").first.wait_for()
    for name in ("admins", "users", "failed", "duration_seconds"):
        page.get_by_text(name, exact=True).first.wait_for()
    page.get_by_text("duration_seconds", exact=True).first.scroll_into_view_if_needed()
    photograph(page, "trends", tmp_path)


def test_neither_logs_nor_store_have_what_they_must_not(ui: Served) -> None:
    """No warning of our code's making; no account that the databases of this history have."""
    lines = [line for line in ui.dagster_log.read_text().splitlines() if NOT_OURS not in line]
    assert any("Sensor alerts skipped" in line for line in lines)
    assert [line for line in lines if re.search(r"Warning|WARNING|ERROR|Traceback|deprecat", line)] == []
    stored = {path: path.read_bytes() for path in ui.dagster_home.rglob("*") if path.is_file()}
    assert any(b"ledger-reporting" in data for data in stored.values())
    assert [path for path, data in stored.items() if b"night_shift" in data or b"clerk_2" in data] == []


def test_ctrl_c_ends_everything(ui: Served) -> None:
    directory = ui.dagster_log.parents[1]
    assert directory.is_dir()
    ui.process.send_signal(signal.SIGINT)
    ui.process.wait(60)
    assert not directory.exists()  # the reaper removes it when every process that belongs to it is gone
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(ui.url.rsplit(":", 1)[1]))) != 0


def test_a_taken_port_is_named_with_the_cure(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start_ui(port, tmp_path / "said.txt")
        assert process.wait(60) == 70
    said = (tmp_path / "said.txt").read_text()
    assert f"port {port} of 127.0.0.1 cannot be had" in said
    assert "make ui PORT=" in said
    assert "local AWS" not in said  # nothing was started
