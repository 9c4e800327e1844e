"""Drafted entries: always YAML of the inventory's own form, whatever the databases are called."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbadmin_assets.inventory import parse_inventory
from dbadmin_assets.inventory_draft import Unknown, draft
from tests.dbadmin_assets.review.outputs.made import HOSTILE

ARCHIVE = Unknown("012345678901", "us-east-1", "archive", "mysql", "archive.rds.amazonaws.com", 3306)
TARGETS = parse_inventory(
    b"""
version: 1
defaults: {secret: s}
accounts: {"012345678901": {regions: {us-east-1: {databases: [
  {name: archive, engine: mysql, host: cname.example.com}, {name: archive-2, engine: mysql, host: b, exclude: why}]}}}}
""",
    "x",
).targets()


def finished(text: str) -> bytes:
    """What a person makes of it: a secret for all."""
    return text.replace("version: 1\n", "version: 1\ndefaults: {secret: s}\n").encode()


def test_a_draft_is_this_text() -> None:
    host = Unknown("123456789012", "eu-west-1", "i-0abc", "mssql", "10.0.0.1", None)
    assert draft([host, ARCHIVE], []).text == (
        "version: 1\n"
        "accounts:\n"
        '  "012345678901":\n'
        "    regions:\n"
        "      us-east-1:\n"
        "        databases:\n"
        "          - {name: archive, engine: mysql, host: archive.rds.amazonaws.com, port: 3306}  # TODO secret\n"
        '  "123456789012":\n'
        "    regions:\n"
        "      eu-west-1:\n"
        "        databases:\n"
        "          - {name: i-0abc, engine: mssql, host: 10.0.0.1}  # TODO secret\n"
    )


def test_a_name_that_is_taken_gets_a_number() -> None:
    made = draft([ARCHIVE, replace(ARCHIVE, host="other.rds")], TARGETS)
    (target,) = parse_inventory(finished(made.text), "x").targets()
    assert [d.name for d in target.databases] == ["archive-3", "archive-4"]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (replace(ARCHIVE, host=None), "no address yet"),
        (replace(ARCHIVE, account_id='1"\n'), "no account and region"),
        (replace(ARCHIVE, region="a: b"), "no account and region"),
        (replace(ARCHIVE, identifier="a\nb"), "its name"),
        (replace(ARCHIVE, host="a b"), "its host"),
        (replace(ARCHIVE, engine="oracle"), "its engine"),
        (replace(ARCHIVE, port=0), "its port"),
    ],
)
def test_what_could_not_stand_in_an_inventory_is_left_out_and_told(item: Unknown, why: str) -> None:
    made = draft([item], [])
    assert made.text == ""
    assert len(made.left_out) == 1
    assert why in made.left_out[0]


@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)), unique=True, max_size=8))
def test_any_name_comes_back_from_the_draft_as_it_is_or_is_told(names: list[str]) -> None:
    made = draft([replace(ARCHIVE, identifier=name, host=f"h{n}") for n, name in enumerate(names)], [])
    assert made.text.isascii()
    parsed = parse_inventory(finished(made.text), "x").targets()[0].databases if made.text else ()
    assert {d.name for d in parsed} <= set(names)
    assert len(parsed) + len(made.left_out) == len(names)
