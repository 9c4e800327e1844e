"""`inventory show` and `inventory validate`: the document that says what a report covers; `discover` stands beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.inventory_discover import discover_command
from dbadmin_assets.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from dbadmin_assets.inventory import Database, Inventory, Target


@click.group("inventory")
def inventory_command() -> None:
    """Look at the inventory, check it, or draft what it misses.

    \b
    Examples:
      db-admin-report inventory show --regions us-east-1
      db-admin-report inventory validate inventory.yaml
      db-admin-report inventory discover --write new.yaml
    """


inventory_command.add_command(discover_command)


@inventory_command.command("show")
@options.scope
@options.connection
@options.general
def show(accounts: tuple[str, ...], regions: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Every target and database, as a report would cover them.

    \b
    Example:
      db-admin-report inventory show --accounts 123456789012
    """
    inventory = _read(given)
    targets = inventory.targets(accounts, regions)
    if as_json:
        print_json(_identity(inventory) | {"targets": [_target(target) for target in targets]})
        return
    rows = [
        [
            target.account_id,
            target.account_name,
            target.region,
            d.name,
            d.database_type,
            _address(d),
            _login(d),
            _note(d),
        ]
        for target in targets
        for d in (*target.databases, *target.excluded)
    ]
    print_table(("Account", "Name", "Region", "Database", "Type", "Address", "Login", "Note"), rows)
    excluded = sum(len(target.excluded) for target in targets)
    say(f"{len(targets)} targets, {len(rows) - excluded} databases to read, {excluded} excluded")
    say(f"{inventory.source}, version {inventory.version or 'none'}, sha256 {inventory.sha256}")


@inventory_command.command("validate")
@click.argument("source", required=False)
@options.connection
@options.general
def validate(source: str | None, as_json: bool, **given: Any) -> None:
    """Check the inventory and list every problem at once. Exit code 2 if there is one.

    SOURCE is s3://bucket/key, ssm:/name, or a path; without it, the configured one.

    \b
    Example:
      db-admin-report inventory validate inventory.yaml
    """
    inventory = _read(given | ({} if source is None else {"inventory": source}))
    targets = inventory.targets()
    databases = sum(len(target.databases) for target in targets)
    if as_json:
        print_json(_identity(inventory) | {"valid": True, "targets": len(targets), "databases": databases})
    else:
        accounts = len(inventory.account_ids)
        say(f"{inventory.source} is valid: {accounts} accounts, {len(targets)} targets, {databases} databases to read")


def _read(given: dict[str, Any]) -> Inventory:
    from dbadmin_assets.resources.credentials import aws_session
    from dbadmin_assets.resources.inventory_source import read_inventory

    settings = options.settings_from(given, "inventory")
    return read_inventory(settings.required("inventory")["inventory"], lambda: aws_session(settings))


def _identity(inventory: Inventory) -> dict[str, Any]:
    return {"source": inventory.source, "version": inventory.version, "sha256": inventory.sha256}


def _target(target: Target) -> dict[str, Any]:
    return {
        "account_id": target.account_id,
        "account_name": target.account_name,
        "region": target.region,
        "role_name": target.worker.role_name,
        "function_name": target.worker.function_name,
        "databases": [_database(database) for database in target.databases],
        "excluded": [_database(database) for database in target.excluded],
    }


def _database(database: Database) -> dict[str, Any]:
    names = ("name", "engine", "host", "port", "database", "auth", "username", "secret", "tls", "owner", "exclude")
    values = {name: getattr(database, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _address(database: Database) -> str:
    if database.host is None:
        return "(in the secret)"
    return f"{database.host}:{database.port}" if database.port else database.host


def _login(database: Database) -> str:
    return f"iam {database.username or ''}".strip() if database.auth == "iam" else str(database.secret)


def _note(database: Database) -> str:
    return f"excluded: {database.exclude}" if database.exclude else ""
