"""The stacks: their names, what became of each, and what a whole deployment amounts to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

EXIT_DONE = 0
EXIT_NOTHING_DONE = 1
EXIT_USAGE = 2
EXIT_PARTLY = 3
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, order=True)
class Stack:
    """One stack: `central`, or the worker of one account and region."""

    kind: str
    account_id: str
    region: str

    @property
    def name(self) -> str:
        """Its name in Pulumi's state: `central`, `worker-123456789012-us-east-1`."""
        return self.kind if self.kind == "central" else f"{self.kind}-{self.account_id}-{self.region}"


class Outcome(Enum):
    """What became of a stack."""

    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True)
class Changes:
    """How many resources were (or would be) created, updated, replaced and deleted, and how many stay."""

    created: int = 0
    updated: int = 0
    replaced: int = 0
    deleted: int = 0
    unchanged: int = 0

    @classmethod
    def of(cls, counts: Mapping[Any, int]) -> Changes:
        """From Pulumi's counts by operation; a replacement counts once, however many steps it takes."""
        by_name = {str(getattr(key, "value", key)): count for key, count in counts.items()}
        return cls(
            created=by_name.get("create", 0) + by_name.get("import", 0),
            updated=by_name.get("update", 0),
            replaced=max(by_name.get("replace", 0), by_name.get("create-replacement", 0)),
            deleted=by_name.get("delete", 0),
            unchanged=by_name.get("same", 0),
        )

    @property
    def any(self) -> bool:
        """Whether anything was changed."""
        return bool(self.created or self.updated or self.replaced or self.deleted)


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the table. `seconds` is wall time."""

    stack: Stack
    outcome: Outcome
    changes: Changes = field(default_factory=Changes)
    seconds: float = 0.0
    error: str | None = None

    @property
    def good(self) -> bool:
        """Whether the stack is as it should be now."""
        return self.outcome in (Outcome.DONE, Outcome.UNCHANGED)

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "stack": self.stack.name,
            "account_id": self.stack.account_id,
            "region": self.stack.region,
            "outcome": self.outcome.value,
            **asdict(self.changes),
            "seconds": round(self.seconds, 1),
            "error": self.error,
        }


def exit_code(results: Iterable[Result]) -> int:
    """0 all stacks are as they should be, 3 some are, 1 none is."""
    good = [result.good for result in results]
    if all(good):
        return EXIT_DONE
    return EXIT_PARTLY if any(good) else EXIT_NOTHING_DONE


def first_cause(text: str) -> str:
    """The lines of Pulumi's output that say what went wrong, in one: `error: …`, without repetitions."""
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]
    errors = [line.partition("error: ")[2] for line in lines if "error: " in line]
    found = list(dict.fromkeys(error for error in errors if error and error != "update failed"))
    return "; ".join(found[:3]) or next((line for line in reversed(lines) if line), "no message")
