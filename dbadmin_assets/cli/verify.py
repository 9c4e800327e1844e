"""`verify`: does an evidence folder, in the bucket or on this machine, still say what was sealed in it?"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, print_table, say
from dbadmin_assets.errors import EXIT_COMPLETE, EXIT_EVIDENCE_BROKEN, ConfigurationError, ReportError

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.review.verification import Finding

_MARKS = {"holds": "ok", "broken": "FAIL", "unchecked": "-"}


class LocalFolder:
    """A folder that was downloaded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Every file and link in it, hidden ones too."""
        entries = (entry for entry in self._path.rglob("*") if entry.is_symlink() or not entry.is_dir())
        return [entry.relative_to(self._path).as_posix() for entry in entries]

    def open(self, name: str) -> BinaryIO | None:
        """A file; None where there is none. A name of the manifest that leaves the folder is none."""
        path = self._path / name
        inside = path.resolve().is_relative_to(self._path.resolve())
        return path.open("rb") if inside and path.is_file() else None


class BucketFolder:
    """A folder in the evidence bucket; `prefix` ends with a slash."""

    def __init__(self, store: EvidenceStore, prefix: str) -> None:
        self._store, self._prefix = store, prefix

    def names(self) -> list[str]:
        """Every key below the prefix."""
        return [key.removeprefix(self._prefix) for key in self._store.keys(self._prefix)]

    def open(self, name: str) -> BinaryIO | None:
        """An object's bytes; None where there is none."""
        data = self._store.read(self._prefix + name)
        return None if data is None else io.BytesIO(data)


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
        store = _store(given)
        prefix, pinned = _latest(store) if report == "latest" else (_prefix(store, report), None)
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


def _store(given: dict[str, Any]) -> EvidenceStore:
    from dbadmin_assets.resources.credentials import aws_session, verified_caller
    from dbadmin_assets.resources.evidence import EvidenceStore

    settings = options.settings_from(given, "bucket", "region")
    session = aws_session(settings)
    verified_caller(session)
    return EvidenceStore(session, **settings.required("bucket", "region"))


def _prefix(store: EvidenceStore, url: str) -> str:
    from dbadmin_assets.cli.summary import split_location

    prefix = split_location(url, store.bucket).removesuffix("manifest.json")
    return f"{prefix.rstrip('/')}/"


def _latest(store: EvidenceStore) -> tuple[str, str]:
    """The folder that `latest.json` names, and the sha256 of its manifest."""
    from dbadmin_assets.resources.evidence import LATEST_KEY

    data = store.read(LATEST_KEY)
    if data is None:
        raise ReportError("there is no complete report of the full scope yet", hint="db-admin-report history lists all")
    try:
        pointer = json.loads(data)
        return str(pointer["folder"]), str(pointer["manifestSha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise ReportError(f"{store.url(LATEST_KEY)} cannot be understood ({type(error).__name__})") from error


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
