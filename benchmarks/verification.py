"""How fast a downloaded report is verified: the whole command on one file of 512 MiB, beside sha256sum on it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measured import spread
from benchmarks.sealed_alone import sealed_alone

AT = "2024-01-15T14:22:33Z"
MIB = 512
REPEAT = 5


def main() -> None:
    """Make a report of nothing with a large file, then time each method on it in turn."""
    with tempfile.TemporaryDirectory(prefix="verification-") as temporary:
        folder = Path(temporary)
        large = folder / "db-admin-report.csv"
        _make(large)
        methods = {"verify": [sys.executable, "-m", "dbadmin_assets.cli.main", "verify", str(folder)]}
        if tool := shutil.which("sha256sum") or shutil.which("shasum"):
            methods[Path(tool).name] = [tool, str(large)]
        seconds: dict[str, list[float]] = {name: [] for name in methods}
        for _ in range(REPEAT):
            for name, command in methods.items():
                began = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                seconds[name].append(time.perf_counter() - began)
        print(f"one file of {MIB} MiB, in the page cache; whole process, {REPEAT} runs each in turn, MB/s")
        for name, walls in seconds.items():
            print(f"{name:<11} {spread([MIB * 1.048576 / wall for wall in walls], 0)}")


def _make(large: Path) -> None:
    from dbadmin_assets.review.manifest import ReportFile, build_manifest, canonical_json
    from dbadmin_assets.review.records import InventoryVersion, Request
    from dbadmin_assets.review.totals import add_up

    block, digest = os.urandom(1 << 20), hashlib.sha256()
    with large.open("wb") as out:
        for _ in range(MIB):
            out.write(block)
            digest.update(block)
    request = Request(
        collection_id="c0ffee00", run_id="run-1", requested_by="a@b", executed_by="arn", requested_at=AT,
        inventory=InventoryVersion("inventory.yaml", None, "0" * 64),
        accounts=(), regions=(), full_scope=True, targets=(),
    )  # fmt: skip
    totals = add_up([], csv_sha256=digest.hexdigest(), csv_size_bytes=MIB << 20)
    manifest = build_manifest(
        [request], [], totals, files=[ReportFile(large.name, totals.csv_sha256, totals.csv_size_bytes)],
        collection_id="c0ffee00", run_id="run-1", started_at=AT, ended_at=AT, code_version="0.1.0",
    )  # fmt: skip
    (large.parent / "manifest.json").write_bytes(canonical_json(sealed_alone(manifest)))


if __name__ == "__main__":
    main()
