"""How long Dagster's page of 1,000 partitions takes to show them, in a headless Chromium.

The partitions are materialized by the real job against a fake AWS whose workers answer at once, each with its two
check evaluations, on SQLite. Then webserver and daemon are started, and each page is opened REPEAT times in a fresh
browser context: the time is from asking for the page until what it is opened for can be seen.
With DBADMIN_WRITE_DOCS=1 the last view goes to docs/images/ui-partitions-1000.png.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.fake_process import fake_aws_process
from benchmarks.fan_out import ORCHESTRATOR, inventory, orchestrator_environment
from benchmarks.measured import ROOT, spread
from dbadmin_assets.cli.instance import dagster_yaml
from sandbox.browser import BrowserUnavailable
from sandbox.browser import chromium as find_chromium
from sandbox.processes import end_group

TARGETS = 1000
REPEAT = 5
START_SECONDS = 120

LAST = f"{100_000_000_000 + TARGETS - 1}|us-east-1"
_COLLECTIONS = "/assets/account_collections"
PAGES = {
    "partitions of the asset": (f"{_COLLECTIONS}?view=partitions", f"{TARGETS:,} Partitions Selected"),
    "one of them": (f"{_COLLECTIONS}?view=partitions&partition={LAST.replace('|', '%7C')}", "collected_at"),
    "overview of the asset": (_COLLECTIONS, "failed_targets"),
    "lineage": ("/asset-groups", f"{TARGETS:,} partitions"),
}


def main() -> None:
    """Fill an instance, serve it, open each page."""
    try:
        chromium = find_chromium()
    except BrowserUnavailable as error:
        print(f"skipped: {error}")
        return
    with tempfile.TemporaryDirectory(prefix="ui-") as temporary, _fake_aws(Path(temporary)) as environment:
        subprocess.run([sys.executable, "-m", ORCHESTRATOR], env=environment, check=True, stdout=subprocess.DEVNULL)
        with _dagster(environment) as url:
            _open_all(chromium, url)


def _open_all(chromium: Path, url: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        try:
            for name, (path, wanted) in PAGES.items():
                seconds = [_seconds(browser, url + path, wanted, name == "one of them") for _ in range(REPEAT)]
                print(f"{name:<24} {spread(seconds)} s until it shows {wanted!r}")
        finally:
            browser.close()


def _seconds(browser: Any, address: str, wanted: str, photograph: bool) -> float:
    context = browser.new_context(viewport={"width": 1400, "height": 700}, reduced_motion="reduce")
    try:
        page = context.new_page()
        began = time.perf_counter()
        page.goto(address, wait_until="commit", timeout=60_000)
        page.get_by_text(wanted).first.wait_for(timeout=60_000)
        taken = time.perf_counter() - began
        if photograph and os.environ.get("DBADMIN_WRITE_DOCS") == "1":
            page.screenshot(path=ROOT / "docs" / "images" / "ui-partitions-1000.png", animations="disabled")
        return taken
    finally:
        context.close()


@contextlib.contextmanager
def _fake_aws(home: Path) -> Iterator[dict[str, str]]:
    (home / "inventory.json").write_text(inventory(TARGETS))
    (home / "dagster.yaml").write_text(dagster_yaml(home))
    with fake_aws_process(0) as fake:
        yield orchestrator_environment(home, fake.port)


@contextlib.contextmanager
def _dagster(environment: dict[str, str]) -> Iterator[str]:
    """Webserver and daemon; its address when the assets are there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    log = Path(environment["DAGSTER_HOME"]) / "dagster.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=output, stderr=output, start_new_session=True
        )
    try:
        give_up_at = time.monotonic() + START_SECONDS
        while not _has_assets(port):
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(log.read_text()[-2000:])
            time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        end_group(process)


def _has_assets(port: int) -> bool:
    body = b'{"query": "{ assetNodes { assetKey { path } } }"}'
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return b"account_collections" in answer.read()
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main()
