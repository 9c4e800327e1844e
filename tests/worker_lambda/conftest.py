"""Real servers for the worker's tests."""

from __future__ import annotations

from tests.engines import any_server, mariadb_10_11_server, mariadb_server, mysql_server, pytest_terminal_summary

__all__ = ["any_server", "mariadb_10_11_server", "mariadb_server", "mysql_server", "pytest_terminal_summary"]
