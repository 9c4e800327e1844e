"""One report as a comparison sees it: its database entries and what it was asked for, from its manifest.

The manifest is a `Manifest`, or the JSON-ready dict that `build_manifest` makes, which need not be sealed yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from dbadmin_assets.review.manifest_model import Manifest
from dbadmin_assets.review.times import parse_time

State = Literal["complete", "partial", "failed", "excluded"]
Key = tuple[str, str, str]
"""Account id, region, name: what an entry is called in the inventory."""


@dataclass(frozen=True, slots=True)
class DatabaseEntry:
    """A database entry as one report has it.

    Attributes:
        state: `excluded` where the inventory leaves it out with a reason.
        said: why it failed, what could not be seen, or why it is left out; empty where there is nothing to say.
        identity: what the server says it is; None where it did not tell.
        users: rows of the report; admins: those of them with Permission Level `Admin`.
    """

    account_id: str
    region: str
    name: str
    type: str
    state: State
    said: str = ""
    identity: str | None = None
    users: int = 0
    admins: int = 0

    @property
    def key(self) -> Key:
        """What the inventory calls it."""
        return self.account_id, self.region, self.name

    @property
    def has_data(self) -> bool:
        """Whether its principals were read, all or some."""
        return self.state in ("complete", "partial")


@dataclass(frozen=True, slots=True)
class Side:
    """One report.

    Attributes:
        ended_at: when it was finished, `2024-01-15T14:22:33Z`.
        scope: what tells its scope from another's; two reports with equal ones were asked the same.
        entries: every database entry, by key.
    """

    collection_id: str
    ended_at: str
    complete: bool
    scope: tuple[Any, ...]
    entries: dict[Key, DatabaseEntry]
    _full: bool
    _targets: frozenset[tuple[str, str]]
    _filters: tuple[tuple[frozenset[str], frozenset[str]], ...]

    def covers(self, account_id: str, region: str) -> bool:
        """Whether a database of this account and region would be in it, had the inventory declared it."""
        if self._full or (account_id, region) in self._targets:
            return True
        return any(
            (not accounts or account_id in accounts) and (not regions or region in regions)
            for accounts, regions in self._filters
        )


def side_of(manifest: Manifest | Mapping[str, Any]) -> Side:
    """Read what a comparison needs.

    Raises:
        KeyError, TypeError, ValueError: for a dict that `build_manifest` did not make.
    """
    facts = msgspec.to_builtins(manifest) if isinstance(manifest, Manifest) else manifest
    parse_time(facts["endedAt"])
    return Side(
        collection_id=facts["collectionId"],
        ended_at=facts["endedAt"],
        complete=facts["complete"],
        scope=scope_of(facts),
        entries={entry.key: entry for target in facts["targets"] for entry in _entries(target)},
        _full=facts["scope"]["full"],
        _targets=frozenset((target["accountId"], target["region"]) for target in facts["targets"]),
        _filters=tuple(
            (frozenset(request["accounts"]), frozenset(request["regions"]))
            for request in facts["requests"]
            if request["accounts"] or request["regions"]  # neither: some partitions, which are its targets
        ),
    )


def scope_of(manifest: Manifest | Mapping[str, Any]) -> tuple[Any, ...]:
    """The whole inventory; or the filters; or, where there were none (partitions in Dagster), the targets."""
    facts = msgspec.to_builtins(manifest) if isinstance(manifest, Manifest) else manifest
    scope = facts["scope"]
    if scope["full"]:
        return ("full",)
    if scope["accounts"] or scope["regions"]:
        return ("filters", tuple(sorted(scope["accounts"])), tuple(sorted(scope["regions"])))
    return ("targets", tuple(sorted((target["accountId"], target["region"]) for target in facts["targets"])))


def _entries(target: Mapping[str, Any]) -> Iterator[DatabaseEntry]:
    place = (target["accountId"], target["region"])
    for found in target["databases"]:
        failed = found["status"] == "failed"
        said = [found["reason"], found["detail"]] if failed else [found["warning"]]
        yield DatabaseEntry(
            *place, found["name"], found["databaseType"], found["status"],
            said=": ".join(text for text in said if text), identity=found["serverIdentity"],
            users=found["users"], admins=found["admins"],
        )  # fmt: skip
    for left_out in target["excluded"]:
        yield DatabaseEntry(*place, left_out["name"], left_out["databaseType"], "excluded", said=left_out["reason"])
