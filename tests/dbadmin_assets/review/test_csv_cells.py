"""Cells of the CSV: nothing a spreadsheet would execute, nothing invisible, and the text can be had back."""

from __future__ import annotations

import csv
import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbadmin_assets.review.csv_cells import LINE_END, WrittenCells, line, neutral, quoted

DANGEROUS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

hostile = st.text(
    alphabet=st.one_of(st.sampled_from(DANGEROUS + BIDI + "';\",\n\x00\x85\u2028 ab"), st.characters()), max_size=20
)


@pytest.mark.parametrize(
    ("raw", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff20x", "'\uff20x"),
        ("'quoted", "''quoted"),
        ("\tx", "'\\u0009x"),
        ("\rx", "'\\u000dx"),
        ("a\nb", "a\\u000ab"),
        ("a\u202eb", "a\\u202eb"),
        ("a;=1", "a;'=1"),
        ('a; "=1', "a;' \"=1"),
        ("a;'b", "a;''b"),
        ("it's", "it's"),
        ("root@%", "root@%"),
        ("Disabled; Locked", "Disabled; Locked"),
        ("Full Admin (ALL on *.*)", "Full Admin (ALL on *.*)"),
        ("", ""),
    ],
)
def test_what_a_cell_becomes(raw: str, cell: str) -> None:
    assert neutral(raw) == cell


@pytest.mark.parametrize("invisible", ["\x00", "\x1f", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ud800", *BIDI])
def test_every_invisible_character_is_spelled_out(invisible: str) -> None:
    assert neutral(f"a{invisible}b") == f"a\\u{ord(invisible):04x}b"


@given(st.lists(hostile, max_size=10))
def test_a_row_of_hostile_cells_is_ten_harmless_cells_for_any_reader(raws: list[str]) -> None:
    text = line(map(neutral, raws))
    assert text.endswith(LINE_END)
    text.encode()
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert [len(row) for row in rows] == [10]
    for raw, cell in zip(raws, rows[0], strict=False):
        assert cell == neutral(raw)
        assert not cell.startswith(tuple(DANGEROUS))
        assert not [c for c in cell if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") or c in BIDI]


@given(st.lists(hostile, min_size=10, max_size=10))
def test_a_spreadsheet_that_splits_at_semicolons_finds_no_formula_either(raws: list[str]) -> None:
    for part in line(map(neutral, raws)).rstrip(LINE_END).split(";")[1:]:
        assert not part.lstrip('" ').startswith(tuple(DANGEROUS))


@given(hostile)
def test_taking_one_apostrophe_off_each_part_gives_the_text_back(raw: str) -> None:
    parts = [part.removeprefix("'") for part in neutral(raw).split(";")]
    escaped = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", lambda c: f"\\u{ord(c[0]):04x}", raw)
    for mark in BIDI:
        escaped = escaped.replace(mark, f"\\u{ord(mark):04x}")
    assert ";".join(parts) == escaped


@given(st.lists(hostile.map(neutral), min_size=10, max_size=10))
def test_quoting_is_that_of_the_standard_library(cells: list[str]) -> None:
    theirs = io.StringIO()
    csv.writer(theirs).writerow(cells)
    assert line(cells) == theirs.getvalue()


def test_short_rows_are_filled_up_and_long_ones_refused() -> None:
    assert line(["a"]) == "a,,,,,,,,,\r\n"
    with pytest.raises(ValueError, match="10 cells, not 11"):
        line([""] * 11)


def test_remembered_cells_are_quoted_and_know_which_texts_were_changed() -> None:
    cells = WrittenCells()
    assert [cells[raw] for raw in ("plain", "a, b", "=x", "=x")] == ["plain", '"a, b"', "'=x", "'=x"]
    assert cells.changed == {"=x"}


def test_remembered_cells_are_forgotten_once_they_are_many() -> None:
    cells = WrittenCells()
    for number in range(20_001):
        cells[f"={number}"]
    cells.trim()
    assert (len(cells), cells.changed) == (0, set())


def test_quoted_doubles_quotes() -> None:
    assert quoted('a"b') == '"a""b"'
