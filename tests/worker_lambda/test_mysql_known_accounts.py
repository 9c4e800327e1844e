"""The fixture of known accounts on every real engine: what is expected, all of it, and nothing else."""

from __future__ import annotations

import csv
import json
import re
import time

import pytest

from tests.engines import ROOT, KnownServer, by_username, known_accounts
from tests.worker_lambda.mysql_reading import as_known
from worker_lambda.collectors.mysql import collect
from worker_lambda.privileges.mysql_rules import RULES
from worker_lambda.result_object import DatabaseResult

# Made by the official images, not by us.
_OF_IMAGES = {"root@%", "healthcheck@127.0.0.1", "healthcheck@::1", "healthcheck@localhost"}


def collected(server: KnownServer) -> DatabaseResult:
    return collect(server.target(), server.reader(), time.monotonic() + 20, "123456789012", "us-east-1")


def test_every_account_is_judged_as_the_table_says_and_there_is_no_other(any_server: KnownServer) -> None:
    result = collected(any_server)
    rows = {n: as_known(u) for n, u in by_username(result).items() if u["excluded_by_policy"] is None}
    assert {n: r for n, r in rows.items() if n not in _OF_IMAGES} == any_server.known
    assert (result.connection["status"], result.warnings) == ("complete", [])
    assert result.connection["users"] == len(rows)


def test_what_is_left_out_is_left_out_by_exact_identity(any_server: KnownServer) -> None:
    excluded = {u["username"] for u in collected(any_server).users if u["excluded_by_policy"]}
    engine = {"mysql.sys@localhost", "mysql.session@localhost", "mysql.infoschema@localhost"}
    assert excluded == (engine if any_server.is_mysql() else {"mariadb.sys@localhost"}) | {"@10.9.9.9"}


@pytest.mark.parametrize("flavour", ["mysql", "mariadb"])
def test_the_table_has_forty_accounts_and_every_line_an_account_that_was_made(flavour: str) -> None:
    known = known_accounts("both", flavour)
    assert len(known) >= 40
    texts = [(ROOT / f"sandbox/engines/known/{name}.sql").read_text() for name in ("common", flavour)]
    made = re.findall(r"CREATE USER (`(?:[^`]|``)+`|''|\w+)@'([^']*)'", "\n".join(texts))
    names = {f"{user[1:-1].replace('``', '`') if '`' in user else user}@{host}" for user, host in made if user != "''"}
    assert names | {"root@localhost", "audit_reader@%"} == set(known)


def test_every_rule_names_at_least_one_account_of_the_table() -> None:
    """ADMIN OPTION never comes first: who has it holds the role, too. It is looked for among the reasons."""
    with (ROOT / "tests/worker_lambda/expected/mysql.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    named = {row["rule_id"] for row in rows}
    assert set(RULES) - named == {"mysql.admin-option"}
    assert any("ADMIN OPTION on r_top" in row["role_name"] for row in rows)


def test_an_engine_account_that_somebody_opened_is_warned_about(any_server: KnownServer) -> None:
    name = "mysql.session" if any_server.is_mysql() else "mariadb.sys"
    open_, close = (f"ALTER USER `{name}`@localhost ACCOUNT {word}" for word in ("UNLOCK", "LOCK"))
    any_server.execute(open_, f"GRANT SUPER ON *.* TO `{name}`@localhost")
    try:
        texts = [w["text"] for w in collected(any_server).warnings]
    finally:
        revoke = [] if any_server.is_mysql() else [f"REVOKE SUPER ON *.* FROM `{name}`@localhost"]
        any_server.execute(close, *revoke)
    assert texts == [f"Excluded account is an enabled administrator: {name}@localhost"]


def test_a_server_that_pads_names_to_their_full_length_is_read_as_any_other(any_server: KnownServer) -> None:
    mode = any_server.execute("SELECT @@GLOBAL.sql_mode")[0][0]
    any_server.execute("SET GLOBAL sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'")
    try:
        rows = {n: as_known(u) for n, u in by_username(collected(any_server)).items() if not u["excluded_by_policy"]}
    finally:
        any_server.execute(f"SET GLOBAL sql_mode = '{mode}'")
    assert {n: r for n, r in rows.items() if n not in _OF_IMAGES} == any_server.known


def test_every_row_carries_tier_rule_and_path(any_server: KnownServer) -> None:
    for user in collected(any_server).users:
        assert user["tier"] == RULES[user["rule_id"]].tier
        assert user["access_path"]
        assert json.dumps(user["account_details"])
