"""The T-SQL texts: they parse as T-SQL, ask for the columns the stand-in has, and no name can break out of them."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import expressions as exp

from sandbox.tds.catalogue import SHAPES
from worker_lambda.collectors import sqlserver_queries as queries

SELECTS = {n: t for n, t in queries.all_queries().items() if n != "session"}


@pytest.mark.parametrize("name", SELECTS)
def test_each_query_is_one_valid_select_in_tsql(name: str) -> None:
    statements = sqlglot.parse(SELECTS[name], dialect="tsql")

    assert [type(s) for s in statements] == [exp.Select]


@pytest.mark.parametrize("name", SELECTS)
def test_the_stand_in_has_the_columns_that_the_query_asks_for(name: str) -> None:
    select = sqlglot.parse_one(SELECTS[name], dialect="tsql")

    assert [c.alias_or_name for c in select.selects] == [c.partition(":")[0] for c in SHAPES[name]]


def test_the_session_text_only_sets_options() -> None:
    statements = [s.strip() for s in queries.SESSION.split("*/", 1)[1].split(";") if s.strip()]

    assert all(s.startswith("SET ") for s in statements)
    # sqlglot 30 has no T-SQL isolation levels; that one statement is compared with Microsoft's syntax by hand.
    statements.remove("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
    assert all(isinstance(sqlglot.parse_one(s, dialect="tsql"), exp.Set) for s in statements)


@pytest.mark.parametrize("name", queries.all_queries())
def test_each_text_begins_with_its_own_name(name: str) -> None:
    assert queries.all_queries()[name].startswith(f"/* db-admin-report:{name} */\n")


@pytest.mark.parametrize("name", SELECTS)
def test_no_query_reads_a_password_hash_or_leaves_a_variant_or_name_uncast(name: str) -> None:
    select = sqlglot.parse_one(SELECTS[name], dialect="tsql")

    assert "password_hash" not in SELECTS[name]
    for call in select.find_all(exp.Anonymous):
        if call.name.upper() in ("SERVERPROPERTY", "LOGINPROPERTY"):
            assert isinstance(call.parent, exp.Cast)
    for column in select.selects:
        inner = column.unalias()
        assert not (isinstance(inner, exp.Column) and inner.name in ("name", "type_desc", "permission_name"))


@given(st.text(min_size=1, max_size=100).filter(lambda s: s.isprintable() and s[0] != "#"))
def test_quoting_gives_one_identifier_whose_name_is_the_name(name: str) -> None:
    quoted = queries.quote_name(name)

    assert quoted[0] == "[" and quoted[-1] == "]"
    assert quoted[1:-1].replace("]]", "") == name.replace("]", "")
    parsed = sqlglot.parse_one(f"SELECT 1 FROM {quoted}", dialect="tsql")
    assert parsed.find(exp.Table).name == name  # type: ignore[union-attr]


def test_a_bracket_in_a_database_name_cannot_end_the_statement() -> None:
    assert queries.use_database("a]; DROP TABLE x--").endswith("USE [a]]; DROP TABLE x--]\n")


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 129])
def test_a_name_that_no_database_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a database name"):
        queries.quote_name(name)
