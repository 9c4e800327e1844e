"""The running sandboxes that the tests of this package share."""

from __future__ import annotations

from tests.sandbox_fixture import demo_sandbox, fault_sandbox

__all__ = ["demo_sandbox", "fault_sandbox"]
