"""What a person sees of a deployment: lines while it goes on, a table at its end."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from dbadmin_assets.cli.output import note, print_table, safe, seconds
from infra.deployment.run import Watcher
from infra.deployment.stacks import Outcome, Result, Stack

COLUMNS = (
    "Stack",
    "Account",
    "Region",
    "#Created",
    "#Updated",
    "#Replaced",
    "#Deleted",
    "#Unchanged",
    "#Time",
    "Result",
)


def watcher(*, verbose: bool) -> Watcher:
    """Progress on standard error: a line when a stack starts and when it ends; with `verbose` all of Pulumi's."""
    lock = threading.Lock()

    def say(text: str) -> None:
        with lock:
            note(f"{datetime.now(UTC):%H:%M:%SZ} {text}")

    def line(stack: Stack, text: str) -> None:
        if verbose and text.strip():
            say(f"{stack.name} | {text.rstrip()}")

    def finished(result: Result, done: int, total: int) -> None:
        say(f"[{done}/{total}] {result.stack.name} {summary(result)} ({seconds(result.seconds)})")

    return Watcher(started=lambda stack: say(f"{stack.name} started"), line=line, finished=finished)


def summary(result: Result) -> str:
    """`24 created, 2 updated`, `unchanged`, or why not."""
    if not result.good:
        return f"{result.outcome.value}: {result.error}"
    if result.outcome is Outcome.UNCHANGED:
        return "unchanged"
    changes = result.changes
    parts = {"created": changes.created, "updated": changes.updated, "replaced": changes.replaced}
    return ", ".join(f"{count} {what}" for what, count in (parts | {"deleted": changes.deleted}).items() if count)


def show(results: Sequence[Result], *, operation: str, as_json: bool) -> None:
    """The table, and one line that says how many stacks are as they should be; a preview cannot know."""
    good = sum(result.good for result in results)
    if as_json:
        document: dict[str, Any] = {"operation": operation, "stacks": [result.to_json() for result in results]}
        sys.stdout.write(json.dumps(document | {"good": good, "failed": len(results) - good}, indent=2) + "\n")
        return
    print_table(COLUMNS, [_row(result) for result in results])
    came_to = "were previewed, nothing was changed" if operation == "preview" else "are as they should be"
    sys.stdout.write(f"{operation}: {good} of {len(results)} stacks {came_to}\n")
    failed = [result.stack.name for result in results if not result.good]
    if failed:
        sys.stdout.write(safe(f"Not: {', '.join(failed)}. The same command again does what is left.") + "\n")


def _row(result: Result) -> tuple[object, ...]:
    changes, stack = result.changes, result.stack
    counts = (changes.created, changes.updated, changes.replaced, changes.deleted, changes.unchanged)
    shown = result.error if not result.good else result.outcome.value
    told = shown if result.outcome is not Outcome.FAILED else f"failed: {shown}"
    return (stack.name, stack.account_id, stack.region, *counts, seconds(result.seconds), told)
