"""What stops a deployment before it starts (exit 2), and what ends one stack of it."""

from __future__ import annotations


class DeploymentError(Exception):
    """Nothing can be done: wrong usage, configuration, or a tool that is missing.

    Attributes:
        hint: what to do about it.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class StackError(Exception):
    """One stack could not be brought up, previewed or taken down; the others go on."""
