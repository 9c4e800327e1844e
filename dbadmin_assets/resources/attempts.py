"""The attempts at one target: ask, wait, retry, and end with an outcome.

Whatever can happen to a target is an `Outcome`, never an exception. Retries are ours, not boto3's.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt
from tenacity.wait import wait_random_exponential

from dbadmin_assets.errors import EvidenceError
from dbadmin_assets.resources.accounts import AssumeRoleError
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
from dbadmin_assets.review.verdict import failure
from worker_lambda.contract import Reason, WorkerRequest

if TYPE_CHECKING:
    from dbadmin_assets.inventory import Target
    from dbadmin_assets.resources.worker import WorkerLambda

RESULT_MARGIN_SECONDS = 5  # a worker that is timed out by Lambda may have delivered just before
POLL_SECONDS = 2.0
_BACKOFF = wait_random_exponential(multiplier=1, max=30)  # full jitter
_LEAST_ATTEMPT_SECONDS = 5.0  # with less than this left no new attempt is begun
_LOOK_SECONDS = 10  # for reading which code the function has
_UNKNOWN_TO_OLDER_WORKERS = "event.discover_tag is not known"


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt that gave no result, and whether another one could."""

    reason: Reason
    detail: str
    retryable: bool


class Attempts:
    """All attempts at one target, within its time.

    Args:
        first: number of the first attempt.
    """

    def __init__(self, worker: WorkerLambda, target: Target, collection_id: str, run_id: str, first: int) -> None:
        self._worker = worker
        self._target = target
        self._collection_id = collection_id
        self._run_id = run_id
        self._first = first
        self._made = 0
        self._function: WorkerFunction | None = None
        self._started_at = utc_now()
        self._deadline = time.monotonic() + worker.limits.target_timeout_seconds

    def run(self) -> Outcome:
        """Ask until there is a result, or none can be had any more."""
        retrying = Retrying(
            retry=retry_if_result(lambda result: isinstance(result, Failed) and result.retryable),
            stop=self._stop,
            wait=_BACKOFF,
            sleep=self._worker.sleep,
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
        if self._worker.stopped.is_set():
            return True
        if stop_after_attempt(1 + self._worker.limits.max_retries)(state):
            return True
        return time.monotonic() + state.upcoming_sleep + _LEAST_ATTEMPT_SECONDS > self._deadline

    def _request(self, nth: int) -> WorkerRequest:
        return self._worker.request(
            self._target,
            collection_id=self._collection_id,
            run_id=self._run_id,
            attempt=self._first + nth - 1,
        )

    def _attempt(self) -> Outcome | Failed:
        settings = self._target.worker
        accounts = self._worker.accounts
        try:
            credentials = accounts.credentials(self._target.account_id, settings.role_name, settings.external_id)
        except AssumeRoleError as error:
            return Failed(Reason.CANNOT_ASSUME_ROLE, str(error), retryable=False)
        if self._function is None or self._function.reason:
            looking = accounts.lambda_client(self._target.region, _LOOK_SECONDS)
            self._function = read_function(looking, credentials, settings.function_name)
        if self._worker.stopped.is_set():  # looked at last: it may have waited for its turn, or for the role
            return Failed(Reason.RESULT_MISSING, "the run was stopped before the worker was asked", retryable=False)
        self._made += 1
        request = self._request(self._made)
        self._worker.evidence.put_asked(_asked(request))
        seconds = min(float(self._worker.limits.attempt_timeout_seconds), self._deadline - time.monotonic())
        over_at = time.monotonic() + min(seconds, settings.timeout_seconds + RESULT_MARGIN_SECONDS)
        client = accounts.lambda_client(self._target.region, _rounded_up(seconds))
        answer = invoke(client, credentials, settings.function_name, request, self._keep_log)
        too_old = isinstance(answer, Refused) and _UNKNOWN_TO_OLDER_WORKERS in answer.detail
        if too_old and settings.discover and not self._worker.stopped.is_set():
            # A worker from before discovery: its databases matter more, and the report says that nobody looked.
            self._target = replace(self._target, worker=replace(settings, discover=False))
            request = self._request(self._made)
            answer = invoke(client, credentials, settings.function_name, request, self._keep_log)
        try:
            return self._conclude(request, answer, over_at)
        except EvidenceError as error:
            return Failed(Reason.RESULT_MISSING, str(error), retryable=False)

    def _keep_log(self, lines: tuple[str, ...]) -> None:
        self._worker.keep_log(self._target.key, lines)

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
            seconds = POLL_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311 - no cryptography
            self._worker.sleep(min(seconds, over_at - time.monotonic()))


def _asked(request: WorkerRequest) -> Asked:
    return Asked(
        collection_id=request.collection_id, run_id=request.run_id, account_id=request.account_id,
        region=request.region, attempt=request.attempt, asked_at=utc_now(),
    )  # fmt: skip


def _rounded_up(seconds: float) -> int:
    """Whole tens of seconds, so that attempts with little time left share few clients."""
    return max(10, int(-(-seconds // 10) * 10))
