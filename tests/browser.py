"""A real headless Chromium, driven as a person would; every wait is for something to be seen."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from sandbox.browser import BrowserUnavailable, chromium

WIDTH, HEIGHT = 1400, 820
SEEN_SECONDS = 60
IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LARGEST_IMAGE = 150_000


@contextlib.contextmanager
def browser_page() -> Iterator[Page]:
    """One page; skips the test where no Chromium can be had, and says why."""
    try:
        found = chromium()
    except BrowserUnavailable as error:
        pytest.skip(str(error))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
            page.set_default_timeout(SEEN_SECONDS * 1000)
            yield page
        finally:
            browser.close()


def reload_until(page: Page, wanted: Locator, seconds: float) -> None:
    """Load the page again and again, as a person does, until something is to be seen on it.

    Raises:
        AssertionError: not in time; the page's text is in the message.
    """
    give_up_at = time.monotonic() + seconds
    while True:
        with contextlib.suppress(PlaywrightTimeout):
            wanted.first.wait_for(timeout=5000)
            return
        assert time.monotonic() < give_up_at, page.locator("body").inner_text()[-3000:]
        page.reload()


def photograph(page: Page, name: str, tmp_path: Path) -> None:
    """A screenshot: into docs/images/ where DBADMIN_WRITE_DOCS=1 asks for it, else to see that one can be made."""
    folder = IMAGES if os.environ.get("DBADMIN_WRITE_DOCS") == "1" else tmp_path
    data = page.screenshot(path=folder / f"ui-{name}.png", animations="disabled")
    assert len(data) <= LARGEST_IMAGE, f"ui-{name}.png has {len(data)} bytes"
