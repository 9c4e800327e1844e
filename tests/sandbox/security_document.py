"""The tables of docs/security.md that tests make: `DBADMIN_WRITE_DOCS=1 pytest tests/sandbox` writes them anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"


def table(*head: str, rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("| --- ", "|---").replace("--- |", "---|")


def has(name: str, text: str) -> bool:
    """Whether the document has this between the marks of that name, once it was written where that is asked for."""
    between = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    if os.environ.get("DBADMIN_WRITE_DOCS"):
        DOCUMENT.write_text(between.sub(lambda _: text, DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    return between.findall(DOCUMENT.read_text(encoding="utf-8")) == [text]
