"""The end of a report as people and machines read it, from its manifest (docs/formats.md) and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli.output import print_table, say
from dbadmin_assets.errors import EXIT_COMPLETE, EXIT_INCOMPLETE, EvidenceError, ReportError
from dbadmin_assets.review.folder import CSV_NAME, FILE_OF_FORMAT, MANIFEST_NAME

if TYPE_CHECKING:
    import boto3

    from dbadmin_assets.config import Settings
    from dbadmin_assets.resources.evidence import EvidenceStore


@dataclass(frozen=True, slots=True)
class OpenedReport:
    """A report whose manifest was read. `folder` is its key prefix in the store's bucket."""

    store: EvidenceStore
    folder: str
    manifest: dict[str, Any]


def open_report(session: boto3.Session | None, settings: Settings, location: str) -> OpenedReport:
    """The report that a run made.

    Raises:
        ReportError: it is not in the configured bucket. EvidenceError: it cannot be read.
    """
    from dbadmin_assets.resources.evidence import EvidenceStore

    assert session is not None  # noqa: S101 - nothing runs here without one
    names = settings.required("bucket", "region")
    store = EvidenceStore(session, **names)
    folder = split_location(location, names["bucket"])
    return OpenedReport(store, folder, read_manifest(store, folder))


def read_manifest(store: EvidenceStore, folder: str) -> dict[str, Any]:
    """The manifest of a report.

    Args:
        folder: its key prefix, with or without the slash at the end.

    Raises:
        EvidenceError: it cannot be read, is not there, or is no manifest.
    """
    import json

    key = f"{folder.rstrip('/')}/{MANIFEST_NAME}"
    data = store.read(key)
    if data is None:
        raise EvidenceError(f"{store.url(key)} is not there: without it, the folder is no report")
    try:
        manifest = json.loads(data)
        if not isinstance(manifest["complete"], bool) or not isinstance(manifest["targets"], list):
            raise TypeError("not a manifest")
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceError(f"{store.url(key)} is not the manifest of a report ({error})") from error
    return dict(manifest)


def summarize(manifest: dict[str, Any], location: str, formats: Sequence[str] = ("csv",)) -> dict[str, Any]:
    """What `--json` prints of a report.

    Args:
        location: `s3://bucket/reports/…/`.
        formats: those that were asked for; the first is the one to open.
    """
    complete = manifest["complete"]
    names = {file["name"] for file in manifest["files"]}
    files = {format_: FILE_OF_FORMAT[format_] for format_ in formats}
    csv = next((file for file in manifest["files"] if file["name"] == CSV_NAME), None)
    return {
        "status": "complete" if complete else "incomplete",
        "complete": complete,
        "exit_code": EXIT_COMPLETE if complete else EXIT_INCOMPLETE,
        "collection_id": manifest["collectionId"],
        "report": location,
        "manifest": f"{location.rstrip('/')}/{MANIFEST_NAME}",
        "csv": f"{location.rstrip('/')}/{csv['name']}" if csv else None,
        "csv_sha256": csv["sha256"] if csv else None,
        "sequence": manifest["sequence"],
        "signed": manifest["signature"]["status"] == "signed",
        "retention": manifest["retention"],
        "outputs": {f: f"{location.rstrip('/')}/{name}" for f, name in files.items() if name in names},
        "compared_with": manifest["comparedWith"],
        "not_compared": manifest["notCompared"],
        "left_out": manifest.get("leftOut", []),  # reports from before there were any have none
        "started_at": manifest["startedAt"],
        "ended_at": manifest["endedAt"],
        "requested_by": sorted({request["requestedBy"] for request in manifest["requests"]}),
        "executed_by": sorted({request["executedBy"] for request in manifest["requests"]}),
        "scope": manifest["scope"],
        "population": manifest["population"],
        "counts": manifest["counts"],
        "accounts": list(_accounts(manifest)),
        "discovered": manifest.get("discovered"),  # None: from before there was one
        "failures": [f for f in _findings(manifest) if f["status"] == "failed"],
        "partial": [f for f in _findings(manifest) if f["status"] == "partial"],
    }


def _accounts(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for target in manifest["targets"]:
        blank = {"account_id": target["accountId"], "account_name": target["accountName"] or ""}
        numbers = dict.fromkeys(("targets", "databases", "users", "admins", "failed", "partial"), 0)
        row = rows.setdefault(target["accountId"], blank | numbers)
        row["targets"] += 1
        for database in target["databases"]:
            row["databases"] += 1
            row["users"] += database["users"]
            row["admins"] += database["admins"]
            if database["status"] != "complete":
                row[database["status"]] += 1
    yield from rows.values()


def _findings(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for target in manifest["targets"]:
        for database in target["databases"]:
            if database["status"] != "complete":
                yield {
                    "account_id": target["accountId"],
                    "region": target["region"],
                    "database": database["name"],
                    "status": database["status"],
                    "reason": database["reason"],
                    "detail": database["detail"],
                }


def print_summary(summary: dict[str, Any]) -> None:
    """The same for people; the verdict is its last line."""
    columns = ("account_id", "account_name", "targets", "databases", "users", "admins", "failed", "partial")
    heads = ("Account", "Name", "#Targets", "#Databases", "#Users", "#Admins", "#Failed", "#Partial")
    print_table(heads, ([row[column] for column in columns] for row in summary["accounts"]))
    for title, kind in (("Failed", "failures"), ("Partly visible", "partial")):
        if summary[kind]:
            say(f"{title}:")
        for item in summary[kind]:
            told = [text for text in (item["reason"], item["detail"]) if text]
            reason = f"{told[0]} ({told[1]})" if len(told) == 2 else told[0] if told else "see the report"
            say(f"  {item['account_id']} {item['region']} {item['database']}: {reason}")
    if summary["partial"]:
        say("  What to grant: `db-admin-report probe` on such a database prints it, `reader-grants` the whole script.")
    numbers, counts = summary["population"], summary["counts"]
    if not summary["scope"]["full"]:
        say("Scope: not the whole inventory, only what was asked for")
    say(
        f"Databases: {numbers['declared']} declared = {numbers['complete']} complete + {numbers['partial']} partial"
        f" + {numbers['failed']} failed + {numbers['excluded']} excluded"
    )
    say(f"Users: {counts['users']}, admins: {counts['admins']}")
    for line in _coverage(summary["discovered"]):
        say(line)
    for item in summary["left_out"]:
        say(f"Left out: {item['name']}: {item['reason']}")
    say(f"Changes: {_changes(summary)}")
    say(f"Sealed: number {summary['sequence']}, {'signed' if summary['signed'] else 'NOT SIGNED'}, {_kept(summary)}")
    say(f"Report: {next(iter(summary['outputs'].values()), None) or summary['csv'] or summary['report']}")
    click.secho("COMPLETE" if summary["complete"] else "INCOMPLETE", fg="green" if summary["complete"] else "yellow")


def _coverage(discovered: dict[str, Any] | None) -> Iterator[str]:
    """What AWS has that the inventory has not, and where that is not known."""
    from dbadmin_assets.review.coverage import OLDER_WORKER

    targets = discovered["targets"] if discovered else []
    looked = [target for target in targets if target["status"] in ("complete", "failed")]
    if discovered is None or not looked:
        older = any(target["reason"] == OLDER_WORKER for target in targets)
        yield "Not in the inventory: not known; " + (OLDER_WORKER if older else "worker.discover is off")
        return
    undeclared, gone = discovered["undeclared"], discovered["gone"]
    complete = sum(target["status"] == "complete" for target in looked)
    lost = f", {len(gone)} declared and gone" if gone else ""
    yield f"Not in the inventory: {len(undeclared)}{lost} (known in {complete} of {len(targets)} targets)"
    for found in undeclared:
        address = f"{found['host']}:{found['port']}" if found["port"] else found["host"] or "no address yet"
        yield f"  {found['accountId']} {found['region']} {found['identifier']}: {found['product']} at {address}"
    for found in gone:
        yield f"  {found['accountId']} {found['region']} {found['name']}: gone, RDS does not list {found['host']}"
    for target in looked:
        if target["status"] == "failed":
            yield f"  {target['accountId']} {target['region']}: not known, {target['reason']}"


def _changes(summary: dict[str, Any]) -> str:
    last = summary["compared_with"]
    if last is None:
        return str(summary["not_compared"])
    counts = ", ".join(f"{count} {kind}" for kind, count in last["counts"].items() if count)
    return f"{counts or 'none'} since {last['folder']} (changes.csv)"


def _kept(summary: dict[str, Any]) -> str:
    kept = summary["retention"]
    return f"NOT LOCKED ({kept['reason']})" if kept["reason"] else f"locked {kept['days']} days ({kept['mode']})"


def split_location(location: str, bucket: str) -> str:
    """The key prefix of `s3://bucket/prefix`.

    Raises:
        ReportError: it is in another bucket than the configured one.
    """
    start = f"s3://{bucket}/"
    if not location.startswith(start):
        raise ReportError(f"the report is at {location}, not in the bucket {bucket}", hint="check DBADMIN_BUCKET")
    return location.removeprefix(start)
