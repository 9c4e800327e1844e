"""Fixtures with a running sandbox; a test package imports them into its conftest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.plan import fleet_plan
from sandbox.stack import Sandbox, to_stderr

FAULT_HANDLER = "tests.sandbox.fault_handlers.handler"


@pytest.fixture(scope="session")
def demo_sandbox() -> Iterator[Sandbox]:
    """The demo's organization with real databases and the real worker."""
    with Sandbox(progress=to_stderr) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def fault_sandbox() -> Iterator[Sandbox]:
    """Two accounts in two regions whose functions do what the event says (tests/sandbox/fault_handlers.py)."""
    with Sandbox(fleet_plan(2, handler=FAULT_HANDLER, timeout_seconds=3)) as sandbox:
        yield sandbox
