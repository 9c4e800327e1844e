"""The check `inventory_matches`: what the inventory declares against what is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import UNSET

from dbadmin_assets.review.checks.judgement import Judgement, named
from dbadmin_assets.review.manifest_model import Discovered, Manifest

_LONGEST_REASON = 200  # of one target; ten are named, and Dagster keeps the sentence


def inventory_matches(manifest: Manifest) -> Judgement:
    """Nothing was collected or discovered that is not declared, nothing declared is gone, and no look at it failed.

    A target that nobody looked at turns nothing red, as that is configured, or another check's matter; it is said.
    """
    looked = Discovered(complete=False, targets=[], undeclared=[], gone=[])
    if manifest.discovered is not UNSET:
        looked = manifest.discovered
    failed = [
        f"{_place(target)} ({(target.reason or '')[:_LONGEST_REASON]})"
        for target in looked.targets
        if target.status == "failed"
    ]
    dropped = [f"{_place(entry)} {entry.name}" for entry in manifest.not_declared]
    undeclared = [f"{_place(found)} {found.identifier}" for found in looked.undeclared]
    gone = [f"{_place(entry)} {entry.name}" for entry in looked.gone]
    told = [
        *_told("collected, but not declared any more", dropped),
        *_told("there, but not declared", undeclared),
        *_told("declared, but gone", gone),
        *_told("it is not known what is there", failed),
    ]
    counts = {
        "not_declared_any_more": len(dropped), "not_declared": len(undeclared), "gone": len(gone),
        "targets_looked_at": sum(target.status == "complete" for target in looked.targets),
        "targets": len(manifest.targets),
    }  # fmt: skip
    beyond = f"databases beyond it are known in {counts['targets_looked_at']} of {counts['targets']} targets"
    said = "; ".join(told) or f"nothing contradicts the inventory; {beyond}"
    return Judgement(not told, "WARN", said, counts)


class _Placed(Protocol):
    @property
    def account_id(self) -> str: ...

    @property
    def region(self) -> str: ...


def _place(entry: _Placed) -> str:
    return f"{entry.account_id} {entry.region}"


def _told(what: str, names: Iterable[str]) -> list[str]:
    every = sorted(names)
    return [f"{what}: {named(every)}"] if every else []
