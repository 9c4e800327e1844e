"""What a check comes to: passed or not, how bad it is if not, a sentence, counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from dbadmin_assets.review.csv_cells import visible

Severity = Literal["ERROR", "WARN"]

MOST_NAMED = 10
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of one check.

    Attributes:
        severity: how bad it is where it did not pass.
        said: one sentence for people: counts, databases and targets; never the name of an account.
        counts: for the metadata of the evaluation.
    """

    passed: bool
    severity: Severity
    said: str
    counts: Mapping[str, int] = field(default_factory=dict)


def not_evaluated(why: str) -> Judgement:
    """What the check needs could not be read: that is no reason to be green."""
    return Judgement(False, "ERROR", f"could not be evaluated: {visible(why)[:_LONGEST]}")


def named(names: Iterable[str]) -> str:
    """`a, b, c and 4 more`, with whatever nobody would see in them written out."""
    every = list(names)
    told = ", ".join(visible(name) for name in every[:MOST_NAMED])
    return told if len(every) <= MOST_NAMED else f"{told} and {len(every) - MOST_NAMED} more"
