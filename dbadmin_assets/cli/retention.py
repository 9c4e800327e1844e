"""`retention`: until when evidence cannot be deleted, and how to keep a report longer; never how to keep it less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, print_table, say
from dbadmin_assets.cli.report_place import find_report, open_store
from dbadmin_assets.errors import EvidenceError
from dbadmin_assets.review.folder import MANIFEST_NAME

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.resources.retention import Kept

_ONE_DAY = timedelta(days=1)


@click.command("retention")
@click.argument("report", required=False)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD",
              help="Keep all of REPORT at least to the end of that day (UTC). It cannot be taken back.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True,
              help="Without REPORT: so many reports at most.")  # fmt: skip
@options.connection
@options.general
def retention_command(report: str | None, until: datetime | None, limit: int, as_json: bool, **given: Any) -> None:
    """What is kept until when: the bucket's rule and its reports, or every object of one REPORT.

    REPORT is s3://bucket/reports/…/ or `latest`. Its objects are its files, its link of the chain, and the workers'
    objects that its rows were made of. A date is only ever moved later.

    \b
    Examples:
      db-admin-report retention
      db-admin-report retention latest
      db-admin-report retention latest --until 2030-12-31
    """
    if until is not None and report is None:
        raise click.UsageError("--until needs REPORT: s3://bucket/reports/…/ or latest")
    store = open_store(given)
    if report is None:
        _show_reports(store, limit, as_json=as_json)
        return
    prefix, _ = find_report(store, report)
    objects = _of_report(store, prefix, until)
    if as_json:
        print_json({"report": store.url(prefix), "objects": [_told(store, item) for item in objects]})
        return
    print_table(("Kept until", "Mode", "Object"), ([_date(item), item.mode or "-", item.key] for item in objects))
    say(f"Report: {store.url(prefix)}, kept until {_least(objects)}")


def _show_reports(store: EvidenceStore, limit: int, *, as_json: bool) -> None:
    from dbadmin_assets.cli.history import list_reports
    from dbadmin_assets.resources.retention import bucket_lock, kept

    rule = bucket_lock(store)
    folders = [report["report"].removeprefix(store.url("")) for report in list_reports(store, limit)]
    found = kept(store, [(folder + MANIFEST_NAME, None) for folder in folders])
    if as_json:
        reports = [
            _told(store, item) | {"report": store.url(folder)} for folder, item in zip(folders, found, strict=True)
        ]
        print_json({"bucket": store.bucket, "rule": rule, "reports": reports})
        return
    told = f"NOT LOCKED: {rule['reason']}" if rule["reason"] else f"{rule['days']} days, {rule['mode']}"
    say(f"New objects of {store.bucket} are kept: {told}")
    rows = ([_date(item), item.mode or "-", store.url(folder)] for folder, item in zip(folders, found, strict=True))
    print_table(("Kept until", "Mode", "Report"), rows)


def _of_report(store: EvidenceStore, prefix: str, until: datetime | None) -> list[Kept]:
    """Every object of a report, kept longer first if that was asked for."""
    from dbadmin_assets.resources.retention import keep_longer, kept
    from dbadmin_assets.review.chain import link_key
    from dbadmin_assets.review.manifest_model import read_sealed

    data = store.read(prefix + MANIFEST_NAME)
    if data is None:
        raise EvidenceError(f"{store.url(prefix)}{MANIFEST_NAME} is not there: without it, the folder is no report")
    try:
        manifest = read_sealed(data)
    except ValueError as error:
        raise EvidenceError(f"{store.url(prefix)}{MANIFEST_NAME} is not the manifest of a report: {error}") from error
    objects: list[tuple[str, str | None]] = [(key, None) for key in store.keys(prefix)]
    objects.append((link_key(manifest.sequence), None))
    objects += [(t.object.key, t.object.version_id) for t in manifest.targets if t.object is not None]
    found = kept(store, objects)
    if until is None:
        return found
    return keep_longer(store, found, until.replace(tzinfo=UTC) + _ONE_DAY)


def _date(item: Kept) -> str:
    return f"{item.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if item.until else "NOT LOCKED"


def _least(objects: list[Kept]) -> str:
    """The date of what is kept shortest: the report is whole until then."""
    return _date(min(objects, key=lambda item: item.until or datetime.min.replace(tzinfo=UTC)))


def _told(store: EvidenceStore, item: Kept) -> dict[str, Any]:
    return {
        "object": store.url(item.key),
        "version_id": item.version_id,
        "mode": item.mode,
        "until": _date(item) if item.until else None,
    }
