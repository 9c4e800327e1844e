"""Any login name that SQL Server can have arrives over the wire, and in the rows, as it is."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sandbox.tds.builder import ServerBuilder
from sandbox.tds.catalogues import READER
from sandbox.tds.server import TdsServer
from sandbox.tds.versions import SQL_2022
from worker_lambda.collectors.sqlserver import collect
from worker_lambda.contract import DatabaseTarget
from worker_lambda.credentials import Credentials

PASSWORD = "correct horse"
TAKEN = {p["name"] for p in ServerBuilder(version=SQL_2022).login(READER).build().server["server_principals"]}
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128).filter(
    lambda name: len(name.encode("utf-16-le")) <= 256 and name not in TAKEN
)


@pytest.fixture(scope="module")
def server() -> Iterator[TdsServer]:
    with TdsServer(ServerBuilder().build(), {READER: PASSWORD}) as running:
        yield running


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(names, min_size=1, max_size=40, unique=True))
@example(
    ["x" * 128, "𝄞" * 64, "\uffff\ufffe\ufeff", "a\r\nb", "\u202eb", " ", "  x  ", "'", "]", '"', "--", "\x7f\x80\x9f"]
)
@example([chr(code) for code in range(0x300)])
def test_names_arrive_over_the_wire_as_they_are(server: TdsServer, logins: list[str]) -> None:
    builder = ServerBuilder(version=SQL_2022).login(READER)
    for name in logins:
        builder.login(name)
    server.catalogue = builder.build()
    target = DatabaseTarget("db", "mssql", ca_file=str(server.ca_file))
    credentials = Credentials(host=server.host, port=server.port, username=READER, password=PASSWORD)

    result = collect(target, credentials, time.monotonic() + 60, "123456789012", "us-east-1")

    assert sorted(u["username"] for u in result.users) == sorted([*logins, READER, "sa"])
