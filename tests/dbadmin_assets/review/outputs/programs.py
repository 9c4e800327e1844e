"""Programs that people open the outputs with, run without a window and to their end; nothing of them stays."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from sandbox import browser

_SECONDS = 180


def libreoffice(profile: Path, *arguments: str) -> str:
    """Run LibreOffice with a profile of its own, which is removed again; what it printed."""
    program = _found("LibreOffice", "soffice", "libreoffice")
    try:
        return _to_the_end([program, "--headless", f"-env:UserInstallation={profile.as_uri()}", *arguments])
    finally:
        shutil.rmtree(profile, ignore_errors=True)


def chromium(profile: Path, *arguments: str) -> str:
    """Run Chromium in the same way; its console's messages are in what it printed."""
    try:
        program = str(browser.chromium())
    except browser.BrowserUnavailable as error:
        pytest.skip(str(error))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr"]
    try:
        return _to_the_end([program, *options, f"--user-data-dir={profile}", *arguments])
    finally:
        shutil.rmtree(profile, ignore_errors=True)


def _found(name: str, *programs: str) -> str:
    found = next((path for path in map(shutil.which, programs) if path), None)
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


def _to_the_end(command: Sequence[str]) -> str:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="backslashreplace", start_new_session=True,
    )  # fmt: skip
    try:
        out, _ = process.communicate(timeout=_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # both are programs of several processes
        process.wait()
    assert process.returncode == 0, out[-2000:]
    return out
