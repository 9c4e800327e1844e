"""Real MySQL and MariaDB servers for the sandbox, the tests and the benchmarks."""

from __future__ import annotations

from sandbox.engines.choice import Engine, EngineUnavailable, Kind, available
from sandbox.engines.server import RunningServer, start_mysql

__all__ = ["Engine", "EngineUnavailable", "Kind", "RunningServer", "available", "start_mysql"]
