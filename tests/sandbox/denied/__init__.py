"""Every forbidden thing that is tried on the running local AWS: who tries what, and what must refuse it."""

from __future__ import annotations

from tests.sandbox.denied import dagster, entering, evidence, inside
from tests.sandbox.denied.attempt import Attempt

__all__ = ["Attempt", "attempts"]


def attempts() -> list[Attempt]:
    """All of them, grouped by what is at stake."""
    return [*entering.attempts(), *evidence.attempts(), *inside.attempts(), *dagster.attempts()]
