"""A small sealed report with administrators, and its sheet filled in as people would. No behaviour of its own."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import load_workbook

from benchmarks.sealed_alone import sealed_alone
from dbadmin_assets.review.access_review.cells import COLUMNS, SheetRow
from dbadmin_assets.review.access_review.check import Reviewed, check, read_sheet
from dbadmin_assets.review.access_review.prefill import sheet_rows
from dbadmin_assets.review.access_review.principals import Principal, principals
from dbadmin_assets.review.access_review.row_ids import row_ids
from dbadmin_assets.review.access_review.sheet_files import Origin, csv_lines, write_xlsx
from dbadmin_assets.review.consolidate import write_csv
from dbadmin_assets.review.detail import DetailFile
from dbadmin_assets.review.folder import CSV_NAME, MANIFEST_NAME, PARQUET_NAME
from dbadmin_assets.review.manifest import ReportFile, build_manifest, canonical_json
from tests.dbadmin_assets.review.samples import AS_OF, STARTED, delivered, requested, user, worker_request

FOLDER = "reports/2024/01/15/20240115T150000Z-c0ffee00/"
ACCOUNT = "012345678901"
NOW = datetime(2024, 1, 20, 12, tzinfo=UTC)
ADMIN = {"permission_level": "Admin", "tier": "0", "role_name": "Full Admin (SUPER)", "rule_id": "m1"}
HOSTILE = (
    "=cmd|' /C calc'!A0", "+1+1", "-1", "@SUM(A1)", "'quoted", "a;=1+1", 'say "x"', "<b>&amp;", "[red]x[/]",
    "\uffff\ufffe", "\u202ereversed", "tab\there", "line\nbreak", "_x0041_", "ünïcödé", "  blanks  ", "TRUE",
    "1e5", "00012", "2024-01-02", "a,b", "\x1b[2J", "../../x", "{{7*7}}", "%0A", "=1@%",
)  # fmt: skip


class Report:
    """An evidence folder in memory, with detail rows."""

    def __init__(self, *users: dict[str, Any], failed: dict[str, str] | None = None, **extra: Any) -> None:
        request = worker_request({"orders": "mysql", "erp": "mssql"}, account=ACCOUNT)
        record, answer = delivered(request, list(users), failed=failed)
        out, path = io.BytesIO(), Path(extra["folder"], PARQUET_NAME)
        with DetailFile(path) as details:
            totals = write_csv([(record, answer)], out, details=details, as_of=AS_OF)
        self.files = {CSV_NAME: out.getvalue(), PARQUET_NAME: path.read_bytes()}
        described = [ReportFile(n, hashlib.sha256(d).hexdigest(), len(d)) for n, d in self.files.items()]
        manifest = build_manifest(
            [requested(record)], [record], totals, files=described, collection_id="c0ffee00-1", run_id="run-1",
            started_at=STARTED, ended_at=extra.get("ended_at", AS_OF), code_version=extra.get("code_version", "0.1.0"),
        )  # fmt: skip
        self.files[MANIFEST_NAME] = canonical_json(sealed_alone(manifest))
        self.sha256 = hashlib.sha256(self.files[MANIFEST_NAME]).hexdigest()
        self.principals = list(principals(path))

    @property
    def administrators(self) -> list[Principal]:
        return [row for row in self.principals if row.is_admin]

    def names(self) -> list[str]:
        return list(self.files)

    def open(self, name: str) -> BinaryIO | None:
        return io.BytesIO(self.files[name]) if name in self.files else None

    def lay(self, folder: Path) -> Path:
        for name, data in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder

    def rows(self, **other: Any) -> list[SheetRow]:
        return sheet_rows(self.sha256, self.administrators, **other)

    def csv(self, **other: Any) -> bytes:
        return b"".join(csv_lines(self.rows(**other)))

    def xlsx(self, path: Path, **other: Any) -> Path:
        write_xlsx(path, self.rows(**other), Origin(FOLDER, self.sha256, AS_OF))
        return path

    def check(self, data: bytes, name: str = "review.csv", now: datetime = NOW) -> list[Reviewed]:
        rows = self.administrators
        expected = list(zip(row_ids(self.sha256, rows), rows, strict=True))
        return check(read_sheet(data, name), expected, sealed_at=AS_OF, now=now)


def admin(database: str, username: str, **other: Any) -> dict[str, Any]:
    return user(database, username, **(ADMIN | other))


def login(username: str, sid: str, **other: Any) -> dict[str, Any]:
    role = {"role_name": "System Admin (sysadmin)", "account_details": {"sid": sid}, "access_path": f"{username}: x"}
    return user("erp", username, engine="mssql", **(ADMIN | role | other))


def small(folder: Path, **extra: Any) -> Report:
    """Three administrators and one who is none."""
    return Report(
        admin("orders", "root@%", access_path="root@%: SUPER"), admin("orders", "ops@10.%"), user("orders", "app@%"),
        login("CORP\\dba", "0x0105"), folder=folder, **extra,
    )  # fmt: skip


Change = Callable[[list[dict[str, Any]]], Any]


def fill(rows: list[dict[str, Any]], decision: str = "keep") -> None:
    """Every row decided by one reviewer."""
    for row in rows:
        row.update({"Decision": decision, "Reviewer": "Dana Doe", "Review Date": "2024-01-18", "Comment": "as agreed"})


def filled_csv(
    data: bytes, change: Change | None = None, *, encoding: str = "utf-8-sig", separator: str = ","
) -> bytes:
    """A CSV sheet filled in, then changed, and written as some program writes it."""
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    fill(rows)
    if change:
        change(rows)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, delimiter=separator, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def fill_workbook(path: Path, change: Callable[[Any], Any] | None = None, **cells: Any) -> bytes:
    """A workbook filled in cell by cell and saved, as a spreadsheet would; `change` gets the worksheet."""
    book = load_workbook(path)
    sheet = book["Access review"]
    place = {title: number for number, title in enumerate(COLUMNS, 1)}
    values = {"Decision": "keep", "Reviewer": "Dana Doe", "Review Date": "2024-01-18"} | cells
    for row in range(2, sheet.max_row + 1):
        for title, value in values.items():
            sheet.cell(row, place[title]).value = value
    if change:
        change(sheet)
    book.save(path)
    return path.read_bytes()
