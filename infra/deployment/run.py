"""The order of things: roles are tried, central comes first, then all workers at once, and every stack has a result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from infra.deployment.engine import Line, Request
from infra.deployment.errors import StackError
from infra.deployment.stacks import Changes, Outcome, Result, Stack

Act = Callable[[Request, Line], Changes]


@dataclass(frozen=True)
class Watcher:
    """Who is told: when a stack starts, each line of Pulumi's, and its result with how many are finished."""

    started: Callable[[Stack], None]
    line: Callable[[Stack, str], None]
    finished: Callable[[Result, int, int], None]


class Run:
    """One deployment of several stacks.

    Args:
        act: what is done with each (preview, update, destroy).
        try_out: called before a stack is touched; raises StackError where its role cannot be had.
        parallel: worker stacks at once. Each is a pulumi process with an AWS provider: count on half a GiB of memory.
    """

    def __init__(self, act: Act, try_out: Callable[[Stack], None], watcher: Watcher, parallel: int) -> None:
        self._act = act
        self._try_out = try_out
        self._watcher = watcher
        self._parallel = parallel
        self._finished = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def all(self, requests: Sequence[Request]) -> list[Result]:
        """Every stack's result, in the order of the requests.

        The central stack comes first: the workers' roles and policies name what it makes. Where it fails no worker
        stack is started. An interrupt lets those that are under way end (they get it, too) and starts no other.
        """
        first = [request for request in requests if request.stack.kind == "central"]
        rest = [request for request in requests if request.stack.kind != "central"]
        results = {request.stack: self._one(request, len(requests)) for request in first}
        if not all(result.good for result in results.values()):
            results |= {r.stack: _not_started(r.stack, "the central stack failed") for r in rest}
        elif rest:
            with ThreadPoolExecutor(min(self._parallel, len(rest)), thread_name_prefix="stack") as pool:
                futures = {r.stack: pool.submit(self._one, r, len(requests)) for r in rest}
                try:
                    results |= {stack: future.result() for stack, future in futures.items()}
                except KeyboardInterrupt:
                    self._stopped.set()
                    results |= {stack: future.result() for stack, future in futures.items()}
        return [results[request.stack] for request in requests]

    @property
    def interrupted(self) -> bool:
        """Whether somebody stopped it."""
        return self._stopped.is_set()

    def _one(self, request: Request, total: int) -> Result:
        stack = request.stack
        if self._stopped.is_set():
            return _not_started(stack, "interrupted")
        self._watcher.started(stack)
        began = time.monotonic()
        try:
            self._try_out(stack)
            changes = self._act(request, lambda line: self._watcher.line(stack, line))
        except StackError as error:
            result = Result(stack, Outcome.FAILED, seconds=time.monotonic() - began, error=str(error))
        except KeyboardInterrupt:
            self._stopped.set()
            result = Result(stack, Outcome.FAILED, seconds=time.monotonic() - began, error="interrupted")
        else:
            outcome = Outcome.DONE if changes.any else Outcome.UNCHANGED
            result = Result(stack, outcome, changes, time.monotonic() - began)
        with self._lock:
            self._finished += 1
            self._watcher.finished(result, self._finished, total)
        return result


def _not_started(stack: Stack, reason: str) -> Result:
    return Result(stack, Outcome.NOT_STARTED, error=reason)
