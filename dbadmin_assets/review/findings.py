"""What a verification says: one finding per claim, and what it needs to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Verdict = Literal["holds", "broken", "unread", "unchecked"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim and what became of it.

    Attributes:
        subject: the file, object or sum, as a person looks for it.
        verdict: `unread` where it should be there to check and could not be read; `unchecked` where it need not be.
        detail: what is wrong, or what could not be checked and why; empty where it holds.
    """

    subject: str
    verdict: Verdict
    detail: str = ""


class Readable(Protocol):
    """A file to read from its start to its end, and close."""

    def read(self, size: int = ..., /) -> bytes:
        """So many bytes more; all without a number. Raises EvidenceError, or BrokenEvidenceError for damage."""

    def __enter__(self) -> Readable: ...

    def __exit__(self, *_: Any) -> None: ...


class Folder(Protocol):
    """An evidence folder, wherever it lies. Both raise EvidenceError for what cannot be read."""

    def names(self) -> list[str]:
        """Every file in it."""

    def open(self, name: str) -> Readable | None:
        """A file to read and close; None where there is none."""


Fetch = Callable[[str, str | None], bytes | None]
"""Bytes of a worker's object by key and version id; None where it is gone. Raises EvidenceError."""


def finding(subject: str, wrong: str) -> Finding:
    """A claim that was checked: `wrong` is what is wrong with it, empty where it holds."""
    return Finding(subject, "broken" if wrong else "holds", wrong)
