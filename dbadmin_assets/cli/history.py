"""`history`: the reports in the evidence bucket, newest first, from their manifests."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, print_table, say
from dbadmin_assets.cli.report_place import open_store
from dbadmin_assets.errors import EvidenceError

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore

_MANIFEST = re.compile(r"reports/[0-9]{4}/[0-9]{2}/[0-9]{2}/(?P<name>[^/]+)/manifest\.json")


@click.command("history")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="So many at most.")
@options.connection
@options.general
def history_command(limit: int, as_json: bool, **given: Any) -> None:
    """The reports there are, newest first: when, who asked, scope, counts, where.

    \b
    Example:
      db-admin-report history --limit 5
    """
    store = open_store(given)
    reports = list_reports(store, limit)
    if as_json:
        print_json({"bucket": store.bucket, "reports": reports})
    elif not reports:
        say(f"There is no report in {store.bucket} yet.")
    else:
        _print(reports)


def list_reports(store: EvidenceStore, limit: int) -> list[dict[str, Any]]:
    """The newest reports. One that cannot be read, or is no link of the chain, is listed with the problem.

    Raises:
        EvidenceError: the bucket cannot be listed.
    """
    names = {key: found["name"] for key in store.keys("reports/") if (found := _MANIFEST.fullmatch(key))}
    newest = sorted(names, key=lambda key: names[key], reverse=True)[:limit]  # a name begins with its time
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(lambda key: _report(store, key.removesuffix("manifest.json")), newest))


def _report(store: EvidenceStore, folder: str) -> dict[str, Any]:
    from dbadmin_assets.cli.summary import read_manifest, summarize
    from dbadmin_assets.review.chain import link_key

    try:
        manifest = read_manifest(store, folder)
        summary = summarize(manifest, store.url(folder))
        link = store.read(link_key(manifest["sequence"]))
        if link is None or json.loads(link) != manifest:  # whoever may write the bucket may lay anything there
            problem = f"it is not {link_key(manifest['sequence'])} of the chain: not sealed by a report"
            return {"report": store.url(folder), "problem": problem}
    except EvidenceError as error:
        return {"report": store.url(folder), "problem": error.message}
    except (KeyError, TypeError, AttributeError, ValueError) as error:  # another schema version
        return {"report": store.url(folder), "problem": f"its manifest cannot be understood ({error!r})"}
    for long in ("accounts", "failures", "partial", "exit_code"):
        del summary[long]
    return summary


def _print(reports: list[dict[str, Any]]) -> None:
    rows = []
    for report in reports:
        if "problem" in report:
            rows.append(["", "", "", "", "NOT SEALED", "", "", "", "", "", report["report"]])
            continue
        scope, counts, numbers = report["scope"], report["counts"], report["population"]
        rows.append(
            [
                report["sequence"],
                report["ended_at"],
                ", ".join(report["requested_by"]),
                "full" if scope["full"] else ", ".join([*scope["accounts"], *scope["regions"]]) or "part",
                report["status"].upper(),
                numbers["declared"],
                counts["users"],
                counts["admins"],
                numbers["failed"],
                "yes" if report["signed"] else "no",
                report["report"],
            ]
        )
    heads = (
        "#No.", "Ended", "Requested by", "Scope", "Status", "#Databases", "#Users", "#Admins", "#Failed", "Signed",
        "Report",
    )  # fmt: skip
    print_table(heads, rows)
    for report in reports:
        if "problem" in report:
            say(f"{report['report']}: {report['problem']}")
