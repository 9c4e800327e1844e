"""`verify`: does an evidence folder, in the bucket or on this machine, still say what was sealed in it?"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, print_table, say
from dbadmin_assets.cli.report_place import BucketFolder, LocalFolder, find_report, open_store
from dbadmin_assets.errors import EXIT_COMPLETE, EXIT_EVIDENCE_BROKEN, EXIT_REPORT_FAILED
from dbadmin_assets.review.folder import MANIFEST_NAME, is_report_folder

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.review.verification import Finding

_MARKS = {"holds": "ok", "broken": "FAIL", "unread": "?", "unchecked": "-"}


@click.command("verify")
@click.argument("report", default="latest")
@options.connection
@options.general
@click.pass_context
def verify_command(ctx: click.Context, /, report: str, as_json: bool, **given: Any) -> None:
    """Hold a report's manifest against itself and against what lies in its folder.

    REPORT is s3://bucket/reports/…/, a downloaded folder, or `latest`. Of a report in the bucket the workers'
    objects behind it are checked, too. Exit 4 where something does not hold, 1 where it could not be read.

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
        place, folder, fetch = store.url(prefix), BucketFolder(store, prefix), partial(_fetched, store)
        findings = list(verify(folder, fetch, place=prefix.rstrip("/"), pinned_sha256=pinned))
    else:
        path = _local_folder(report)
        named = path.name if is_report_folder(f"reports/2024/01/01/{path.name}/") else None
        place, findings = str(path), list(verify(LocalFolder(path), None, place=named))
    exit_code = _exit_code(findings)
    if as_json:
        print_json(_told(place, findings, exit_code))
    else:
        _print(place, findings, exit_code)
    ctx.exit(exit_code)


def _local_folder(report: str) -> Path:
    path = Path(report).expanduser()
    path = path.parent if path.name == MANIFEST_NAME else path
    if not report or not path.is_dir():
        raise click.BadParameter(
            f"there is no folder {report!r}; give s3://…, a folder, or latest", param_hint="REPORT"
        )
    return path


def _exit_code(findings: list[Finding]) -> int:
    verdicts = {finding.verdict for finding in findings}
    if "broken" in verdicts:
        return EXIT_EVIDENCE_BROKEN
    return EXIT_REPORT_FAILED if "unread" in verdicts else EXIT_COMPLETE


def _fetched(store: EvidenceStore, key: str, version_id: str | None) -> bytes | None:
    found = store.fetch(key, version_id)
    return found[0] if found else None


def _told(place: str, findings: list[Finding], exit_code: int) -> dict[str, Any]:
    return {
        "report": place,
        "holds": exit_code == EXIT_COMPLETE,
        "exit_code": exit_code,
        "self_consistent_only": True,
        "findings": [{"subject": f.subject, "verdict": f.verdict, "detail": f.detail} for f in findings],
    }


def _print(place: str, findings: list[Finding], exit_code: int) -> None:
    print_table(("", "Checked", "Detail"), ([_MARKS[f.verdict], f.subject, f.detail] for f in findings))
    say(f"Report: {place}")
    if exit_code == EXIT_EVIDENCE_BROKEN:
        click.secho(f"DOES NOT HOLD: {sum(f.verdict == 'broken' for f in findings)} of {len(findings)}", fg="red")
    elif exit_code == EXIT_REPORT_FAILED:
        click.secho(f"NOT VERIFIED: {sum(f.verdict == 'unread' for f in findings)} could not be read", fg="red")
    else:
        click.secho("HOLDS, self-consistent only: the manifest is not signed", fg="green")
