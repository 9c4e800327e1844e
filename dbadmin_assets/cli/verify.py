"""`verify`: does an evidence folder, in the bucket or on this machine, still say what was sealed in it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, print_table, say
from dbadmin_assets.cli.report_place import BucketFolder, LocalFolder, find_report, open_store
from dbadmin_assets.errors import EXIT_COMPLETE, EXIT_EVIDENCE_BROKEN, ConfigurationError

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.review.verification import Finding

_MARKS = {"holds": "ok", "broken": "FAIL", "unchecked": "-"}


@click.command("verify")
@click.argument("report", default="latest")
@options.connection
@options.general
@click.pass_context
def verify_command(ctx: click.Context, /, report: str, as_json: bool, **given: Any) -> None:
    """Hold every claim of a report's manifest against what lies in its folder.

    REPORT is s3://bucket/reports/…/, a downloaded folder, or `latest`. Of a report in the bucket the workers'
    objects behind it are checked, too. Exit 4 where something does not hold, and what.

    \b
    Examples:
      db-admin-report verify
      db-admin-report verify s3://my-bucket/reports/2024/01/15/20240115T142233Z-1a2b3c4d/
      db-admin-report verify ./20240115T142233Z-1a2b3c4d
    """
    from dbadmin_assets.review.verification import verify

    del given["verbose"]
    if report == "latest" or report.startswith("s3://"):
        store = open_store(given)
        prefix, pinned = find_report(store, report)
        place, folder = store.url(prefix), BucketFolder(store, prefix)
        findings = list(verify(folder, lambda key, version: _fetched(store, key, version), pinned_sha256=pinned))
    else:
        path = Path(report)
        if not path.is_dir():
            raise ConfigurationError([f"there is no folder {report}"], hint="give s3://…, a folder, or `latest`")
        place, findings = str(path), list(verify(LocalFolder(path), None))
    broken = [finding for finding in findings if finding.verdict == "broken"]
    if as_json:
        print_json(_told(place, findings, broken))
    else:
        _print(place, findings, broken)
    ctx.exit(EXIT_EVIDENCE_BROKEN if broken else EXIT_COMPLETE)


def _fetched(store: EvidenceStore, key: str, version_id: str | None) -> bytes | None:
    found = store.fetch(key, version_id)
    return found[0] if found else None


def _told(place: str, findings: list[Finding], broken: list[Finding]) -> dict[str, Any]:
    return {
        "report": place,
        "holds": not broken,
        "exit_code": EXIT_EVIDENCE_BROKEN if broken else EXIT_COMPLETE,
        "self_consistent_only": True,
        "findings": [{"subject": f.subject, "verdict": f.verdict, "detail": f.detail} for f in findings],
    }


def _print(place: str, findings: list[Finding], broken: list[Finding]) -> None:
    print_table(("", "Checked", "Detail"), ([_MARKS[f.verdict], f.subject, f.detail] for f in findings))
    say(f"Report: {place}")
    if broken:
        click.secho(f"DOES NOT HOLD: {len(broken)} of {len(findings)}", fg="red")
    else:
        click.secho("HOLDS, self-consistent only: the manifest is not signed", fg="green")
