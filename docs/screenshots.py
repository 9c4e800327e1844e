"""Makes docs/images/ again: a report of the demo, as Chromium shows the page and LibreOffice the workbook.

`python docs/screenshots.py`; needs what `make demo` needs, and chromium, soffice and pdftoppm. `--reports FOLDER`
takes a report that is there already.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH, PAGE_HEIGHT = 1280, 1500
# Of the printed Summary and Users, at 110 dots per inch: what is filled.
SHEETS = {1: (60, 60, 1160, 428), 2: (60, 60, 1160, 236)}


def main() -> None:
    """Make both images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=Path)
    given: Path | None = parser.parse_args().reports
    with tempfile.TemporaryDirectory(prefix="screenshots-") as temporary:
        scratch = Path(temporary)
        reports = given or _demo(scratch / "reports")
        if missing := [name for name in ("report.html", "report.xlsx") if not (reports / name).is_file()]:
            parser.error(f"{reports} has no {' and no '.join(missing)}")
        IMAGES.mkdir(exist_ok=True)
        _photograph(reports / "report.html", IMAGES / "report-html.png", PAGE_HEIGHT, scratch)
        stacked = _workbook(reports / "report.xlsx", scratch)
        _photograph(stacked, IMAGES / "report-xlsx.png", sum(size[3] + 24 for size in SHEETS.values()), scratch)
    for image in sorted(IMAGES.glob("*.png")):
        print(f"{image.relative_to(ROOT)}: {image.stat().st_size / 1000:.0f} kB")


def _demo(folder: Path) -> Path:
    command = [str(Path(sys.executable).parent / "db-admin-report"), "generate", "--output-format", "html"]
    options = ["run", "--copy-reports", str(folder), "--expect-exit", "3", "--"]
    _run([sys.executable, "-m", "sandbox", *options, *command])
    return folder


def _photograph(page: Path, image: Path, height: int, scratch: Path) -> None:
    _run(
        [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={scratch / 'browser'}", f"--window-size={WIDTH},{height}",
            f"--screenshot={image}", page.resolve().as_uri(),
        ]
    )  # fmt: skip


def _workbook(workbook: Path, scratch: Path) -> Path:
    """The first sheets below each other, as a page."""
    profile = f"-env:UserInstallation={(scratch / 'office').as_uri()}"
    _run(["soffice", "--headless", profile, "--convert-to", "pdf", "--outdir", str(scratch), str(workbook)])
    pictures = ""
    for number, (left, top, width, height) in SHEETS.items():
        crop = ["-x", str(left), "-y", str(top), "-W", str(width), "-H", str(height)]
        one = ["-f", str(number), "-l", str(number), "-singlefile", "-png", "-r", "110"]
        _run(["pdftoppm", *one, *crop, str(scratch / "report.pdf"), str(scratch / f"sheet{number}")])
        pictures += f'<img src="sheet{number}.png" style="display:block;width:1264px;margin:8px">'
    stacked = scratch / "stacked.html"
    stacked.write_text(f'<!doctype html><body style="margin:0;background:#d5dce4">{pictures}', "utf-8")
    return stacked


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
