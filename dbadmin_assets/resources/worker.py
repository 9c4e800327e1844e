"""The worker Lambda of one target as the orchestrator sees it: ask, wait, retry, and end with an outcome.

Whatever can happen to a target is an `Outcome`, never an exception. The verdict is made from the result
object in S3, not from what the function answered: an answer can get lost, the object cannot.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt
from tenacity.wait import wait_random_exponential

from dbadmin_assets.errors import EvidenceError
from dbadmin_assets.inventory import Target
from dbadmin_assets.resources.accounts import AssumeRoleError, AwsAccounts
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.resources.invocation import (
    Answered,
    CallBroken,
    Invocation,
    Refused,
    WrongAnswer,
    invoke,
    read_function,
)
from dbadmin_assets.review.records import Asked, Outcome, WorkerFunction
from dbadmin_assets.review.times import utc_now
from dbadmin_assets.review.verdict import failure, judge
from worker_lambda.contract import Reason, ResultLocation, WorkerRequest, collection_key

MAX_RETRIES = 3  # requirement O2
_BACKOFF = wait_random_exponential(multiplier=1, max=30)  # full jitter
_LEAST_ATTEMPT_SECONDS = 5.0  # with less than this left no new attempt is begun
_RESULT_MARGIN_SECONDS = 5  # a worker that is timed out by Lambda may have delivered just before
_POLL_SECONDS = 2.0
_LOOK_SECONDS = 10  # for reading which code the function has
_UNKNOWN_TO_OLDER_WORKERS = "event.discover_tag is not known"
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


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt that gave no result, and whether another one could."""

    reason: Reason
    detail: str
    retryable: bool


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
        self._accounts = accounts
        self._evidence = evidence
        self._bucket_region = bucket_region
        self._limits = limits
        self._sleep = sleep
        self._slots: defaultdict[str, threading.BoundedSemaphore] = defaultdict(
            lambda: threading.BoundedSemaphore(limits.max_per_account)
        )
        self._slots_lock = threading.Lock()
        self._verdicts = threading.BoundedSemaphore(_VERDICTS_AT_ONCE)
        self._stopped = threading.Event()
        self._at_work: set[str] = set()
        self._logs: dict[str, tuple[str, ...]] = {}

    def request(self, target: Target, *, collection_id: str, run_id: str, attempt: int) -> WorkerRequest:
        """The event for one attempt at a target."""
        central = self._accounts.caller()
        role = target.worker.writer_role_name.replace("{account}", target.account_id)
        return WorkerRequest(
            collection_id=collection_id,
            run_id=run_id,
            attempt=attempt,
            account_id=target.account_id,
            region=target.region,
            result=ResultLocation(
                bucket=self._evidence.bucket,
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
            return _Collecting(self, target, collection_id, run_id, first_attempt).run()

    def wait_for_earlier(
        self, target: Target, request: WorkerRequest, *, asked_at: datetime | None, run_ids: Iterable[str]
    ) -> Outcome | None:
        """The verdict on an attempt that another run made, whose worker may still be at work.

        Args:
            request: that attempt.
            asked_at: when it was made: until the function's own time-out has passed since, its object may come.
                None: only an object that is there counts.
        """
        longest = timedelta(seconds=target.worker.timeout_seconds + _RESULT_MARGIN_SECONDS)
        started_at = utc_now()
        with self._turn(target):  # its worker takes one of the account's places
            while True:
                is_over = asked_at is None or datetime.now(UTC) >= asked_at + longest  # before looking: a last look
                outcome = self.verdict(request, started_at=started_at, attempts=request.attempt, run_ids=run_ids)
                if outcome is not None or is_over or self._stopped.is_set():
                    return outcome
                self._sleep(_POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no cryptography

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

    def stop(self) -> list[str]:
        """Invoke nothing any more; the targets that are under way, whose workers finish by themselves."""
        self._stopped.set()
        return sorted(self._at_work)

    def verdict(
        self, request: WorkerRequest, *, started_at: str, attempts: int, run_ids: Iterable[str] = ()
    ) -> Outcome | None:
        """The outcome that the delivered object of an attempt gives; None if nothing was delivered."""
        with self._verdicts:
            fetched = self._evidence.fetch(request.result.key)
            if fetched is None:
                return None
            data, found = fetched
            return judge(
                request, data, found,
                started_at=started_at, ended_at=utc_now(), attempts=attempts, run_ids=tuple(run_ids),
            )  # fmt: skip


class _Collecting:
    """All attempts at one target, within its time."""

    def __init__(
        self, worker: WorkerLambda, target: Target, collection_id: str, run_id: str, first_attempt: int
    ) -> None:
        self._worker = worker
        self._target = target
        self._collection_id = collection_id
        self._run_id = run_id
        self._first_attempt = first_attempt
        self._made = 0
        self._function: WorkerFunction | None = None
        self._started_at = utc_now()
        self._deadline = time.monotonic() + worker._limits.target_timeout_seconds

    def run(self) -> Outcome:
        retrying = Retrying(
            retry=retry_if_result(lambda result: isinstance(result, Failed) and result.retryable),
            stop=self._stop,
            wait=_BACKOFF,
            sleep=self._worker._sleep,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        result: Outcome | Failed = retrying(self._attempt)
        if not isinstance(result, Outcome):
            result = failure(
                self._request(max(self._made, 1)), result.reason, result.detail,
                started_at=self._started_at, ended_at=utc_now(), attempts=self._made,
            )  # fmt: skip
        return msgspec.structs.replace(result, function=self._function)

    def _stop(self, state: RetryCallState) -> bool:
        if self._worker._stopped.is_set():
            return True
        if stop_after_attempt(1 + self._worker._limits.max_retries)(state):
            return True
        return time.monotonic() + state.upcoming_sleep + _LEAST_ATTEMPT_SECONDS > self._deadline

    def _request(self, nth: int) -> WorkerRequest:
        return self._worker.request(
            self._target,
            collection_id=self._collection_id,
            run_id=self._run_id,
            attempt=self._first_attempt + nth - 1,
        )

    def _attempt(self) -> Outcome | Failed:
        settings = self._target.worker
        accounts = self._worker._accounts
        try:
            credentials = accounts.credentials(self._target.account_id, settings.role_name, settings.external_id)
        except AssumeRoleError as error:
            return Failed(Reason.CANNOT_ASSUME_ROLE, str(error), retryable=False)
        if self._function is None or self._function.reason:
            looking = accounts.lambda_client(self._target.region, _LOOK_SECONDS)
            self._function = read_function(looking, credentials, settings.function_name)
        if self._worker._stopped.is_set():  # looked at last: it may have waited for its turn, or for the role
            return Failed(Reason.RESULT_MISSING, "the run was stopped before the worker was asked", retryable=False)
        self._made += 1
        request = self._request(self._made)
        self._worker._evidence.put_asked(_asked(request))
        seconds = min(float(self._worker._limits.attempt_timeout_seconds), self._deadline - time.monotonic())
        over_at = time.monotonic() + min(seconds, settings.timeout_seconds + _RESULT_MARGIN_SECONDS)
        client = accounts.lambda_client(self._target.region, _rounded_up(seconds))
        answer = invoke(client, credentials, settings.function_name, request, self._keep_log)
        if isinstance(answer, Refused) and _UNKNOWN_TO_OLDER_WORKERS in answer.detail and settings.discover:
            # A worker from before discovery: its databases matter more, and the report says that nobody looked.
            self._target = replace(self._target, worker=replace(settings, discover=False))
            request = self._request(self._made)
            answer = invoke(client, credentials, settings.function_name, request, self._keep_log)
        try:
            return self._conclude(request, answer, over_at)
        except EvidenceError as error:
            return Failed(Reason.RESULT_MISSING, str(error), retryable=False)

    def _keep_log(self, lines: tuple[str, ...]) -> None:
        self._worker._logs[self._target.key] = lines

    def _conclude(self, request: WorkerRequest, answer: Invocation, over_at: float) -> Outcome | Failed:
        """From what the call said to what the object says."""
        match answer:
            case Answered(sha256):
                return self._checked(request, sha256)
            case WrongAnswer(detail):
                return Failed(Reason.INVALID_ANSWER, detail, retryable=False)
            case Refused(reason, detail, retryable):
                return self._delivered(request) or Failed(reason, detail, retryable)
            case CallBroken(detail, started=False):
                return Failed(Reason.WORKER_TIMED_OUT, detail, retryable=True)
            case CallBroken(detail):
                return self._wait_for_result(request, over_at) or Failed(
                    Reason.WORKER_TIMED_OUT, f"{detail}; no result within the function's time", retryable=True
                )

    def _checked(self, request: WorkerRequest, sha256: str | None) -> Outcome | Failed:
        outcome = self._delivered(request)
        if outcome is None:
            detail = f"the worker answered success, but {request.result.key} does not exist"
            return Failed(Reason.RESULT_MISSING, detail, retryable=False)
        if outcome.object and sha256 != outcome.object.sha256:
            detail = f"the worker delivered sha256 {sha256}, the object has {outcome.object.sha256}"
            return Failed(Reason.INVALID_ANSWER, detail, retryable=False)
        return outcome

    def _delivered(self, request: WorkerRequest) -> Outcome | None:
        return self._worker.verdict(request, started_at=self._started_at, attempts=self._made)

    def _wait_for_result(self, request: WorkerRequest, over_at: float) -> Outcome | None:
        """Poll the result key: the worker may run on although the call to it broke."""
        while True:
            outcome = self._delivered(request)
            if outcome is not None or time.monotonic() >= over_at:
                return outcome
            seconds = _POLL_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311 - no cryptography
            self._worker._sleep(min(seconds, over_at - time.monotonic()))


def _asked(request: WorkerRequest) -> Asked:
    return Asked(
        collection_id=request.collection_id, run_id=request.run_id, account_id=request.account_id,
        region=request.region, attempt=request.attempt, asked_at=utc_now(),
    )  # fmt: skip


def _rounded_up(seconds: float) -> int:
    """Whole tens of seconds, so that attempts with little time left share few clients."""
    return max(10, int(-(-seconds // 10) * 10))
