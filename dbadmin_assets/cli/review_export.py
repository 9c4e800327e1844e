"""`review export`: a report's administrators as a sheet to fill in, or the access file of compliance tools."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import note, print_json, say
from dbadmin_assets.cli.review_common import FILE, note_unseen, read_file
from dbadmin_assets.errors import ConfigurationError, ReportError

if TYPE_CHECKING:
    from dbadmin_assets.cli.review_report import OpenReport
    from dbadmin_assets.cli.review_store import Stored
    from dbadmin_assets.review.access_review.cells import SheetRow
    from dbadmin_assets.review.access_review.owners import Owners


@click.command("export")
@click.argument("report", default="latest")
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE",
              help="The file to make: .xlsx, or .csv.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["sheet", "grc"]), default="sheet", show_default=True,
              help="A sheet to fill in, or the access file (.csv) that compliance tools import.")  # fmt: skip
@click.option("--owners", type=FILE, metavar="FILE",
              help="CSV with account_id,region,database,username,owner: who answers for which account.")  # fmt: skip
@click.option("--previous", type=FILE, metavar="FILE",
              help="The attestation to take decisions from. [default: the newest in the bucket]")  # fmt: skip
@click.option("--no-previous", is_flag=True, help="Begin with empty decisions.")
@click.option("--admins-only", is_flag=True, help="With --format grc: administrators only.")
@options.connection
@options.general
def export_command(report: str, target: Path, form: str, as_json: bool, **given: Any) -> None:
    """Write the administrators of a report into a file. The report is verified first: exit 4 where it does not hold.

    REPORT is s3://bucket/reports/…/, a downloaded folder, `latest`, or an id, as for `verify`.

    \b
    Examples:
      db-admin-report review export --to review.xlsx --owners owners.csv
      db-admin-report review export --format grc --to access.csv
    """
    from dbadmin_assets.cli.review_report import open_report

    _check_usage(target, form, given)
    owners = _owners(given["owners"])
    opened = open_report(given, report)
    if form == "grc":
        told = _write_grc(opened, target, owners, admins_only=given["admins_only"])
    else:
        told = _write_sheet(opened, target, owners, _previous(opened, given))
    if owners and owners.unused:
        note(f"Owners file: nobody here is meant by line {', '.join(map(str, sorted(owners.unused)))}")
    note_unseen(opened)
    if as_json:
        sealed = {"complete": opened.manifest.complete, "unseen": opened.unseen}
        print_json(
            {"report": opened.place, "manifest_sha256": opened.manifest_sha256, "file": str(target)} | sealed | told
        )
        return
    say(f"Report: {opened.place}")
    counted = (f"{value} {name.replace('_', ' ')}" for name, value in told.items() if isinstance(value, int))
    say(f"{target}: {', '.join(counted)}")
    if told.get("previous"):
        say(f"Pre-filled from {told['previous']}: each decision still needs a reviewer and a date")


def _check_usage(target: Path, form: str, given: dict[str, Any]) -> None:
    if target.suffix.lower() not in ((".csv",) if form == "grc" else (".xlsx", ".csv")):
        raise click.BadParameter(
            f"{target} must end with .csv{'' if form == 'grc' else ' or .xlsx'}", param_hint="--to"
        )
    if given["previous"] and given["no_previous"]:
        raise click.UsageError("--previous and --no-previous do not go together")
    if form == "grc" and given["previous"]:
        raise click.UsageError("--previous is for sheets: the access file has no decisions")
    if form != "grc" and given["admins_only"]:
        raise click.UsageError("a sheet has administrators only: --admins-only is for --format grc")
    if target.exists():
        raise ConfigurationError(
            [f"{target} is there already"], hint="somebody may have filled it in: give another name"
        )


def _owners(path: Path | None) -> Owners | None:
    if path is None:
        return None
    from dbadmin_assets.review.access_review.owners import read_owners

    return read_owners(read_file(path))


def _previous(opened: OpenReport, given: dict[str, Any]) -> Stored | None:
    """The attestation that decisions are taken from."""
    from dbadmin_assets.cli.review_store import Stored, newest
    from dbadmin_assets.review.attestation_model import read_attestation

    if given["no_previous"]:
        return None
    if given["previous"] is None:
        return newest(opened)
    try:
        return Stored(str(given["previous"]), "", read_attestation(read_file(given["previous"])))
    except ValueError as error:
        raise ConfigurationError([f"--previous: {given['previous']} is not an attestation: {error}"]) from error


def _write_sheet(opened: OpenReport, target: Path, owners: Owners | None, previous: Stored | None) -> dict[str, Any]:
    from dbadmin_assets.review.access_review.prefill import sheet_rows
    from dbadmin_assets.review.access_review.sheet_files import MOST_XLSX_ROWS, Origin, csv_lines, write_xlsx

    attested = previous.attestation if previous else None
    rows = sheet_rows(opened.manifest_sha256, opened.administrators, owners=owners, previous=attested)
    if target.suffix.lower() == ".csv":
        _write(target, csv_lines(rows))
    elif len(rows) > MOST_XLSX_ROWS:
        raise ConfigurationError(
            [f"{len(rows):,} administrators: an .xlsx takes {MOST_XLSX_ROWS:,}"], hint="--to a .csv"
        )
    else:
        _write(target, [])  # that the place can be written, and is nobody's
        origin = Origin(opened.key_prefix, opened.manifest_sha256, opened.manifest.ended_at, tuple(opened.unseen))
        write_xlsx(target, rows, origin)
    return _counted(rows) | {"previous": previous.key if previous else None}


def _counted(rows: list[SheetRow]) -> dict[str, Any]:
    decided = sum(bool(row.prefilled.decision) for row in rows)
    changed = sum(bool(row.prefilled.comment) and not row.prefilled.decision for row in rows)
    owned = sum(bool(row.prefilled.owner) for row in rows)
    return {"administrators": len(rows), "with_owner": owned, "decided_before": decided, "changed_since": changed}


def _write_grc(opened: OpenReport, target: Path, owners: Owners | None, *, admins_only: bool) -> dict[str, Any]:
    from dbadmin_assets.review.access_review.grc import grc_lines

    rows = opened.administrators if admins_only else opened.principals
    named = {row: (owners.of(row) if owners else None) or row.owner for row in rows}
    _write(target, grc_lines(rows, named.__getitem__))
    return {"accounts": len(rows), "administrators": len(opened.administrators)}


def _write(path: Path, parts: Iterable[bytes]) -> None:
    """A new file; never over one that is there."""
    try:
        with path.open("xb") as file:
            file.writelines(parts)
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror}") from error
