"""What every command prints with: text made safe for a terminal, JSON, tables, durations.

Results go to standard output, progress and errors to standard error.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (bidirectional too), surrogate, line separators


def safe(text: object, *, lines: bool = False) -> str:
    """Text that cannot move the cursor, change colours or reorder a line: such characters become `\\uXXXX`.

    Args:
        lines: keep line breaks.
    """
    return "".join(
        c if unicodedata.category(c) not in _HIDDEN or (lines and c == "\n") else _escaped(c) for c in str(text)
    )


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def print_json(value: Any) -> None:
    """One JSON document on standard output, ASCII only."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


def say(text: str = "") -> None:
    """A line of the result, made safe."""
    click.echo(safe(text))


def note(text: str) -> None:
    """A line about what is going on, on standard error, made safe."""
    click.echo(safe(text), err=True)


def hanging(text: str) -> list[str]:
    """The lines of a message; all but the first are set in, so that none can pass for a message of its own."""
    first, *rest = text.splitlines() or [""]
    return [first, *(f"    {line}" for line in rest)]


def console(*, stderr: bool = False) -> Console:
    """A rich console that takes no text for markup and guesses no colours."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output. Columns whose name begins with `#` are numbers, and are set to the right.

    Nothing is cut: account ids and places are there to be copied. A narrow terminal breaks the lines by itself.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.width = 10_000
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(Text(column.lstrip("#")), justify="right" if column.startswith("#") else "left")
    for row in rows:
        table.add_row(*(Text(safe(cell)) for cell in row))
    with out.capture() as capture:
        out.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip(), color=out.is_terminal)


def seconds(value: float) -> str:
    """`4.2 s`, `3 min 05 s`."""
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value) // 60} min {int(value) % 60:02d} s"
