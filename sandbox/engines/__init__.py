"""Real MySQL and MariaDB servers for the sandbox, the tests and the benchmarks."""

from __future__ import annotations

from sandbox.engines.accounts import create_known_accounts, create_reader
from sandbox.engines.choice import Engine, EngineUnavailable, Kind, available
from sandbox.engines.server import RunningServer, start_mysql

__all__ = [
    "Engine",
    "EngineUnavailable",
    "Kind",
    "RunningServer",
    "available",
    "create_known_accounts",
    "create_reader",
    "start_mysql",
]
