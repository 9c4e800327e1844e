"""The T-SQL texts: they parse as T-SQL, ask for the columns the stand-in has, and no name can break out of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import expressions as exp
from sqlglot.tokens import Token, TokenType

from sandbox.tds.catalogue import SHAPES
from worker_lambda.collectors import sqlserver_queries as queries

SELECTS = {n: t for n, t in queries.all_queries().items() if n != "session"}
TEXTS = {**queries.all_queries(), "use": queries.use_database("any")}

# The first word of a statement that changes something, or that runs what is not in the text.
CHANGING = {
    "ALTER", "BACKUP", "BULK", "CREATE", "DBCC", "DELETE", "DENY", "DROP", "EXEC", "EXECUTE", "GRANT", "INSERT", "KILL",
    "MERGE", "RECONFIGURE", "RESTORE", "REVERT", "REVOKE", "SHUTDOWN", "TRUNCATE", "UPDATE", "UPDATETEXT", "WRITETEXT",
    "INTO", "DECLARE", "BEGIN", "OPENROWSET", "OPENQUERY", "OPENDATASOURCE", "XP_CMDSHELL", "SP_EXECUTESQL",
}  # fmt: skip
LOCKING = {
    "NOLOCK", "READUNCOMMITTED", "READCOMMITTED", "READCOMMITTEDLOCK", "REPEATABLEREAD", "SERIALIZABLE", "SNAPSHOT",
    "HOLDLOCK", "UPDLOCK", "XLOCK", "ROWLOCK", "PAGLOCK", "TABLOCK", "TABLOCKX", "READPAST", "NOWAIT", "NOEXPAND",
}  # fmt: skip
# Microsoft's T-SQL reference: functions and operators that SQL Server 2014 (12.0) does not have.
NEWER_THAN_2014 = {
    "STRING_AGG", "STRING_SPLIT", "STRING_ESCAPE", "TRIM", "TRANSLATE", "CONCAT_WS", "DATEDIFF_BIG", "COMPRESS",
    "DECOMPRESS", "ISJSON", "OPENJSON", "DATETRUNC", "DATE_BUCKET", "GREATEST", "LEAST", "GENERATE_SERIES",
    "APPROX_COUNT_DISTINCT", "APPROX_PERCENTILE_CONT", "APPROX_PERCENTILE_DISC", "BIT_COUNT", "GET_BIT", "SET_BIT",
    "LEFT_SHIFT", "RIGHT_SHIFT", "SESSION_CONTEXT", "REGEXP_LIKE", "REGEXP_REPLACE", "UNISTR", "PRODUCT",
    "BASE64_ENCODE", "BASE64_DECODE",
}  # fmt: skip
# What the texts may call: all of it is in SQL Server 2012.
KNOWN_FUNCTIONS = {
    "CAST", "CONVERT", "DATEPART", "DB_ID", "DB_NAME", "HAS_DBACCESS", "HAS_PERMS_BY_NAME", "LOGINPROPERTY", "MAX",
    "QUOTENAME", "SERVERPROPERTY", "SUSER_SNAME", "SYSDATETIMEOFFSET", "TODATETIMEOFFSET",
}  # fmt: skip
TYPES = {"NVARCHAR", "VARBINARY"}


def tokens(text: str) -> list[Token]:
    """The words of a T-SQL text; comments are none, and neither are texts in quotes or delimited names."""
    quoted = (TokenType.STRING, TokenType.NATIONAL_STRING)
    found = sqlglot.tokenize(text, dialect="tsql")
    return [t for t in found if t.token_type not in quoted and text[t.start] != "["]


def words(text: str) -> set[str]:
    """Upper-case words."""
    return {t.text.upper() for t in tokens(text)}


def called(text: str) -> set[str]:
    """Names that an opening parenthesis follows, without keywords and types."""
    found = tokens(text)
    names = {a.text.upper() for a, b in pairwise(found) if b.text == "(" and a.text[:1].isalpha()}
    return names - TYPES - {"IN", "AND", "OR", "WHERE", "ON", "EXISTS"}


def newer_than_2014(text: str) -> set[str]:
    """What SQL Server 2014 would not understand."""
    tree = sqlglot.parse_one(text, dialect="tsql")
    zone = {"AT TIME ZONE"} if tree.find(exp.AtTimeZone) else set()
    return zone | {n for n in called(text) if n in NEWER_THAN_2014 or n.startswith("JSON_")}


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


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_changes_anything_makes_a_table_or_asks_for_a_lock(name: str) -> None:
    assert not words(TEXTS[name]) & (CHANGING | LOCKING)
    assert "#" not in TEXTS[name]


@pytest.mark.parametrize("name", SELECTS)
def test_no_query_has_a_hint_a_target_or_a_second_statement(name: str) -> None:
    select = sqlglot.parse_one(SELECTS[name], dialect="tsql")

    assert not list(select.find_all(exp.WithTableHint, exp.Into, exp.DDL, exp.DML, exp.Command))
    assert ";" not in words(SELECTS[name])


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 AS a INTO #t",
        "SELECT a FROM #t",
        "SELECT a FROM ##t",
        "SELECT a FROM sys.databases WITH (NOLOCK)",
        "SELECT a FROM sys.databases WITH (TABLOCKX, HOLDLOCK)",
        "INSERT t SELECT 1",
        "UPDATE t SET a = 1",
        "DROP LOGIN sa",
        "EXEC sp_who",
    ],
)
def test_the_check_for_changes_tables_and_locks_finds_them(text: str) -> None:
    assert words(text) & (CHANGING | LOCKING) or "#" in text


@pytest.mark.parametrize("name", SELECTS)
def test_every_query_runs_on_sql_server_2014(name: str) -> None:
    assert newer_than_2014(SELECTS[name]) == set()
    assert called(SELECTS[name]) <= KNOWN_FUNCTIONS


@pytest.mark.parametrize(
    "text",
    [
        "SELECT STRING_AGG(name, ',') FROM sys.databases",
        "SELECT TRIM(name) FROM sys.databases",
        "SELECT create_date AT TIME ZONE 'UTC' FROM sys.databases",
        "SELECT CONCAT_WS(',', name, name) FROM sys.databases",
        "SELECT value FROM STRING_SPLIT('a,b', ',')",
        "SELECT JSON_VALUE(name, '$.a') FROM sys.databases",
        "SELECT DATETRUNC(day, create_date) FROM sys.databases",
        "SELECT GREATEST(1, 2), name FROM sys.databases",
        "SELECT LEAST (1, 2) FROM sys.databases",
    ],
)
def test_the_check_for_newer_functions_finds_them(text: str) -> None:
    assert newer_than_2014(text)
    assert not called(text) <= KNOWN_FUNCTIONS or "AT TIME ZONE" in text


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
