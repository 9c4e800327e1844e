"""Which Chromium the browser tests get: an installed one, Playwright's, Debian's in a prefix, or none and why."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

from sandbox.processes import ROOT

_PREFIX = ROOT / ".sandbox" / "tools" / "chromium"
_FETCH_WITHIN_SECONDS = 600
_CANNOT_BE_HAD = 3
_CURE = "install it, or run .venv/bin/playwright install chromium"


class BrowserUnavailable(Exception):
    """There is no Chromium here and none can be got; the message says why, and what to do."""


@cache
def chromium() -> Path:
    """The executable; fetched where that is what it takes (once per checkout, 10 s and 350 MB).

    Raises:
        BrowserUnavailable: none.
    """
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if installed:
        return Path(installed)
    own = _of_playwright()
    return own if own.exists() else _fetched()


def _of_playwright() -> Path:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def _fetched() -> Path:
    script = Path(__file__).with_name("fetch_browser.sh")
    try:
        done = subprocess.run(
            ["bash", str(script), str(_PREFIX)], capture_output=True, text=True, timeout=_FETCH_WITHIN_SECONDS
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise BrowserUnavailable(f"no Chromium: {type(error).__name__} while fetching it; {_CURE}") from error
    if done.returncode == 0:
        return Path(done.stdout.strip().splitlines()[-1])
    said = (done.stderr.strip().splitlines() or ["no message"])[-1]
    if done.returncode == _CANNOT_BE_HAD:
        raise BrowserUnavailable(f"no Chromium: {said}; {_CURE}")
    raise RuntimeError(f"fetch_browser.sh failed with {done.returncode}: {done.stderr[-2000:]}")
