"""One run's part of a collection: what it must still collect, and how each target ended.

Objects in S3 carry the state (docs/architecture.md), so that a re-execution goes on where a run died:
a target with a verdict without failures is kept, an object that was delivered but never judged is judged,
and only the rest is collected, under attempt numbers that were not used yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dbadmin_assets.errors import UnknownScopeError
from dbadmin_assets.inventory import Inventory, Target
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.resources.fan_out import as_completed
from dbadmin_assets.resources.worker import WorkerLambda
from dbadmin_assets.review.records import (
    DeclaredDatabase,
    ExcludedDatabase,
    InventoryVersion,
    Outcome,
    Request,
    RequestedTarget,
)
from dbadmin_assets.review.times import utc_now
from worker_lambda.contract import outcome_key

_ATTEMPT = re.compile(r"collections/[^/]+/(?P<account>[0-9]{12})/(?P<region>[^/]+)/(?P<attempt>[0-9]+)\.json")


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier runs of the same collection left behind.

    Attributes:
        run_ids: those runs.
        outcomes: verdict by target key.
        attempts: numbers of the delivered attempts by target key.
    """

    run_ids: tuple[str, ...] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    attempts: dict[str, list[int]] = field(default_factory=dict)


def earlier_runs(store: EvidenceStore, collection_id: str, targets: Sequence[Target]) -> Earlier:
    """Read the state of a collection; empty for a new one, at the cost of one list call."""
    requests = store.requests(collection_id)
    if not requests:
        return Earlier()
    known = set(store.keys(f"outcomes/{collection_id}/"))
    wanted = {outcome_key(collection_id, t.account_id, t.region) for t in targets}
    outcomes = {o.key: o for o in store.outcomes(sorted(wanted & known))}
    attempts: dict[str, list[int]] = {}
    for key in store.keys(f"collections/{collection_id}/"):
        if found := _ATTEMPT.fullmatch(key):
            attempts.setdefault(f"{found['account']}|{found['region']}", []).append(int(found["attempt"]))
    return Earlier(tuple(r.run_id for r in requests), outcomes, attempts)


def select_targets(
    inventory: Inventory, accounts: Sequence[str], regions: Sequence[str], partition_keys: Sequence[str] | None
) -> tuple[Target, ...]:
    """The targets of a run: its partitions if it has any, else what its configuration names (nothing: all).

    Raises:
        UnknownScopeError: for a partition, account or region that the inventory does not have.
    """
    if partition_keys is None:
        return inventory.targets(accounts, regions)
    known = {target.key: target for target in inventory.targets()}
    if unknown := sorted(set(partition_keys) - set(known)):
        raise UnknownScopeError(f"not in the inventory any more: {', '.join(unknown)}", known=sorted(known))
    return tuple(known[key] for key in sorted(partition_keys))


def make_request(
    inventory: Inventory,
    targets: Sequence[Target],
    accounts: Sequence[str],
    regions: Sequence[str],
    *,
    collection_id: str,
    run_id: str,
    requested_by: str,
    executed_by: str,
) -> Request:
    """What this run was asked for, with the databases declared at this moment."""
    return Request(
        collection_id=collection_id,
        run_id=run_id,
        requested_by=requested_by,
        executed_by=executed_by,
        requested_at=utc_now(),
        inventory=InventoryVersion(inventory.source, inventory.version, inventory.sha256),
        accounts=tuple(accounts),
        regions=tuple(regions),
        full_scope=len(targets) == len(inventory.targets()),
        inventory_targets=len(inventory.targets()),
        targets=tuple(
            RequestedTarget(
                account_id=target.account_id,
                account_name=target.account_name,
                region=target.region,
                declared=tuple(DeclaredDatabase(d.name, d.engine, d.owner, d.host, d.port) for d in target.databases),
                excluded=tuple(
                    ExcludedDatabase(d.name, d.engine, d.exclude or "", d.host, d.port) for d in target.excluded
                ),
            )
            for target in targets
        ),
    )


class Collecting:
    """Collects the targets of one run; verdicts are in S3 before they are yielded.

    Args:
        worker: asks the worker Lambdas.
        store: keeps the verdicts.
        earlier: what earlier runs of this collection left.
    """

    def __init__(
        self, worker: WorkerLambda, store: EvidenceStore, earlier: Earlier, *, collection_id: str, run_id: str
    ) -> None:
        self._worker = worker
        self._store = store
        self._earlier = earlier
        self._collection_id = collection_id
        self._run_id = run_id
        self.under_way: list[str] = []

    def outcomes(self, targets: Sequence[Target], *, limit: int) -> Iterator[Outcome]:
        """Every target's outcome, as they become known; at most `limit` under way at once.

        Where the run is canceled, no worker is asked any more, and `under_way` has the targets that were.

        Raises:
            EvidenceError: where a verdict cannot be written.
        """
        try:
            yield from as_completed(self._outcome, targets, limit=limit)
        except BaseException:
            self.under_way = self._worker.stop()
            raise

    def log(self, outcome: Outcome) -> tuple[str, ...]:
        """The end of the worker's log, where the outcome is not what it should be and this run asked the worker."""
        lines = self._worker.log(outcome.key)
        return () if outcome.status == "complete" else lines

    def _outcome(self, target: Target) -> Outcome:
        if not target.databases:
            outcome = self._nothing_to_read(target)
            self._store.put_outcome(outcome)
            return outcome
        before = self._earlier.outcomes.get(target.key)
        if before is not None and not any(d.status == "failed" for d in before.databases):
            return before
        outcome = self._unjudged_verdict(target, before) or self._worker.collect(
            target,
            collection_id=self._collection_id,
            run_id=self._run_id,
            first_attempt=1 + max(self._used_attempts(target, before), default=0),
        )
        self._store.put_outcome(outcome)
        return outcome

    def _nothing_to_read(self, target: Target) -> Outcome:
        """All databases of the target are excluded: complete without asking anybody."""
        return Outcome(
            collection_id=self._collection_id, run_id=self._run_id, account_id=target.account_id,
            region=target.region, status="complete", attempts=0, started_at=utc_now(), ended_at=utc_now(),
            databases=(),
        )  # fmt: skip

    def _used_attempts(self, target: Target, before: Outcome | None) -> list[int]:
        judged = [int(before.object.key.rsplit("/", 1)[1].removesuffix(".json"))] if before and before.object else []
        return judged + self._earlier.attempts.get(target.key, [])

    def _unjudged_verdict(self, target: Target, before: Outcome | None) -> Outcome | None:
        """The verdict on an object that a run delivered and died before it could judge it."""
        delivered = max(self._earlier.attempts.get(target.key, []), default=None)
        if before is not None or delivered is None:
            return None
        request = self._worker.request(
            target, collection_id=self._collection_id, run_id=self._run_id, attempt=delivered
        )
        outcome = self._worker.verdict(
            request, started_at=utc_now(), attempts=delivered, run_ids=(*self._earlier.run_ids, self._run_id)
        )
        return outcome if outcome is not None and outcome.status != "failed" else None
