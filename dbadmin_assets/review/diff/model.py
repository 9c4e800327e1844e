"""What a comparison comes to: the kinds of change, and the changes. No rule of what counts as which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from dbadmin_assets.review.diff.sides import DatabaseEntry, Side

PRINCIPAL_KINDS = (
    "escalated", "added", "reduced", "removed", "rights-changed", "status-changed", "renamed", "policy-changed",
)  # fmt: skip
"""In the order in which a reader wants them."""

DATABASE_KINDS = (
    "database-failed", "database-failed-before", "database-appeared", "database-disappeared", "database-partial",
    "database-complete", "database-excluded", "database-included", "database-not-asked", "database-not-asked-before",
    "database-renamed", "server-changed",
)  # fmt: skip
KINDS = PRINCIPAL_KINDS + DATABASE_KINDS

TIERS = ("none", "2", "1", "0")
"""From the weakest to the strongest."""

# Structs where there may be millions: a frozen dataclass takes ten times as long to make.


class Principal(msgspec.Struct, frozen=True, gc=False):
    """A principal as one report has it; raw values. `excluded_by_policy`: None for a row of the CSV, else why not."""

    username: str
    tier: str
    role_name: str
    permission_level: str
    user_status: str
    excluded_by_policy: str | None
    access_path: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A database entry in both reports; one of them None where the other report does not have it."""

    before: DatabaseEntry | None
    after: DatabaseEntry | None

    @property
    def named(self) -> DatabaseEntry:
        """The entry that it is called by: the newer one."""
        entry = self.after or self.before
        assert entry is not None  # noqa: S101 - a pair of nothing is never made
        return entry

    @property
    def compared(self) -> bool:
        """Whether its principals can be compared: both reports have read them."""
        return bool(self.before and self.before.has_data and self.after and self.after.has_data)

    @property
    def unseen(self) -> str:
        """In which of the two it was only partly visible: empty, `before`, `after` or `both`."""
        sides = [name for name in ("before", "after") if (e := getattr(self, name)) and e.state == "partial"]
        return "both" if len(sides) == 2 else "".join(sides)


@dataclass(frozen=True, slots=True)
class DatabaseChange:
    """A database entry that is not in both reports as it was."""

    kinds: tuple[str, ...]
    pair: Pair


class PrincipalChange(msgspec.Struct, frozen=True):
    """A principal of a database that both reports have read; `before` or `after` is None where it is not there."""

    kinds: tuple[str, ...]
    pair: Pair
    principal_id: str
    before: Principal | None
    after: Principal | None

    @property
    def named(self) -> Principal:
        """The principal as it is called now, or was called last."""
        principal = self.after or self.before
        assert principal is not None  # noqa: S101 - a change of nothing is never made
        return principal

    @property
    def excluded(self) -> bool:
        """Whether policy keeps it out of the CSV, in either report."""
        return any(side is not None and side.excluded_by_policy is not None for side in (self.before, self.after))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one report to a later one.

    Attributes:
        principals: most telling first; databases: in the order of DATABASE_KINDS.
        compared: how many entries both reports have read.
        not_compared: entries whose principals neither report tells though both should: failed in both.
        partly_visible: entries that are partial on either side and were compared.
        left_out: changes that `only` took away.
        repeated: principals that stand more than once in one database of one report.
    """

    before: Side
    after: Side
    principals: tuple[PrincipalChange, ...]
    databases: tuple[DatabaseChange, ...]
    compared: int
    not_compared: tuple[Pair, ...] = ()
    partly_visible: tuple[Pair, ...] = ()
    repeated: tuple[tuple[Pair, str], ...] = ()
    left_out: int = 0

    @property
    def changed(self) -> bool:
        """Whether there is any change."""
        return bool(self.principals or self.databases)

    @property
    def same_scope(self) -> bool:
        """Whether both reports were asked the same."""
        return self.before.scope == self.after.scope

    def counts(self) -> dict[str, int]:
        """How many of each kind, zeros too; one change may be of several kinds."""
        found = Counter(kind for change in self.principals for kind in change.kinds)
        found.update(kind for change in self.databases for kind in change.kinds)
        return {kind: found[kind] for kind in KINDS}

    def only(self, kinds: Iterable[str]) -> Comparison:
        """The changes that are of one of these kinds; what could not be compared stays."""
        wanted = set(kinds)
        principals = tuple(change for change in self.principals if wanted.intersection(change.kinds))
        databases = tuple(change for change in self.databases if wanted.intersection(change.kinds))
        left_out = len(self.principals) + len(self.databases) - len(principals) - len(databases)
        return replace(self, principals=principals, databases=databases, left_out=self.left_out + left_out)
