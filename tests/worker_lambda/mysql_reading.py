"""Servers to be read for the MySQL tests: a real one's catalogue, and given answers in a real one's place."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines import KnownAccount, KnownServer
from worker_lambda.collectors import mysql as collector
from worker_lambda.collectors.mysql_connection import session
from worker_lambda.collectors.mysql_queries import PROBE, facts
from worker_lambda.collectors.mysql_rows import Row, read_facts, read_probe
from worker_lambda.contract import DatabaseTarget
from worker_lambda.credentials import Credentials
from worker_lambda.privileges.mysql_catalogue import Catalogue
from worker_lambda.result_object import AdminUser, DatabaseResult


def catalogue_of(server: KnownServer) -> Catalogue:
    """What the collector would judge, as the least-privileged reader sees it."""
    with session(server.target(), server.reader(), time.monotonic() + 20) as connection:
        visible = read_probe(connection.query(PROBE))
        statement = facts(visible)
        return read_facts(connection.query(statement.sql), statement, visible)


def collect_given(monkeypatch: pytest.MonkeyPatch, probe: list[Row], rows: list[Row]) -> DatabaseResult:
    """The whole collector on given answers to its two statements."""

    class Given:
        def query(self, sql: str) -> list[Any]:
            return list(probe if sql == PROBE else rows)

    @contextlib.contextmanager
    def given(*_: object) -> Iterator[Given]:
        yield Given()

    monkeypatch.setattr(collector, "session", given)
    target = DatabaseTarget("given", "mysql", "db.example.com", 3306)
    return collector.collect(target, Credentials("db.example.com", 3306, "r", "x"), time.monotonic() + 20, "", "")


def as_known(user: AdminUser) -> KnownAccount:
    """The cells of a row that expected/mysql.csv holds."""
    return KnownAccount(
        user["tier"], user["rule_id"], user["access_path"], user["role_name"], user["permission_level"],
        user["user_status"],
    )  # fmt: skip
