"""The worker Lambdas as the orchestrator sees them: whose turn it is, what one is asked, what came of it.

How one target is asked, again if need be, is in `attempts`. The verdict is made from the result object in S3, not from
what the function answered: an answer can get lost, the object cannot.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dbadmin_assets.inventory import Target
from dbadmin_assets.resources.accounts import AwsAccounts
from dbadmin_assets.resources.attempts import POLL_SECONDS, RESULT_MARGIN_SECONDS, Attempts
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.review.records import Outcome
from dbadmin_assets.review.times import utc_now
from dbadmin_assets.review.verdict import judge
from worker_lambda.contract import ResultLocation, WorkerRequest, collection_key

MAX_RETRIES = 3  # requirement O2
_VERDICTS_AT_ONCE = 4  # a decoded object is several times its size


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much at once; see docs/configuration.md.

    Attributes:
        attempt_timeout_seconds: one invocation.
        target_timeout_seconds: all attempts of a target, waiting included.
        max_per_account: invocations under way at once in one account, for its Lambda concurrency is shared.
    """

    attempt_timeout_seconds: int = 600
    target_timeout_seconds: int = 840
    max_per_account: int = 10
    max_retries: int = MAX_RETRIES


class WorkerLambda:
    """Collects targets through their worker Lambdas.

    Args:
        accounts: assumes the roles and lends the clients.
        evidence: where workers deliver.
        bucket_region: region of the evidence bucket.
    """

    def __init__(
        self,
        accounts: AwsAccounts,
        evidence: EvidenceStore,
        *,
        bucket_region: str,
        limits: Limits,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.accounts = accounts
        self.evidence = evidence
        self._bucket_region = bucket_region
        self.limits = limits
        self.sleep = sleep
        self._slots: defaultdict[str, threading.BoundedSemaphore] = defaultdict(
            lambda: threading.BoundedSemaphore(limits.max_per_account)
        )
        self._slots_lock = threading.Lock()
        self._verdicts = threading.BoundedSemaphore(_VERDICTS_AT_ONCE)
        self.stopped = threading.Event()
        self._at_work: set[str] = set()
        self._logs: dict[str, tuple[str, ...]] = {}

    def request(self, target: Target, *, collection_id: str, run_id: str, attempt: int) -> WorkerRequest:
        """The event for one attempt at a target."""
        central = self.accounts.caller()
        role = target.worker.writer_role_name.replace("{account}", target.account_id)
        return WorkerRequest(
            collection_id=collection_id,
            run_id=run_id,
            attempt=attempt,
            account_id=target.account_id,
            region=target.region,
            result=ResultLocation(
                bucket=self.evidence.bucket,
                key=collection_key(collection_id, target.account_id, target.region, attempt),
                region=self._bucket_region,
                writer_role_arn=f"arn:{central.partition}:iam::{central.account_id}:role/{role}",
                external_id=target.worker.external_id,
            ),
            databases=tuple(database.to_contract() for database in target.databases),
            discover_tag=target.worker.discover_tag if target.worker.discover else None,
        )

    def collect(self, target: Target, *, collection_id: str, run_id: str, first_attempt: int = 1) -> Outcome:
        """Collect one target; blocks until there is a result or none can be had any more.

        Args:
            first_attempt: number of the first attempt; above those that an earlier run of the collection made.
        """
        with self._turn(target):
            return Attempts(self, target, collection_id, run_id, first_attempt).run()

    def wait_for_earlier(
        self, target: Target, request: WorkerRequest, *, asked_at: datetime | None, run_ids: Iterable[str]
    ) -> Outcome | None:
        """The verdict on an attempt that another run made, whose worker may still be at work.

        Args:
            request: that attempt.
            asked_at: when it was made: until the function's own time-out has passed since, its object may come.
                None: only an object that is there counts.
        """
        longest = timedelta(seconds=target.worker.timeout_seconds + RESULT_MARGIN_SECONDS)
        started_at = utc_now()
        with self._turn(target):  # its worker takes one of the account's places
            while True:
                is_over = asked_at is None or datetime.now(UTC) >= asked_at + longest  # before looking: a last look
                outcome = self.verdict(request, started_at=started_at, attempts=request.attempt, run_ids=run_ids)
                if outcome is not None or is_over or self.stopped.is_set():
                    return outcome
                self.sleep(POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no cryptography

    @contextlib.contextmanager
    def _turn(self, target: Target) -> Iterator[None]:
        """Wait for one of the account's places, and keep it."""
        with self._slots_lock:
            slots = self._slots[target.account_id]
        with slots:
            self._at_work.add(target.key)
            try:
                yield
            finally:
                self._at_work.discard(target.key)

    def log(self, target_key: str) -> tuple[str, ...]:
        """The end of the worker's log of the last answer from a target, for people; handed out once."""
        return self._logs.pop(target_key, ())

    def keep_log(self, target_key: str, lines: tuple[str, ...]) -> None:
        """What `log` hands out."""
        self._logs[target_key] = lines

    def stop(self) -> list[str]:
        """Invoke nothing any more; the targets that are under way, whose workers finish by themselves."""
        self.stopped.set()
        return sorted(self._at_work)

    def verdict(
        self, request: WorkerRequest, *, started_at: str, attempts: int, run_ids: Iterable[str] = ()
    ) -> Outcome | None:
        """The outcome that the delivered object of an attempt gives; None if nothing was delivered."""
        with self._verdicts:
            fetched = self.evidence.fetch(request.result.key)
            if fetched is None:
                return None
            data, found = fetched
            return judge(
                request, data, found,
                started_at=started_at, ended_at=utc_now(), attempts=attempts, run_ids=tuple(run_ids),
            )  # fmt: skip
