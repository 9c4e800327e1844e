"""`verify`: does an evidence folder, in the bucket or on this machine, still say what was sealed in it, and who did?"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, print_table, safe, say
from dbadmin_assets.cli.report_place import BucketFolder, LocalFolder, find_report, local_report, open_store
from dbadmin_assets.errors import EXIT_COMPLETE, EXIT_EVIDENCE_BROKEN, EXIT_REPORT_FAILED, DbAdminReportError
from dbadmin_assets.review.folder import is_report_folder

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.review.findings import Finding
    from dbadmin_assets.review.signature import Trust

_MARKS = {"holds": "ok", "broken": "FAIL", "unread": "?", "unchecked": "-"}


@click.command("verify")
@click.argument("report", default="latest")
@click.option(
    "--fingerprint", metavar="SHA256", help="Of the key that must have signed it. [DBADMIN_SIGNING_FINGERPRINT]"
)
@options.connection
@options.general
@click.pass_context
def verify_command(ctx: click.Context, /, report: str, fingerprint: str | None, as_json: bool, **given: Any) -> None:
    """Hold a report's manifest against itself, its signature and what lies in its folder.

    REPORT is s3://bucket/reports/…/, a downloaded folder, `latest`, or an id: of the collection, of a run, its first
    8 characters or more, or the folder's name. Of a report in the bucket the workers' objects behind it are checked,
    too, and the chain of manifests back to the first. The key is the one whose fingerprint is given, else KMS is
    asked for the configured signing_key; without either, what holds is only consistent with itself. Exit 4 where
    something does not hold, 1 where it could not be read.

    \b
    Examples:
      db-admin-report verify
      db-admin-report verify s3://my-bucket/reports/2024/01/15/20240115T142233Z-1a2b3c4d/
      db-admin-report verify ./20240115T142233Z-1a2b3c4d --fingerprint 3b1f…
    """
    from dbadmin_assets.review.verification import verify

    del given["verbose"]
    trust, unread = _trust(given, fingerprint)
    path = local_report(report)
    if path is None:
        store = open_store(given)
        prefix, pinned = find_report(store, report)
        place, folder, fetch = store.url(prefix), BucketFolder(store, prefix), partial(_fetched, store)
        findings = list(verify(folder, fetch, place=prefix.rstrip("/"), pinned_sha256=pinned, trust=trust))
    else:
        named = path.name if is_report_folder(f"reports/2024/01/01/{path.name}/") else None
        place, findings = str(path), list(verify(LocalFolder(path), None, place=named, trust=trust))
    findings += unread
    exit_code = _exit_code(findings)
    if as_json:
        print_json(_told(place, findings, exit_code, trust))
    else:
        _print(place, findings, exit_code, trust)
    ctx.exit(exit_code)


def _trust(given: dict[str, Any], fingerprint: str | None) -> tuple[Trust | None, list[Finding]]:
    """The key that must have signed: of the option, of the settings, of KMS; else why KMS did not tell, if asked."""
    from dbadmin_assets.review.findings import Finding
    from dbadmin_assets.review.signature import Trust

    settings = options.settings_from(given)
    if fingerprint is not None:
        fingerprint = fingerprint.lower().removeprefix("sha256:").replace(":", "")
        if not re.fullmatch("[0-9a-f]{64}", fingerprint):
            raise click.BadParameter("64 hex digits, as `verify` prints them", param_hint="--fingerprint")
        return Trust("the fingerprint that was given", fingerprint), []
    if settings.signing_fingerprint:
        return Trust("the fingerprint of the settings", settings.signing_fingerprint), []
    if settings.signing_key is None:
        return None, []
    from dbadmin_assets.resources.credentials import aws_session
    from dbadmin_assets.resources.signing import open_signer

    try:
        signer = open_signer(aws_session(settings), settings)
    except DbAdminReportError as error:
        return None, [Finding("signing key", "unread", error.message)]
    return (signer.trust() if signer else None), []


def _exit_code(findings: list[Finding]) -> int:
    verdicts = {finding.verdict for finding in findings}
    if "broken" in verdicts:
        return EXIT_EVIDENCE_BROKEN
    return EXIT_REPORT_FAILED if "unread" in verdicts else EXIT_COMPLETE


def _fetched(store: EvidenceStore, key: str, version_id: str | None) -> bytes | None:
    found = store.fetch(key, version_id)
    return found[0] if found else None


def _told(place: str, findings: list[Finding], exit_code: int, trust: Trust | None) -> dict[str, Any]:
    return {
        "report": place,
        "holds": exit_code == EXIT_COMPLETE,
        "exit_code": exit_code,
        "self_consistent_only": trust is None,
        "signed_with": trust.fingerprint if trust and exit_code != EXIT_EVIDENCE_BROKEN else None,
        "findings": [{"subject": f.subject, "verdict": f.verdict, "detail": f.detail} for f in findings],
    }


def _print(place: str, findings: list[Finding], exit_code: int, trust: Trust | None) -> None:
    print_table(("", "Checked", "Detail"), ([_MARKS[f.verdict], f.subject, f.detail] for f in findings))
    say(f"Report: {place}")
    if exit_code == EXIT_EVIDENCE_BROKEN:
        click.secho(f"DOES NOT HOLD: {sum(f.verdict == 'broken' for f in findings)} of {len(findings)}", fg="red")
    elif exit_code == EXIT_REPORT_FAILED:
        click.secho(f"NOT VERIFIED: {sum(f.verdict == 'unread' for f in findings)} could not be read", fg="red")
    elif trust is None:
        click.secho("HOLDS, self-consistent only: no key is known that must have signed it", fg="green")
    else:
        click.secho(f"HOLDS, signed with the key of {safe(trust.source)}", fg="green")
