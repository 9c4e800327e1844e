"""Showing a run while it goes on: a live table on a terminal, else a line per event. All on standard error."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from dbadmin_assets.cli.output import console, hanging, note, safe, seconds
from dbadmin_assets.cli.progress import RunProgress, TargetProgress

if TYPE_CHECKING:
    from rich.console import Group

_ORDER = ("failed", "partial", "collecting", "waiting", "complete")  # what needs eyes comes first
_STYLES = {"failed": "red", "partial": "yellow", "complete": "green", "collecting": "cyan", "waiting": "dim"}
_LEAST_ROWS = 5
_COLUMNS = ("Account", "Region", "State", "Time", "Users", "Admins", "Reason")
_ESSENTIAL = ("Account", "Region", "State", "Reason")
_WIDE = 100  # below, a reason would have no room beside all columns


class Display(Protocol):
    """What `follow` shows a run with."""

    def update(self, progress: RunProgress, changed: Sequence[TargetProgress]) -> None:
        """Something may have happened."""

    def close(self) -> None:
        """The end; leaves the terminal as it was."""


def make_display(*, verbose: bool) -> Display:
    """The table where a person watches, lines where a file or a log does, every event with --verbose."""
    if not verbose and console(stderr=True).is_terminal:
        return LiveDisplay()
    return LineDisplay(verbose=verbose)


def describe(target: TargetProgress) -> str:
    """One target that is finished, as a line."""
    account, _, region = target.key.partition("|")
    counts = f"{target.databases} databases, {target.users} users, {target.admins} admins"
    attempts = f", {target.attempts} attempts" if target.attempts > 1 else ""
    reason = f": {target.reason}" if target.reason else ""
    failed = f", {target.failed_databases} failed" if target.failed_databases else ""
    return f"{account} {region} {target.state}{reason} ({counts}{failed}, {seconds(target.duration_seconds)}{attempts})"


class LineDisplay:
    """A line when a target is finished; with --verbose a line for every event of the run."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._finished: set[str] = set()

    def update(self, progress: RunProgress, changed: Sequence[TargetProgress]) -> None:
        """Print what is new."""
        now = f"{datetime.now(UTC):%H:%M:%SZ}"
        if self._verbose:
            for message in progress.messages:
                for line in hanging(f"{now} {message}"):
                    note(line)
        for target in changed:
            if target.is_finished:
                self._finished.add(target.key)
                of_all = f"/{progress.total}" if progress.total is not None else ""  # read elsewhere: not known here
                note(f"{now} [{len(self._finished)}{of_all}] {describe(target)}")

    def close(self) -> None:
        """Nothing to put back."""


class LiveDisplay:
    """A table with a line per target, as many as the terminal has room for, worst first."""

    def __init__(self) -> None:
        from rich.live import Live

        self._console = console(stderr=True)
        self._started = time.monotonic()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def update(self, progress: RunProgress, changed: Sequence[TargetProgress]) -> None:
        """Draw it again: durations grow even when nothing happened."""
        del changed
        self._live.update(self._draw(progress), refresh=True)

    def close(self) -> None:
        """Take the table away; the summary says more."""
        self._live.stop()

    def _draw(self, progress: RunProgress) -> Group:
        from rich import box
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        columns = _COLUMNS if self._console.width >= _WIDE else _ESSENTIAL
        for column in columns:  # the reason gives way first
            right = column in ("Time", "Users", "Admins")
            table.add_column(column, justify="right" if right else "left", no_wrap=column != "Reason")
        elapsed = time.monotonic() - self._started
        targets = sorted(progress.targets.values(), key=lambda t: (_ORDER.index(t.state), t.key))
        room = max(self._console.height - 6, _LEAST_ROWS)
        for target in targets[:room]:
            account, _, region = target.key.partition("|")
            done = target.is_finished
            cells = {
                "Account": safe(account),
                "Region": safe(region),
                "State": target.state,
                "Time": seconds(target.duration_seconds if done else elapsed) if target.state != "waiting" else "",
                "Users": str(target.users) if done else "",
                "Admins": str(target.admins) if done else "",
                "Reason": safe(target.reason or ""),
            }
            # One line each: a cell that wraps would make the table higher than `room`.
            row = [Text(cells[column], no_wrap=True, overflow="ellipsis") for column in columns]
            row[2].stylize(_STYLES[target.state])
            table.add_row(*row)
        states = Counter(target.state for target in targets)
        counts = ", ".join(f"{states[state]} {state}" for state in _ORDER if states[state])
        more = f" ({len(targets) - room} more targets are not shown)" if len(targets) > room else ""
        return Group(table, Text(f"{seconds(elapsed)}  {counts or 'starting'}{more}"))
