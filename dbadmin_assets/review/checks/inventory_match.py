"""The check `inventory_matches`: what the inventory declares against what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbadmin_assets.review.checks.judgement import Judgement, named

_LONGEST = 100


def inventory_matches(facts: Mapping[str, Any]) -> Judgement:
    """Nothing was collected or discovered that is not declared, and nothing declared is gone.

    Args:
        facts: a manifest as JSON has it: what discovery adds need not be known to the strict reader.
    """
    dropped, undeclared, gone = differences(facts)
    told = [
        *([f"collected, but not declared any more: {named(dropped)}"] if dropped else []),
        *([f"there, but not declared: {named(undeclared)}"] if undeclared else []),
        *([f"declared, but gone: {named(gone)}"] if gone else []),
    ]
    counts = {"not_declared_any_more": len(dropped), "not_declared": len(undeclared), "gone": len(gone)}
    asked = "" if isinstance(facts.get("discovery"), Mapping) else "; nobody looked for databases beyond it"
    return Judgement(not told, "WARN", "; ".join(told) or f"nothing contradicts the inventory{asked}", counts)


def differences(facts: Mapping[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """What is declared no more, what was discovered and is not declared, what is declared and gone; as text.

    The last two are those of `discovery.notDeclared` and `discovery.gone`, where a manifest has them: lists of
    objects with `accountId`, `region` and `name`. Here alone it is said where they stand.
    """
    discovery = facts.get("discovery")
    discovery = discovery if isinstance(discovery, Mapping) else {}
    return (
        _places(facts.get("notDeclared")),
        _places(discovery.get("notDeclared")),
        _places(discovery.get("gone")),
    )


def _places(entries: object) -> list[str]:
    """What has another form is told as it stands: it is something that somebody found."""
    if entries is None:
        return []
    listed = entries if isinstance(entries, list) else [entries]
    return sorted(
        " ".join(str(entry.get(key, "?")) for key in ("accountId", "region", "name"))
        if isinstance(entry, Mapping) and "name" in entry
        else str(entry)[:_LONGEST]
        for entry in listed
    )
