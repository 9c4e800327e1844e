"""report.html read back: what it says, and that no name is anything but text. A browser is in test_browser.py."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dbadmin_assets.review.csv_cells import visible
from dbadmin_assets.review.outputs import ChangesTable
from tests.dbadmin_assets.review.outputs.made import HOSTILE, hostile_pairs, make
from tests.dbadmin_assets.review.samples import delivered, user, worker_request
from tests.dbadmin_assets.review.test_consolidate import every_kind


def test_the_first_screen_says_incomplete_why_its_scope_and_the_sum(tmp_path: Path) -> None:
    page = make(tmp_path, every_kind(), full_scope=False).page()
    head = page.text.partition("Failures and warnings")[0]
    for wanted in (
        "INCOMPLETE", "Of the 7 databases asked for, 3 failed and 1 were only partly visible",
        "PART OF THE INVENTORY ONLY", "8 databases declared = 3 complete + 1 partial + 3 failed + 1 excluded",
        "alice@laptop (as asserted)",
    ):  # fmt: skip
        assert wanted in head


def test_a_complete_report_says_so(tmp_path: Path) -> None:
    page = make(tmp_path, [delivered(worker_request({"db": "mysql"}), [user("db", "x")])]).page()
    assert "INCOMPLETE" not in page.text
    assert "COMPLETE" in page.text
    assert "Each of the 1 databases asked for was collected with full visibility." in page.text


def test_its_tables(tmp_path: Path) -> None:
    made = make(tmp_path, every_kind())
    tables = made.page().tables
    assert [row[0] for row in tables["findings"][1:]] == [
        "Failed", "Failed", "Failed", "Partly visible", "Warning", "Warning", "Excluded by the inventory",
    ]  # fmt: skip
    assert tables["accounts"][1][:7] == ["123456789012", "payments", "6", "2", "1", "5", "2"]
    assert tables["engines"][1][:3] == ["mssql", "5", "2"]
    assert [row[0] for row in tables["types"][1:]] == ["MSSQL", "MySQL"]
    assert all(item in made.page().text for item in made.facts["outsideThePopulation"])
    assert "ab" * 32 in made.page().text


def test_changes_are_a_table_and_none_are_said(tmp_path: Path) -> None:
    assert "Not compared with an earlier report" in make(tmp_path / "none", every_kind()).page().text
    table = ChangesTable("Compared with <b>one</b>", ("What", "Username"), [("added", "<i>x</i>"), ("removed", None)])
    page = make(tmp_path / "some", every_kind(), changes=table).page()
    assert page.tables["changes"] == [["What", "Username"], ["added", "<i>x</i>"], ["removed", ""]]
    assert "Compared with <b>one</b>" in page.text


def test_hostile_names_make_the_same_tags_as_harmless_ones(tmp_path: Path) -> None:
    hostile = make(tmp_path / "hostile", hostile_pairs()).page()
    harmless = make(tmp_path / "harmless", hostile_pairs([f"user{i}" for i in range(len(HOSTILE))])).page()
    assert hostile.tags == harmless.tags
    assert {row[4] for row in hostile.tables["users"][1:]} == {visible(name) for name in HOSTILE[:-1]}


def test_it_refers_to_nothing_outside_and_allows_its_own_script_and_style_only(tmp_path: Path) -> None:
    make(tmp_path, every_kind())
    text = (tmp_path / "report.html").read_text("utf-8")
    assert not re.search(r"\b(src|srcset|action|data)\s*=|@import|url\(", text)
    assert set(re.findall(r'href="([^"]*)"', text)) <= {f"#{name}" for name in re.findall(r'id="([^"]*)"', text)}
    assert " style=" not in text
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none';")
    for tag in ("script", "style"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy[1]


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    made = [make(tmp_path / name, hostile_pairs()).folder / "report.html" for name in ("a", "b")]
    assert made[0].read_bytes() == made[1].read_bytes()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=8, unique=True))
def test_any_name_comes_back_as_it_is_shown(tmp_path_factory: Any, names: list[str]) -> None:
    request = worker_request({"db": "mysql"})
    made = make(tmp_path_factory.mktemp("html"), [delivered(request, [user("db", name) for name in names])], ["html"])
    assert sorted(row[4] for row in made.page().tables["users"][1:]) == sorted(map(visible, names))
