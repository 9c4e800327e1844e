"""The evidence bucket: what the orchestrator reads and writes there, and under which keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from dbadmin_assets.resources.objects import ObjectStore
from dbadmin_assets.review.records import Asked, Outcome, Request, TargetRecord
from worker_lambda.contract import outcome_key

LATEST_KEY = "reports/latest.json"
ASKED_SUFFIX = ".asked.json"
_READ_AHEAD = 8  # objects in memory at once while a report is written


class EvidenceStore(ObjectStore):
    """Requests, verdicts and workers' objects by their keys; `ObjectStore` says how they are reached."""

    def put_request(self, request: Request) -> None:
        """Record what one run was asked for; a step that is run again finds its own record there."""
        key = f"requests/{request.collection_id}/{request.run_id}.json"
        if self.read(key) is None:
            self.put(key, request.to_json(), content_type="application/json")

    def requests(self, collection_id: str) -> list[Request]:
        """What the runs of a collection were asked for."""
        found = (self.read(key) for key in self.keys(f"requests/{collection_id}/"))
        return [Request.from_json(data) for data in found if data is not None]

    def put_outcome(self, outcome: Outcome) -> None:
        """Record the verdict on one target. A re-execution replaces it; the bucket keeps the version before."""
        key = outcome_key(outcome.collection_id, outcome.account_id, outcome.region)
        self.put(key, outcome.to_json(), content_type="application/json", once=False)

    def put_asked(self, asked: Asked) -> None:
        """Record an attempt before it is made.

        Raises:
            AlreadyThereError: another run of the collection makes it at this moment.
        """
        verdict = outcome_key(asked.collection_id, asked.account_id, asked.region)
        key = f"{verdict.removesuffix('.json')}/{asked.attempt}{ASKED_SUFFIX}"
        self.put(key, asked.to_json(), content_type="application/json")

    def asked(self, keys: Iterable[str]) -> list[Asked]:
        """The attempts under these keys."""
        return [Asked.from_json(data) for data in self._read_ahead(keys) if data is not None]

    def outcomes(self, keys: Iterable[str]) -> list[Outcome]:
        """The verdicts under these keys; a key without an object gives none."""
        return [Outcome.from_json(data) for data in self._read_ahead(keys) if data is not None]

    def with_objects(self, records: Iterable[TargetRecord]) -> Iterator[tuple[TargetRecord, bytes | None]]:
        """Each record with its worker's object, read a few ahead; None where there is no object any more."""

        def load(record: TargetRecord) -> bytes | None:
            found = record.outcome.object if record.outcome else None
            fetched = self.fetch(found.key, found.version_id) if found else None
            return fetched[0] if fetched else None

        with ThreadPoolExecutor(_READ_AHEAD, thread_name_prefix="read-ahead") as pool:
            remaining = iter(records)
            window: list[tuple[TargetRecord, Future[bytes | None]]]
            window = [(r, pool.submit(load, r)) for r in islice(remaining, _READ_AHEAD)]
            while window:
                record, future = window.pop(0)
                yield record, future.result()
                window += [(r, pool.submit(load, r)) for r in islice(remaining, 1)]

    def _read_ahead(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        with ThreadPoolExecutor(32, thread_name_prefix="read-outcomes") as pool:
            yield from pool.map(self.read, keys)
