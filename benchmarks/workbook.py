"""How fast and how small report.xlsx of 100,000 rows and report.html of 20,000 rows are made, every column filled.

Each is made in a fresh process: wall time of that process, interpreter start and imports included, and its peak
resident memory.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.consolidation import AT, generate
from benchmarks.measured import as_child, in_fresh_interpreter, peak_mib, spread

ROWS = {"xlsx": 100_000, "html": 20_000, "json": 100_000}
REPEAT = 3
_ROWS_PER_ACCOUNT = 1000


def main() -> None:
    """Make the detail rows, then each output of them several times."""
    if as_child(_measure):
        return
    with tempfile.TemporaryDirectory(prefix="workbook-") as temporary:
        folders = {rows: Path(temporary) / str(rows) for rows in sorted(set(ROWS.values()))}
        for rows, folder in folders.items():  # elsewhere, for Linux hands a parent's size on to its children
            in_fresh_interpreter("benchmarks.workbook", {"folder": str(folder), "rows": rows})
        print(f"every column filled; whole process, {REPEAT} runs each, seconds")
        for name, rows in ROWS.items():
            walls, peaks, size = [], [], 0
            for _ in range(REPEAT):
                began = time.perf_counter()
                found = in_fresh_interpreter("benchmarks.workbook", {"folder": str(folders[rows]), "name": name})
                walls.append(time.perf_counter() - began)
                peaks.append(found["peak_mib"])
                size = found["bytes"]
            print(f"{name:<5} {rows:>7,} rows  {spread(walls)} s  peak {max(peaks):.0f} MiB  {size / 1e6:.1f} MB")


def _measure(request: dict[str, Any]) -> dict[str, Any]:
    from dbadmin_assets.review.outputs.json_lines import write_json_lines
    from dbadmin_assets.review.outputs.page import write_page
    from dbadmin_assets.review.outputs.workbook import write_workbook

    folder = Path(request["folder"])
    if "rows" in request:
        _make(folder, request["rows"])
        return {}
    parquet, path = folder / "report.parquet", folder / f"report.{request['name']}"
    facts = json.loads((folder / "facts.json").read_bytes())
    if request["name"] == "xlsx":
        write_workbook(path, facts, parquet, None)
    elif request["name"] == "html":
        write_page(path, facts, parquet, None)
    else:
        write_json_lines(path, parquet)
    return {"peak_mib": peak_mib(), "bytes": path.stat().st_size}


def _make(folder: Path, rows: int) -> None:
    """Detail rows and facts as a report has them."""
    from dbadmin_assets.review.consolidate import write_csv
    from dbadmin_assets.review.detail import DetailFile
    from dbadmin_assets.review.manifest import build_manifest
    from dbadmin_assets.review.records import DeclaredDatabase, InventoryVersion, Outcome, Request, TargetRecord

    folder.mkdir()
    generate(folder, rows // _ROWS_PER_ACCOUNT, _ROWS_PER_ACCOUNT)
    records = []
    for path in sorted(folder.glob("*.outcome")):
        outcome = Outcome.from_json(path.read_bytes())
        declared = tuple(DeclaredDatabase(d.name, d.engine) for d in outcome.databases)
        records.append(
            TargetRecord(account_id=outcome.account_id, region=outcome.region, declared=declared, outcome=outcome)
        )
    pairs = ((record, (folder / f"{record.account_id}.json").read_bytes()) for record in records)
    with (folder / "db-admin-report.csv").open("wb") as out, DetailFile(folder / "report.parquet") as details:
        totals = write_csv(pairs, out, details=details, as_of=AT)
    request = Request(
        collection_id="c0ffee00", run_id="run-1", requested_by="a@b", executed_by="arn", requested_at=AT,
        inventory=InventoryVersion("inventory.yaml", None, "0" * 64),
        accounts=(), regions=(), full_scope=True, targets=(),
    )  # fmt: skip
    facts = build_manifest(
        [request], records, totals,
        collection_id="c0ffee00", run_id="run-1", started_at=AT, ended_at=AT, code_version="0.1.0",
    )  # fmt: skip
    (folder / "facts.json").write_text(json.dumps(facts))
    _fill(folder / "report.parquet")


def _fill(path: Path) -> None:
    """Give every empty cell a value of usual length, but for what would make an excluded principal of the row."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    for place, name in enumerate(table.column_names):
        if name != "excluded_by_policy":
            column = table.column(name)
            empty = pc.or_kleene(pc.is_null(column), pc.equal(pc.fill_null(column, ""), ""))
            table = table.set_column(
                place, table.schema.field(name), pc.if_else(empty, f"{name} of usual length", column)
            )
    pq.write_table(table, path, compression="zstd", row_group_size=1 << 16)


if __name__ == "__main__":
    main()
