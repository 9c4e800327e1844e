"""What earlier runs of a collection left behind, and what of it a run that goes on need not collect again.

A run may be killed at any moment; its workers are not. So every attempt is on record before its worker is asked, and a
run that goes on waits for what was asked and may still be delivered: two workers under one key would refuse each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dbadmin_assets.inventory import Target
from dbadmin_assets.resources.evidence import ASKED_SUFFIX, EvidenceStore
from dbadmin_assets.resources.worker import WorkerLambda
from dbadmin_assets.review.records import Asked, Outcome
from dbadmin_assets.review.times import parse_time
from worker_lambda.contract import outcome_key

_DELIVERED = re.compile(r"collections/[^/]+/(?P<account>[0-9]{12})/(?P<region>[^/]+)/(?P<attempt>[0-9]+)\.json")


@dataclass(frozen=True, slots=True)
class Earlier:
    """The state of a collection.

    Attributes:
        run_ids: the runs before this one.
        outcomes: verdict by target key.
        asked, delivered: the attempts that were made, and the numbers of those that came to an object, by target key.
    """

    run_ids: tuple[str, ...] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    asked: dict[str, list[Asked]] = field(default_factory=dict)
    delivered: dict[str, list[int]] = field(default_factory=dict)

    def kept(self, target: Target) -> Outcome | None:
        """The verdict on a target that need not be collected again: of each declared database, and none failed."""
        found = self.outcomes.get(target.key)
        if found is None or any(d.status == "failed" for d in found.databases):
            return None
        covered = {database.name for database in found.databases}
        return found if all(database.name in covered for database in target.databases) else None

    def last_attempt(self, key: str) -> int:
        """The largest number that was used for a target; 0 where there was none."""
        before = self.outcomes.get(key)
        judged = [int(before.object.key.rsplit("/", 1)[1].removesuffix(".json"))] if before and before.object else []
        return max([*judged, *self.delivered.get(key, []), *(a.attempt for a in self.asked.get(key, []))], default=0)

    def unjudged(self, key: str) -> tuple[int, str | None] | None:
        """The newest attempt that no verdict knows of, and when it was made; None of it where it is not on record."""
        before = self.outcomes.get(key)
        open_ = {a.attempt: a.asked_at for a in self.asked.get(key, []) if not before or a.asked_at > before.ended_at}
        number = max([*open_, *(self.delivered.get(key, []) if before is None else [])], default=None)
        return None if number is None else (number, open_.get(number))


def earlier_runs(store: EvidenceStore, collection_id: str, targets: Sequence[Target]) -> Earlier:
    """Read the state of a collection; empty for a new one, at the cost of one list call."""
    requests = store.requests(collection_id)
    if not requests:
        return Earlier()
    written = store.keys(f"outcomes/{collection_id}/")
    wanted = {outcome_key(collection_id, t.account_id, t.region) for t in targets}
    outcomes = {o.key: o for o in store.outcomes(sorted(wanted & set(written)))}
    asked: dict[str, list[Asked]] = {}
    for attempt in store.asked(key for key in written if key.endswith(ASKED_SUFFIX)):
        asked.setdefault(attempt.key, []).append(attempt)
    delivered: dict[str, list[int]] = {}
    for key in store.keys(f"collections/{collection_id}/"):
        if found := _DELIVERED.fullmatch(key):
            delivered.setdefault(f"{found['account']}|{found['region']}", []).append(int(found["attempt"]))
    return Earlier(tuple(r.run_id for r in requests), outcomes, asked, delivered)


def left_behind(
    worker: WorkerLambda, earlier: Earlier, target: Target, *, collection_id: str, run_id: str
) -> Outcome | None:
    """The verdict on what an earlier run asked for and died before it could judge it.

    Blocks while the worker may still be at work. None where there is nothing, or nothing that can be used.
    """
    found = earlier.unjudged(target.key)
    if found is None:
        return None
    attempt, asked_at = found
    outcome = worker.wait_for_earlier(
        target,
        worker.request(target, collection_id=collection_id, run_id=run_id, attempt=attempt),
        asked_at=parse_time(asked_at) if asked_at else None,
        run_ids=(*earlier.run_ids, run_id),
    )
    return outcome if outcome is not None and outcome.status != "failed" else None
