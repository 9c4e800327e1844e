"""Where a report comes from: who asked, inventory, runs, times, versions. A backfill has many of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_MOST_NAMED, _MOST_RUNS = 3, 20


def who_asked(requests: list[dict[str, Any]]) -> str:
    """As asserted and as verified, in a sentence."""
    return (
        f"Requested by {_named({r['requestedBy'] for r in requests})} (as asserted),"
        f" executed by {_named({r['executedBy'] for r in requests})} (as verified)."
    )


def _named(names: set[str]) -> str:
    named = sorted(names)
    return ", ".join(named[:_MOST_NAMED]) + (f", +{len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else "")


def origin(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Label and value, several values of one label in a row each; who asked comes first."""
    yield from _requests(facts["requests"])
    yield "Collection", facts["collectionId"]
    yield "Run that made the report", facts["runId"]
    collecting = [run for run in facts["runIds"] if run != facts["runId"]]
    yield from (("Run that collected", run) for run in collecting[:_MOST_RUNS])
    if len(collecting) > _MOST_RUNS:
        yield "Runs that collected", f"{len(collecting):,} in all, which manifest.json names"
    for item in facts["collections"][:_MOST_RUNS]:
        yield "Oldest data", f"{item['oldestEndedAt']}, of collection {item['collectionId']}"
    yield "Consolidated", f"{facts['startedAt']} to {facts['endedAt']}"
    yield "db-admin-report", facts["codeVersion"]
    for version in sorted({target.get("workerVersion") or "" for target in facts["targets"]} - {""}):
        yield "Worker", version
    yield "Cells of the CSV that were made harmless", f"{facts['counts']['changedCells']:,}"
    yield "To verify", "`db-admin-report verify` on the folder checks every file, this one too, against manifest.json"


def _requests(requests: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """A backfill has a request for each of its runs: what they have in common stands there once."""
    for name in sorted({request["requestedBy"] for request in requests}):
        times = sorted(request["requestedAt"] for request in requests if request["requestedBy"] == name)
        several = f" to {times[-1]}, {len(times):,} requests" if len(times) > 1 else ""
        yield "Requested by (as asserted)", f"{name}, {times[0]}{several}"
    for name in sorted({request["executedBy"] for request in requests}):
        yield "Executed by (as verified)", name
    inventories = {
        tuple(request["inventory"][key] or "" for key in ("source", "version", "sha256")) for request in requests
    }
    for source, version, sha256 in sorted(inventories):
        yield "Inventory", source
        yield "Inventory version", version or "its source has none"
        yield "Inventory SHA-256", sha256
