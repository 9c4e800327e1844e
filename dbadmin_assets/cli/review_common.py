"""What the commands of `review` share: files of this machine, and how a review is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli.output import note, say
from dbadmin_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from dbadmin_assets.cli.review_report import OpenReport
    from dbadmin_assets.review.attestation_model import Attestation

_MOST_READ = 128 << 20
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def read_file(path: Path) -> bytes:
    """A file that the user named; of one that is too large to be right, no more than shows that it is.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(_MOST_READ)
    except OSError as error:
        raise ConfigurationError([f"{path} cannot be read: {error.strerror}"]) from error


def note_unseen(opened: OpenReport) -> None:
    """Say of which databases the report may not know every administrator."""
    if opened.unseen:
        known = f"of {len(opened.unseen)} databases not every administrator is known"
        note(f"INCOMPLETE: {known}: {'; '.join(opened.unseen)}")


def summary(attestation: Attestation) -> dict[str, Any]:
    """What `--json` prints of an attestation."""
    import msgspec

    return {
        "counts": msgspec.to_builtins(attestation.counts),
        "reviewers": attestation.reviewers,
        "imported_at": attestation.imported_at,
        "executed_by": attestation.executed_by,
        "requested_by": attestation.requested_by,
        "signature": msgspec.to_builtins(attestation.signature),
    }


def say_decisions(told: dict[str, Any]) -> None:
    """The same for people."""
    counts, signature = told["counts"], told["signature"]
    parts = " + ".join(f"{counts[decision]} {decision}" for decision in ("keep", "remove", "change"))
    say(f"Decisions: {counts['administrators']} administrators = {parts}")
    say(f"Reviewers: {', '.join(told['reviewers'])}")
    say(f"Imported: {told['imported_at']} by {told['executed_by'] or told['requested_by'] + ' (asserted)'}")
    say(f"Signature: {signature['keyArn'] if signature['status'] == 'signed' else 'none, ' + signature['reason']}")
