"""`inventory discover`: what runs in AWS and is not in the inventory, and entries for it to be finished by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import note, print_json, print_table, say
from dbadmin_assets.errors import EXIT_COMPLETE, EXIT_INCOMPLETE, EvidenceError, ReportError

if TYPE_CHECKING:
    import boto3

    from dbadmin_assets.config import Settings
    from dbadmin_assets.inventory import Target
    from dbadmin_assets.review.manifest_model import Discovered


@dataclass(frozen=True, slots=True)
class Looked:
    """The answers, in the form of the manifest's section, and where they are from."""

    discovered: Discovered
    source: str


@click.command("discover")
@options.scope
@click.option(
    "--from-report", "report", is_flag=False, flag_value="latest", metavar="[REPORT]",
    help="Ask no worker, take what a report found. [latest, if none is named]",
)  # fmt: skip
@click.option(
    "--write",
    "file",
    metavar="FILE",
    help="Write the entries to a new file; - is standard output. Nothing is overwritten.",
)
@options.connection
@options.general
@click.pass_context
def discover_command(
    ctx: click.Context, /, accounts: tuple[str, ...], regions: tuple[str, ...], report: str | None, file: str | None,
    as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """List the databases that run and that the inventory does not have, and draft entries for them.

    Asks the worker of each target; that takes what `worker.discover` takes. What is declared or excluded is left out.
    Exit code 3 where a target could not be asked for all of it.

    \b
    Examples:
      db-admin-report inventory discover --write new.yaml
      db-admin-report inventory discover --from-report --json
    """
    from dbadmin_assets.inventory_draft import draft
    from dbadmin_assets.resources.credentials import aws_session
    from dbadmin_assets.resources.inventory_source import read_inventory

    if as_json and file == "-":
        raise click.UsageError("--json has the draft already; --write - would print two documents")
    if file not in (None, "-") and Path(file).exists():
        raise click.BadParameter(f"{file} exists; nothing is overwritten", param_hint="--write")
    settings = options.settings_from(given, "inventory")
    session = aws_session(settings)
    inventory = read_inventory(settings.required("inventory")["inventory"], lambda: session)
    targets = inventory.targets(accounts, regions)
    looked = _of_report(given, report, targets) if report else _ask(settings, session, targets)
    made = draft(_unknown(looked.discovered), inventory.targets())
    if as_json:
        told = _as_json(looked.discovered) | {"source": looked.source, "draft": made.text, "left_out": made.left_out}
        print_json(told)
    elif file != "-":
        _show(looked)
    for sentence in made.left_out:
        note(f"Not drafted: {sentence}")
    _tell_addresses(targets, report)
    if file is not None:
        _write(file, made.text)
    ctx.exit(EXIT_COMPLETE if looked.discovered.complete else EXIT_INCOMPLETE)


def _ask(settings: Settings, session: boto3.Session, targets: tuple[Target, ...]) -> Looked:
    """What the workers say now."""
    import uuid

    from dbadmin_assets.discovering import look
    from dbadmin_assets.resources.accounts import AwsAccounts
    from dbadmin_assets.resources.credentials import verified_caller
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.resources.worker import Limits, WorkerLambda
    from dbadmin_assets.review.coverage import discovered

    names = settings.required("bucket", "region")
    verified_caller(session)
    collection_id = f"discover-{uuid.uuid4()}"
    accounts = AwsAccounts(session, run_id=collection_id, max_connections=settings.max_concurrency)
    store = EvidenceStore(session, **names)
    limits = Limits(
        attempt_timeout_seconds=settings.attempt_timeout_seconds,
        target_timeout_seconds=settings.target_timeout_seconds,
        max_per_account=settings.max_per_account,
    )
    worker = WorkerLambda(accounts, store, bucket_region=names["region"], limits=limits)
    note(f"Asking {len(targets)} workers what runs …")
    answers = look(worker, store, targets, collection_id=collection_id, limit=settings.max_concurrency)
    found = sorted(answers, key=lambda pair: pair[0].key)
    return Looked(_section(discovered(found)), "asked now")


def _of_report(given: dict[str, Any], report: str, targets: tuple[Target, ...]) -> Looked:
    """What a report found, without what has been declared since."""
    import msgspec

    from dbadmin_assets.cli.report_place import find_report, open_store
    from dbadmin_assets.cli.summary import read_manifest
    from dbadmin_assets.review.coverage import is_known, known_addresses

    store = open_store(given)
    folder, _ = find_report(store, report)
    said = read_manifest(store, folder).get("discovered")
    if said is None:
        raise ReportError(
            f"{store.url(folder)} is from before reports said what runs", hint="run it without --from-report"
        )
    section = _section(said)
    declared = {
        (t.account_id, t.region): known_addresses((d.host, d.port) for d in (*t.databases, *t.excluded))
        for t in targets
    }
    unknown = [
        item
        for item in section.undeclared
        if (place := (item.account_id, item.region)) in declared and not is_known(item, declared[place])
    ]
    places = [target for target in section.targets if (target.account_id, target.region) in declared]
    complete = len(places) == len(declared) and all(target.status == "complete" for target in places)
    kept = msgspec.structs.replace(section, undeclared=unknown, targets=places, complete=complete, gone=[])
    return Looked(kept, store.url(folder))


def _section(said: object) -> Discovered:
    import msgspec

    from dbadmin_assets.review.manifest_model import Discovered

    try:
        return msgspec.convert(said, Discovered)
    except msgspec.ValidationError as error:
        raise EvidenceError(f"what the report says of discovery cannot be understood: {error}") from error


def _unknown(discovered: Discovered) -> list[Any]:
    from dbadmin_assets.inventory_draft import Unknown

    return [
        Unknown(item.account_id, item.region, item.identifier, item.engine, item.host, item.port)
        for item in discovered.undeclared
    ]


def _as_json(discovered: Discovered) -> dict[str, Any]:
    names = ("account_id", "region", "status", "reason", "found", "known")
    more = ("account_id", "region", "identifier", "engine", "product", "state", "host", "port")
    return {
        "complete": discovered.complete,
        "targets": [{name: getattr(target, name) for name in names} for target in discovered.targets],
        "undeclared": [{name: getattr(item, name) for name in more} for item in discovered.undeclared],
    }


def _show(looked: Looked) -> None:
    found = looked.discovered
    if found.undeclared:
        rows = [
            [
                item.account_id,
                item.region,
                item.identifier,
                item.product,
                f"{item.host}:{item.port}" if item.port else item.host or "none yet",
                item.state,
            ]
            for item in found.undeclared
        ]
        print_table(("Account", "Region", "Identifier", "Product", "Address", "State"), rows)
    complete = sum(target.status == "complete" for target in found.targets)
    known = f"known in {complete} of {len(found.targets)} targets"
    say(f"{len(found.undeclared)} not in the inventory, {known} ({looked.source})")
    for target in found.targets:
        if target.status != "complete":
            say(
                f"  {target.account_id} {target.region}: {target.status}{f', {target.reason}' if target.reason else ''}"
            )


def _tell_addresses(targets: tuple[Target, ...], report: str | None) -> None:
    """Without a connection nobody knows where a database is whose secret alone has its address."""
    hidden = sum(d.host is None for t in targets for d in t.databases)
    if hidden:
        why = "" if report else "; a report that looks knows them (--from-report)"
        note(f"{hidden} declared databases have their address in the secret: one listed above may be theirs{why}")


def _write(file: str, text: str) -> None:
    """A new file, or standard output; nothing to write makes no file.

    Raises:
        ReportError: the file cannot be made.
    """
    if not text:
        note("Nothing to draft: no file was written" if file != "-" else "Nothing to draft")
    elif file == "-":
        click.echo(text, nl=False)
    else:
        try:
            with Path(file).open("x", encoding="utf-8", newline="\n") as out:
                out.write(text)
        except OSError as error:
            raise ReportError(f"{file} cannot be written: {error.strerror}") from error
        note(f"Wrote {file}: give each entry its secret, then merge it into the inventory")
