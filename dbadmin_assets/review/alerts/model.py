"""An alert: what happened, of which run and check, to which targets. Never the name of an account."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec

Kind = Literal["check-failed", "check-recovered", "run-failed", "run-recovered", "undelivered"]
Severity = Literal["ERROR", "WARN", "INFO"]

MOST_TARGETS = 200
"""Targets that an alert lists; beyond, it says how many more. It waits in the sensor's cursor and must stay small."""


class AlertTarget(msgspec.Struct, frozen=True):
    """A target (`account|region`) and why it is in the list; `reason` may be empty."""

    target: str
    reason: str = ""


class Alert(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message.

    Attributes:
        id: the same however often the alert is sent, so that a receiver can tell a repetition.
        at: when it happened, `2024-01-15T14:22:33Z`.
        check: empty where it is about a run; asset: what the check is of.
        run_id: empty where nothing ran (a sensor evaluated the check).
        said: one sentence.
        targets: what failed or recovered, at most MOST_TARGETS; more: how many are not listed.
    """

    id: str
    kind: Kind
    severity: Severity
    at: str
    said: str
    check: str = ""
    asset: str = ""
    run_id: str = ""
    targets: tuple[AlertTarget, ...] = ()
    more: int = 0

    @property
    def number(self) -> int:
        """How many targets it is about."""
        return len(self.targets) + self.more


def alert_id(*parts: object) -> str:
    """16 hex digits that these parts always give."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


def listed(targets: Sequence[AlertTarget]) -> tuple[tuple[AlertTarget, ...], int]:
    """The targets that an alert lists, sorted, and how many more there are."""
    ordered = sorted(targets, key=lambda target: target.target)
    return tuple(ordered[:MOST_TARGETS]), max(0, len(ordered) - MOST_TARGETS)
