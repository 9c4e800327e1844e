"""What a rule is: one line of an engine's table, with what an auditor needs to judge the rule itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Tier = Literal["0", "1", "2", "none"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a rule table.

    Attributes:
        id: stands in the detail outputs as rule_id; never used again for something else.
        tier: `0` controls the server, `1` administers it, `2` administers one database, `none` none of these.
        label: beginning of Role Name.
        matches: what the catalogue has to show.
        sentence: why that makes an administrator, or why not, for a reader who is no DBA.
        source: who says so: a vendor's document, a CIS or STIG id, or our own trial with the engines' names.
        untested: why no test here can exercise the rule on a real engine; empty where one does.
        order: place in its table; the first match names the row.
    """

    id: str
    tier: Tier
    label: str
    matches: str
    sentence: str
    source: str
    untested: str = ""
    order: int = 0


def table(*rules: Rule) -> dict[str, Rule]:
    """Rules by id, numbered in the order in which they stand."""
    return {rule.id: replace(rule, order=order) for order, rule in enumerate(rules)}
