"""report.json: JSON Lines, one object per detail row, raw values, the excluded principals among them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dbadmin_assets.review.csv_cells import visible
from dbadmin_assets.review.detail import COLUMNS, detail_rows

_encode = msgspec.json.Encoder().encode
_LINES_AT_ONCE = 4096


def write_json_lines(path: Path, parquet: Path) -> None:
    """Write the rows in the order of the report.

    What nobody would see stands as `\\uXXXX`, which JSON reads as the character itself: values stay raw, no line
    is broken where a reader takes U+2028 for its end, and no terminal obeys a name.

    Args:
        path: the file to make: UTF-8, `\\n` behind each object.
        parquet: the detail rows.
    """
    lines: list[str] = []
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for row in detail_rows(parquet):
            lines.append(_line(row))
            if len(lines) == _LINES_AT_ONCE:
                out.write("".join(lines))
                lines.clear()
        out.write("".join(lines))


def _line(row: tuple[str | None, ...]) -> str:
    return visible(_encode(dict(zip(COLUMNS, row, strict=True))).decode()) + "\n"
