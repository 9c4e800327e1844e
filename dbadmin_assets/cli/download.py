"""`download`: a report's files on this machine, checked against its manifest; or links for who has no AWS access."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import console, note, print_json, safe, say
from dbadmin_assets.cli.report_place import BucketFolder, LocalFolder, find_report, open_store
from dbadmin_assets.errors import BrokenEvidenceError, EvidenceError, ReportError

if TYPE_CHECKING:
    from rich.progress import Progress

    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.review.verification import Folder

_LONGEST_HOURS = 168  # S3 takes no more


@click.command("download")
@click.argument("report", default="latest")
@click.option("--to", "directory", type=click.Path(file_okay=False, path_type=Path), default=".", metavar="DIR",
              help="Where to put the report's folder. [default: here]")  # fmt: skip
@click.option("--links", is_flag=True, help="Copy nothing; print a link to each file, for who has no AWS access.")
@click.option("--hours", type=click.IntRange(1, _LONGEST_HOURS), default=24, show_default=True,
              help="How long the links work.")  # fmt: skip
@options.connection
@options.general
def download_command(report: str, directory: Path, links: bool, hours: int, as_json: bool, **given: Any) -> None:
    """Copy a report to this machine and check that what came is what was sealed; exit 4 where it is not.

    REPORT is s3://bucket/reports/…/ as `history` prints it, `latest`, or an id: of the collection, of a run, its
    first 8 characters or more, or the folder's name.

    \b
    Examples:
      db-admin-report download --to ~/audit
      db-admin-report download s3://my-bucket/reports/2024/01/15/20240115T142233Z-1a2b3c4d/
      db-admin-report download --links --hours 8
    """
    store = open_store(given)
    prefix, pinned = find_report(store, report)
    if links:
        check_report(BucketFolder(store, prefix), store.url(prefix), prefix, pinned)
        made = {key.removeprefix(prefix): store.link(key, hours * 3600) for key in store.keys(prefix)}
        _print_links(made, store.url(prefix), hours, as_json=as_json)
        return
    files = fetch_report(store, prefix, directory.expanduser(), pinned_sha256=pinned)
    if as_json:
        print_json({"report": store.url(prefix), "files": files})
    else:
        for file in files:
            say(file)


def fetch_report(
    store: EvidenceStore, prefix: str, directory: Path, *, pinned_sha256: str | None = None, passing: bool = False
) -> list[str]:
    """Copy every file of a report into a folder of its own below a directory, and check it; the paths.

    Args:
        prefix: where it lies, as `report_folder` makes it.
        passing: the copy is not for keeps, so messages name the place in the bucket.

    Raises:
        BrokenEvidenceError: what came is not what was sealed.
        EvidenceError: a file cannot be read.
        ReportError: the folder cannot be written, or holds something else.
    """
    to = directory / prefix.rstrip("/").rsplit("/", 1)[-1]
    sizes = {key.removeprefix(prefix): size for key, size in store.sizes(prefix).items()}
    _refuse_strange_names(store.url(prefix), sizes, to)
    try:
        to.mkdir(parents=True, exist_ok=True)
        with _progress() as progress:
            for name, size in sizes.items():
                task = progress.add_task(safe(name), total=size)
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                store.download(prefix + name, to / name, partial(progress.advance, task))
    except OSError as error:
        raise ReportError(
            f"{to} cannot be written: {error.strerror}",
            hint=f"the report stays in the bucket: db-admin-report download {store.url(prefix)} --to DIR",
        ) from error
    check_report(LocalFolder(to), store.url(prefix) if passing else str(to), prefix, pinned_sha256)
    if not passing:
        note(f"Downloaded {len(sizes)} files to {to}")
    return [str(to / name) for name in sizes]


def _refuse_strange_names(place: str, names: Iterable[str], to: Path) -> None:
    """Nothing is written outside the folder, nor through a link in it, nor beside what is not of this report."""
    for name in names:
        if {"", ".", ".."} & set(name.split("/")):
            raise EvidenceError(f"{place}{name} is no name for a file of a report")
    if to.is_symlink() or (to.exists() and set(LocalFolder(to).names()) - set(names)):
        raise ReportError(f"{to} is there already and holds something else", hint="give another place: --to DIR")


def _progress() -> Progress:
    """Bars on a terminal, nothing elsewhere; names are no markup."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    out = console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, console=out, disable=not out.is_terminal)


def check_report(folder: Folder, where: str, prefix: str | None, pinned_sha256: str | None = None) -> None:
    """Hold a folder against its manifest.

    Args:
        where: what messages call it.
        prefix: its place in the bucket, or its name; None where it says nothing.

    Raises:
        BrokenEvidenceError: it is not what was sealed.
        EvidenceError: a file cannot be read.
    """
    from dbadmin_assets.review.verification import verify

    findings = list(verify(folder, None, place=prefix and prefix.rstrip("/"), pinned_sha256=pinned_sha256))
    if unread := [finding.detail for finding in findings if finding.verdict == "unread"]:
        raise EvidenceError("; ".join(unread))
    if broken := [f"{finding.subject}: {finding.detail}" for finding in findings if finding.verdict == "broken"]:
        hint = f"db-admin-report verify {where} lists every check"
        raise BrokenEvidenceError(f"{where} is not what was sealed: {'; '.join(broken)}", hint=hint)


def _print_links(links: dict[str, str], place: str, hours: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"report": place, "hours": hours, "links": links})
        return
    for name, link in links.items():
        say(name)
        say(f"  {link}")
    note(f"Whoever has a link can read that file for {hours} h, or until the credentials that made it expire.")
