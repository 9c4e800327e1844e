"""report.json: raw values, one object a line, whatever the names are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dbadmin_assets.review.outputs.made import HOSTILE, as_row, hostile_pairs, make
from tests.dbadmin_assets.review.samples import delivered, user, worker_request
from tests.dbadmin_assets.review.test_consolidate import every_kind


def test_every_detail_row_is_an_object_with_the_raw_values(tmp_path: Path) -> None:
    made = make(tmp_path, every_kind())
    assert [as_row(row) for row in made.json()] == made.details()
    assert [row["username"] for row in made.json() if row["excluded_by_policy"]] == ["sa"]


def test_no_name_breaks_a_line_or_reaches_a_terminal(tmp_path: Path) -> None:
    made = make(tmp_path, hostile_pairs())
    assert {row["username"] for row in made.json()} == set(HOSTILE)
    text = (tmp_path / "report.json").read_text("utf-8")
    assert len(text.splitlines()) == len(HOSTILE)
    assert not set(text) & set("\x00\x07\x1b\x85\u2028\u202e")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=8, unique=True))
def test_any_name_comes_back_as_it_was(tmp_path_factory: Any, names: list[str]) -> None:
    request = worker_request({"db": "mysql"})
    made = make(tmp_path_factory.mktemp("json"), [delivered(request, [user("db", name) for name in names])], ["json"])
    assert sorted(row["username"] for row in made.json()) == sorted(names)
