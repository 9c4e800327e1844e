"""Ask the workers what runs, and nothing else: no database is connected to, no report is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dbadmin_assets.inventory import Target
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.resources.fan_out import as_completed
from dbadmin_assets.resources.worker import WorkerLambda
from dbadmin_assets.review.coverage import Coverage, compare
from dbadmin_assets.review.records import DeclaredDatabase, ExcludedDatabase, TargetRecord
from dbadmin_assets.review.settle import settle
from dbadmin_assets.review.times import utc_now


def look(
    worker: WorkerLambda, store: EvidenceStore, targets: Sequence[Target], *, collection_id: str, limit: int
) -> Iterator[tuple[Target, Coverage]]:
    """What each target has that the inventory has not, as it becomes known; at most `limit` are asked at once.

    A worker delivers its list as it delivers a collection, under `collections/{collection_id}/`. What is declared is
    not connected to, so that a database whose address only its secret holds is not recognised.
    """

    def one(target: Target) -> tuple[Target, Coverage]:
        asked = replace(target, databases=(), worker=replace(target.worker, discover=True))
        outcome = worker.collect(asked, collection_id=collection_id, run_id=collection_id)
        record = TargetRecord(
            account_id=target.account_id,
            account_name=target.account_name,
            region=target.region,
            declared=tuple(DeclaredDatabase(d.name, d.engine, d.owner, d.host, d.port) for d in target.databases),
            excluded=tuple(ExcludedDatabase(d.name, d.engine, "", d.host, d.port) for d in target.excluded),
            outcome=outcome,
        )
        ((_, data),) = store.with_objects([record])
        return target, compare(record, settle(record, data, as_of=utc_now()))

    return as_completed(one, targets, limit=limit)
