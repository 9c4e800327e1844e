"""What `generate` finds out before there is a run: credentials, inventory, scope, bucket.

For a run on this machine each of them must hold. A deployed Dagster has its own settings and credentials: then
they are looked at where this machine has access, and what was not looked at is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbadmin_assets.cli.output import note
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import CredentialsError, InventoryError, ReportError

if TYPE_CHECKING:
    import boto3

    from dbadmin_assets.inventory import Inventory, Target


@dataclass(frozen=True, slots=True)
class Checked:
    """What this machine could see.

    Attributes:
        session: None where AWS does not let this machine in.
        inventory, targets: None where the inventory was not read here.
    """

    session: boto3.Session | None
    inventory: Inventory | None
    targets: tuple[Target, ...] | None


def check_here(settings: Settings, accounts: Sequence[str], regions: Sequence[str]) -> Checked:
    """For a run on this machine: all must hold.

    Raises:
        DbAdminReportError: for the first that does not.
    """
    from dbadmin_assets.resources.signing import open_signer

    session = _session(settings)
    found = _scope(session, settings, accounts, regions)
    _bucket(session, settings)
    open_signer(session, settings)
    return found


def check_where_possible(
    settings: Settings, accounts: Sequence[str], regions: Sequence[str], *, must_read: bool
) -> Checked:
    """For a run elsewhere.

    Args:
        must_read: the report will be downloaded, so this machine must get at it.

    Raises:
        UnknownScopeError, InventoryError: what could be looked at is wrong.
        CredentialsError, ConfigurationError: this machine does not get at the report, and must.
    """
    try:
        session = _session(settings)
    except (CredentialsError, ReportError) as error:
        if must_read:
            raise
        _skipped("credentials, inventory, scope and bucket", error.message)
        return Checked(None, None, None)
    found = Checked(session, None, None)
    if settings.inventory is None:
        _skipped("inventory and scope", "DBADMIN_INVENTORY is not set here")
    else:
        try:
            found = _scope(session, settings, accounts, regions)
        except (CredentialsError, InventoryError) as error:
            if isinstance(error, InventoryError) and not _is_denied(error):
                raise
            _skipped("inventory and scope", error.message)
    if must_read:
        settings.required("region")
    if settings.bucket is None or settings.region is None:
        _skipped("bucket", "DBADMIN_BUCKET or DBADMIN_REGION is not set here")
    else:
        _bucket(session, settings)
    return found


def _session(settings: Settings) -> boto3.Session:
    from dbadmin_assets.resources.credentials import aws_session, verified_caller

    session = aws_session(settings)
    note(f"Caller: {verified_caller(session)['arn']}")
    return session


def _scope(session: boto3.Session, settings: Settings, accounts: Sequence[str], regions: Sequence[str]) -> Checked:
    from dbadmin_assets.resources.inventory_source import read_inventory

    inventory = read_inventory(settings.required("inventory")["inventory"], lambda: session)
    targets = inventory.targets(accounts, regions)
    databases = sum(len(target.databases) for target in targets)
    count = len({target.account_id for target in targets})
    note(f"Scope: {count} accounts, {len(targets)} targets, {databases} databases of {inventory.source}")
    return Checked(session, inventory, targets)


def _bucket(session: boto3.Session, settings: Settings) -> None:
    from dbadmin_assets.cli.bucket import check_bucket

    check_bucket(session, **settings.required("bucket", "region"))


def _is_denied(error: InventoryError) -> bool:
    return any(problem.startswith(("AccessDenied", "403")) for problem in error.problems)


def _skipped(what: str, reason: str) -> None:
    note(f"Not checked from here, the run will: {what} ({reason})")


def inventory_differs(checked: Checked, manifest: dict[str, object]) -> str | None:
    """What to say where the run read another inventory than this machine; None where it is the same.

    The scope that was shown before the launch is of the inventory that this machine read.
    """
    if checked.inventory is None:
        return None
    requests = manifest["requests"]
    assert isinstance(requests, list)  # noqa: S101 - of the schema
    read = {(r["inventory"]["source"], r["inventory"]["sha256"]) for r in requests}
    if checked.inventory.sha256 in {sha256 for _, sha256 in read}:
        return None
    sources = ", ".join(sorted(source for source, _ in read))
    return (
        f"WARNING: the run read another inventory ({sources}) than the one whose scope was shown "
        f"({checked.inventory.source}). The report is about the former."
    )
