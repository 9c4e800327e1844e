"""`diff`: what changed between two reports, each checked before anything is said about it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.diff_places import PREVIOUS, Place, Places
from dbadmin_assets.cli.output import note, print_json, print_table, say
from dbadmin_assets.errors import EXIT_COMPLETE, EXIT_INCOMPLETE, ReportError
from dbadmin_assets.review.folder import PARQUET_NAME

if TYPE_CHECKING:
    from dbadmin_assets.review.diff import Comparison, PrincipalChange

EXIT_CHANGED = EXIT_INCOMPLETE  # there is something to look at, as where a report is incomplete
_MOST_SHOWN = 1000
_DATABASE_HEADS = ("Databases", "Account", "Region", "Database", "Note")
_PRINCIPAL_HEADS = ("Principals", "Account", "Region", "Database", "User", "Tier", "Rights", "Status", "Note")


@click.command("diff")
@click.argument("before", required=False)
@click.argument("after", required=False)
@click.option("--only", type=options.Names(), metavar="KIND,…", help="Only changes of these kinds, such as "
              "added,escalated,database-failed; docs/diff.md lists them.")  # fmt: skip
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE",
              help="Write the changes as CSV; - is standard output.")  # fmt: skip
@click.option("--exit-code", is_flag=True, help="Exit 3 where something changed, for scripts.")
@options.connection
@options.general
@click.pass_context
def diff_command(
    ctx: click.Context, /, before: str | None, after: str | None, only: tuple[str, ...] | None, csv_file: str | None,
    exit_code: bool, as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """What changed from the report BEFORE to the report AFTER: principals, databases.

    Each is s3://bucket/reports/…/, a downloaded folder, `latest`, `previous` (the newest one before the other that has
    its scope), or an id: of the collection, of a run, its first 8 characters or more, or the folder's name. Without
    any: previous latest. One alone is AFTER. Both are checked first; exit 4 where one is not what was sealed.

    \b
    Examples:
      db-admin-report diff
      db-admin-report diff 20240108T142233Z-9f8e7d6c latest --only added,escalated
      db-admin-report diff ./20240108T142233Z-9f8e7d6c ./20240115T142233Z-1a2b3c4d --csv changes.csv
      db-admin-report diff --exit-code --json > changes.json
    """
    from dbadmin_assets.review.diff import Sealed, compare

    _refuse_wrong_use(only, csv_file, as_json=as_json)
    if after is None:
        before, after = PREVIOUS, before or "latest"
    with tempfile.TemporaryDirectory(prefix="db-admin-report-diff-") as temporary:
        old, new = Places(given, Path(temporary)).both(before or "", after)
        found = compare(*(Sealed(place.manifest, place.folder / PARQUET_NAME) for place in (old, new)))
    shown = found.only(only) if only else found
    code = EXIT_CHANGED if exit_code and shown.changed else EXIT_COMPLETE
    if csv_file:
        _write_csv(csv_file, shown, _sentences(old, new))
    if as_json:
        print_json(_told(shown, old, new, only, code))
    elif csv_file != "-":
        _print(shown, _sentences(old, new), tables=csv_file is None)
    ctx.exit(code)


def _refuse_wrong_use(only: tuple[str, ...] | None, csv_file: str | None, *, as_json: bool) -> None:
    from dbadmin_assets.review.diff import KINDS

    if unknown := [kind for kind in only or () if kind not in KINDS]:
        raise click.BadParameter(f"{', '.join(unknown)}: known are {', '.join(KINDS)}", param_hint="--only")
    if as_json and csv_file == "-":
        raise click.UsageError("--json and --csv - both want standard output; give --csv a file")


def _sentences(old: Place, new: Place) -> list[str]:
    """What was compared with what, and what a reader must know of that."""
    told = [f"{new.name} of {new.manifest.ended_at} compared with {old.name} of {old.manifest.ended_at}"]
    if old.manifest.ended_at > new.manifest.ended_at:
        told.append("BEFORE is the newer one of the two")
    return told


def _write_csv(name: str, comparison: Comparison, sentences: list[str]) -> None:
    from dbadmin_assets.review.diff import rows, write_csv

    table = rows(comparison, note="; ".join(sentences))
    try:
        with click.open_file(name if name == "-" else str(Path(name).expanduser()), "wb") as out:
            write_csv(out, table)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ReportError(f"{name} cannot be written: {error.strerror}") from error
    if name != "-":
        note(f"Wrote {name}")


def _told(comparison: Comparison, old: Place, new: Place, only: tuple[str, ...] | None, code: int) -> dict[str, Any]:
    from dbadmin_assets.review.diff import as_json

    sides = {
        side: {
            "report": place.name,
            "collection_id": place.manifest.collection_id,
            "ended_at": place.manifest.ended_at,
            "complete": place.manifest.complete,
            "manifest_sha256": place.sha256,
        }
        for side, place in (("before", old), ("after", new))
    }
    return {**sides, "exit_code": code, "only": list(only or ()), **as_json(comparison)}


def _print(comparison: Comparison, sentences: list[str], *, tables: bool) -> None:
    from dbadmin_assets.review.diff import cautions, database_note, summary, words

    lines = [(", ".join(map(words, change.kinds)), change.pair) for change in comparison.databases]
    lines += [("not compared", pair) for pair in comparison.not_compared]
    if tables and lines:
        print_table(_DATABASE_HEADS, ([kinds, *pair.named.key, database_note(pair)] for kinds, pair in lines))
        say()
    if tables and comparison.principals:
        print_table(_PRINCIPAL_HEADS, (list(_row(change)) for change in comparison.principals[:_MOST_SHOWN]))
        if more := len(comparison.principals[_MOST_SHOWN:]):
            say(f"… and {more} more; --csv and --json have all")
        say()
    for sentence in (*cautions(comparison), *sentences):
        say(sentence)
    say(summary(comparison))


def _row(change: PrincipalChange) -> Iterator[str]:
    from dbadmin_assets.review.diff import principal_note, words

    yield ", ".join(map(words, change.kinds))
    yield from change.pair.named.key
    yield change.named.username
    yield _both(change, "tier")
    role, level = _both(change, "role_name"), _both(change, "permission_level")
    yield f"{role} ({level})" if "rights-changed" in change.kinds and " → " in level else role
    yield _both(change, "user_status")
    excluded = ["excluded by policy"] if change.excluded else []
    yield "; ".join([*excluded, *filter(None, [principal_note(change)])])


def _both(change: PrincipalChange, name: str) -> str:
    """`none → 0`; once where it is the same, or only one report has it."""
    values = [str(getattr(side, name)) for side in (change.before, change.after) if side]
    return " → ".join(dict.fromkeys(values))
