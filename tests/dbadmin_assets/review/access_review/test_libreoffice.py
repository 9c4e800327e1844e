"""Sheets that a real spreadsheet opened and saved: the workbook comes back, a CSV that it spoiled is named."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dbadmin_assets.review.access_review.errors import SheetError
from tests.dbadmin_assets.review.access_review.sample import HOSTILE, Report, admin, fill_workbook, filled_csv, small

SOFFICE = shutil.which("soffice")
pytestmark = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice (soffice) is not installed")


def saved_again(path: Path, kind: str, form: str) -> bytes:
    """The file as LibreOffice saves it after opening it with nothing but its defaults."""
    assert SOFFICE is not None
    out = path.parent / "saved"
    home = (path.parent / "libreoffice").as_uri()
    subprocess.run(
        [SOFFICE, f"-env:UserInstallation={home}", "--headless", "--convert-to", form, "--outdir", out, path],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return (out / f"{path.stem}.{kind}").read_bytes()


def test_a_workbook_that_was_saved_again_is_as_it_was(tmp_path: Path) -> None:
    report = Report(*(admin("orders", name) for name in HOSTILE), folder=tmp_path)
    path = report.xlsx(tmp_path / "review.xlsx")
    fill_workbook(path)
    found = report.check(saved_again(path, "xlsx", "xlsx"), "review.xlsx")
    assert sorted(row.principal.username for row in found) == sorted(HOSTILE)


def test_a_csv_that_was_saved_again_has_lost_zeros_and_each_is_named(tmp_path: Path) -> None:
    report = small(tmp_path)
    path = tmp_path / "review.csv"
    path.write_bytes(filled_csv(report.csv()))
    with pytest.raises(SheetError) as caught:
        report.check(saved_again(path, "csv", "csv"))
    lost = "Account ID is '12345678901', it was '012345678901': a spreadsheet took its leading zeros"
    assert [problem for problem in caught.value.problems if lost in problem] == [f"rows 2 to 4: {lost}"]
    assert "fill in the .xlsx" in (caught.value.hint or "")
