"""The two MySQL statements, for every version: only SELECT, no hash, and a text that no data changes."""

from __future__ import annotations

import random
import time

import pytest
import sqlglot
from sqlglot import expressions as exp

from tests.engines import KnownServer
from worker_lambda.collectors.mysql_connection import session
from worker_lambda.collectors.mysql_queries import PROBE, WIDTH, facts
from worker_lambda.collectors.mysql_visibility import STATE_KEYS, VIEW, Visible, required_columns
from worker_lambda.privileges.mysql_catalogue import Flavour

VERSIONS: dict[str, tuple[Flavour, tuple[int, ...]]] = {
    "5.7.44-log": ("mysql", (5, 7, 44)),
    "8.0.36": ("mysql", (8, 0, 36)),
    "8.4.3": ("mysql", (8, 4, 3)),
    "9.7.4": ("mysql", (9, 7, 4)),
    "10.6.20-MariaDB": ("mariadb", (10, 6, 20)),
    "10.11.18-MariaDB": ("mariadb", (10, 11, 18)),
    "11.8.9-MariaDB": ("mariadb", (11, 8, 9)),
}
HASHES = ("authentication_string", "password ", "auth_or")


def visible(version: str, *, shuffled: int = 0) -> Visible:
    """Everything that a complete reader sees; the order of columns is the server's affair."""
    tables = required_columns(*VERSIONS[version])
    mysql = VERSIONS[version][0] == "mysql"
    tables[VIEW] = ("Host", "User", *(("Restrictions",) if mysql else STATE_KEYS))
    found = {}
    for table, columns in tables.items():
        order = list(columns)
        random.Random(shuffled).shuffle(order)
        found[table] = {column.lower(): column for column in order}
    return Visible(found, version)


def selects(sql: str) -> list[exp.Select]:
    """The parts of a UNION ALL; fails on anything else."""
    statements = sqlglot.parse(sql, dialect="mysql")
    assert len(statements) == 1
    (statement,) = statements
    assert isinstance(statement, exp.Union | exp.Select)
    assert not list(statement.find_all(exp.Into, exp.Lock, exp.Insert, exp.Update, exp.Delete, exp.Create))
    return list(statement.find_all(exp.Select))


@pytest.mark.parametrize("version", VERSIONS)
def test_each_statement_is_one_union_of_selects(version: str) -> None:
    assert all(len(part.expressions) == 3 for part in selects(PROBE))
    parts = selects(facts(visible(version)).sql)
    assert len(parts) >= 7
    assert {len(part.expressions) for part in parts} == {WIDTH}


@pytest.mark.parametrize("version", VERSIONS)
def test_no_statement_names_a_hash(version: str) -> None:
    for sql in (PROBE, facts(visible(version)).sql):
        assert not [word for word in HASHES if word in sql.lower()]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_text_is_the_same_for_every_server_of_a_version(version: str) -> None:
    assert len({facts(visible(version, shuffled=seed)).sql for seed in range(5)}) == 1


def test_a_session_is_the_same_whatever_the_server_has_as_its_default(any_server: KnownServer) -> None:
    limit = "@@max_execution_time" if any_server.is_mysql() else "@@max_statement_time"
    sql = (
        f"SELECT CONVERT(CONCAT_WS('|', @@sql_mode, @@sql_select_limit, @@sql_big_selects + 0, {limit}) USING utf8mb4)"
    )
    with session(any_server.target(), any_server.reader(), time.monotonic() + 20) as connection:
        ((answer,),) = connection.query(sql)
    assert answer in ("|18446744073709551615|1|60000", "|18446744073709551615|1|60.000000")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_complete_reader_has_no_gap(version: str) -> None:
    assert facts(visible(version)).gaps == ()
