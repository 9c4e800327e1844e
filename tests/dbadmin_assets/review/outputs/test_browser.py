"""Chromium opens the page from a file: its script runs, sorts and filters; no name does. Skipped where it is not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dbadmin_assets.review.csv_cells import visible
from tests.dbadmin_assets.review.outputs.made import HOSTILE, Made, Page, hostile_pairs, make
from tests.dbadmin_assets.review.outputs.programs import chromium

NAMES = [name for name in HOSTILE if len(name) < 100]
_DRIVER = """<script>
var heads = document.querySelectorAll("#users thead [role=button]");
heads[4].click();
heads[4].dispatchEvent(new KeyboardEvent("keydown", {key: "Enter"}));
document.querySelectorAll("#administrators thead [role=button]")[4].click();
var filter = document.querySelector("[data-table=administrators] input");
filter.value = "SCRIPT";
filter.dispatchEvent(new Event("input"));
</script>"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("made"), hostile_pairs(NAMES), ["html"])


def opened(page: Path, profile: Path) -> tuple[str, list[str]]:
    """The page's document after its scripts have run, and what the console said."""
    printed = chromium(profile, "--virtual-time-budget=5000", "--dump-dom", page.as_uri())
    start = printed.index("<!DOCTYPE html>")
    return printed[start : printed.rindex("</html>")], re.findall(r".*CONSOLE.*", printed)


def test_the_script_runs_under_its_policy_and_no_name_does(made: Made, tmp_path: Path) -> None:
    document, console = opened(made.folder / "report.html", tmp_path / "profile")
    assert console == []
    assert 'data-ready="yes"' in document
    assert re.search("<title>(.*?)</title>", document, re.DOTALL)[1].startswith("INCOMPLETE: Database")  # type: ignore[index]
    page = Page(document)
    assert {row[4] for row in page.tables["users"][1:]} == {visible(name) for name in NAMES[:-1]}
    assert not [tag for tag in page.tags if tag.startswith(("img", "script src", "h1 on", "td on"))]


def test_a_foreign_script_is_refused(made: Made, tmp_path: Path) -> None:
    """What is to show that the page is safe would otherwise show nothing where the policy had no effect."""
    tampered = tmp_path / "tampered.html"
    text = (made.folder / "report.html").read_text("utf-8")
    tampered.write_text(text.replace("</main>", "<script>document.title = 'executed'</script></main>"), "utf-8")
    document, console = opened(tampered, tmp_path / "profile")
    assert "executed</title>" not in document
    assert "Content Security Policy" in " ".join(console)


def test_tables_sort_and_filter(made: Made, tmp_path: Path) -> None:
    driven = tmp_path / "driven.html"
    text = (made.folder / "report.html").read_text("utf-8")
    text = re.sub("<meta http-equiv=.*?>\n", "", text)  # the driver below is no script of the page
    driven.write_text(text.replace("</body>", f"{_DRIVER}</body>"), "utf-8")
    document, console = opened(driven, tmp_path / "profile")
    assert console == []
    page = Page(document)
    up = [row[4] for row in page.tables["administrators"][1:]]
    down = [row[4] for row in page.tables["users"][1:]]
    assert (down[::-1], sorted(up)) == (up, sorted(down))
    assert up != [row[4] for row in made.page().tables["administrators"][1:]]
    assert up.index("00042") < up.index("a,b") < up.index("TRUE")
    assert 'aria-sort="descending"' in document
    matching = [name for name in up if "script" in name.lower()]
    assert f"{len(matching)} of {len(up)} rows, filtered" in page.text
    assert page.tags.count("tr hidden") == len(up) - len(matching)


def test_on_paper_every_page_of_a_table_has_its_heads_and_the_last_column(made: Made, tmp_path: Path) -> None:
    pdftotext = shutil.which("pdftotext")
    if pdftotext is None:
        pytest.skip("pdftotext is not installed here")
    paper = tmp_path / "page.pdf"
    chromium(tmp_path / "profile", f"--print-to-pdf={paper}", (made.folder / "report.html").as_uri())
    text = subprocess.run([pdftotext, "-layout", paper, "-"], capture_output=True, check=True, text=True).stdout
    pages = [page for page in text.split("\f") if page.count("012345678901") > 2]
    assert len(pages) > 2
    assert all("Account ID" in page for page in pages)
    assert sum(page.count("2024-01-15T14:22:33Z") for page in pages) >= len(NAMES) - 1  # of users; one is excluded
