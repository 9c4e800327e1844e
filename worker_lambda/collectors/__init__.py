"""One collector per engine: a declared database in, its principals out. Loaded only when that engine is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from worker_lambda.contract import DatabaseTarget
from worker_lambda.credentials import Credentials
from worker_lambda.result_object import DatabaseResult

# collect(target, credentials, deadline, account_id, region); `deadline` is on time.monotonic()'s clock.
Collector = Callable[[DatabaseTarget, Credentials, float, str, str], DatabaseResult]

_MODULES = {
    "mysql": "worker_lambda.collectors.mysql",
    "mssql": "worker_lambda.collectors.sqlserver",
}


def collector_for(engine: str) -> Collector:
    """The `collect` of an engine's module.

    Drivers cost 20-50 ms to import and a target often needs one of them only.

    Raises:
        KeyError: for an engine that the contract does not know.
    """
    module = importlib.import_module(_MODULES[engine])
    collect: Collector = module.collect
    return collect
