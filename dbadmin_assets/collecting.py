"""One run's part of a collection: what it must still collect, and how each target ended.

Objects in S3 carry the state (docs/architecture.md), so that a re-execution goes on where a run died:
a target with a verdict without failures is kept, what a worker was asked for and no run has judged is waited for and
judged (`resuming`), and only the rest is collected, under attempt numbers that were not used yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbadmin_assets.errors import UnknownScopeError
from dbadmin_assets.inventory import Inventory, Target
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.resources.fan_out import as_completed
from dbadmin_assets.resources.worker import WorkerLambda
from dbadmin_assets.resuming import Earlier, left_behind
from dbadmin_assets.review.records import (
    DeclaredDatabase,
    ExcludedDatabase,
    InventoryVersion,
    Outcome,
    Request,
    RequestedTarget,
)
from dbadmin_assets.review.times import utc_now


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
        kept = self._earlier.kept(target)
        if kept is not None:
            return kept
        outcome = left_behind(
            self._worker, self._earlier, target, collection_id=self._collection_id, run_id=self._run_id
        ) or self._worker.collect(
            target,
            collection_id=self._collection_id,
            run_id=self._run_id,
            first_attempt=1 + self._earlier.last_attempt(target.key),
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
