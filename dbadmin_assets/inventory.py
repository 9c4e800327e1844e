"""The inventory: which databases there are, in which account and region, and how each is reached.

`parse_inventory` turns the document into targets or lists everything that is wrong with it. Reading the
document from S3, SSM or a file is resources/inventory_source.py; nothing here knows AWS or Dagster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from dbadmin_assets.errors import InventoryError, UnknownScopeError
from dbadmin_assets.inventory_checks import contradictions
from dbadmin_assets.inventory_schema import (
    AccountEntry,
    DatabaseEntry,
    DefaultsEntry,
    InventoryDocument,
    NetworkEntry,
    WorkerEntry,
    explain,
    fill,
)
from dbadmin_assets.inventory_yaml import Path, Problem, UnreadableError, place, read_document
from worker_lambda import contract


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How the worker of one target is reached, and whether it looks for databases beyond those that are declared.

    `writer_role_name` has its placeholder filled in; `discover_tag` is the key of the tag that hosts carry.
    """

    role_name: str = "db-admin-report-invoker"
    function_name: str = "db-admin-report-worker"
    external_id: str | None = None
    writer_role_name: str = "db-admin-report-writer-{account}"
    timeout_seconds: int = 600
    discover: bool = False
    discover_tag: str = contract.DISCOVER_TAG


@dataclass(frozen=True, slots=True)
class Database:
    """One database server with the defaults applied. `exclude` is the reason why it is not read, or None."""

    name: str
    engine: contract.Engine
    host: str | None
    port: int | None
    secret: str | None
    username: str | None
    auth: contract.Auth
    tls: contract.Tls
    ca_file: str | None
    database: str | None
    master_username: str | None
    owner: str | None
    exclude: str | None

    @property
    def database_type(self) -> str:
        """`MySQL` or `MSSQL`, as the report prints it."""
        return contract.DATABASE_TYPES[self.engine]

    def to_contract(self) -> contract.DatabaseTarget:
        """What the worker is told about it."""
        return contract.DatabaseTarget(
            name=self.name,
            engine=self.engine,
            host=self.host,
            port=self.port,
            secret=self.secret,
            username=self.username,
            auth=self.auth,
            tls=self.tls,
            ca_file=self.ca_file,
            database=self.database,
            master_username=self.master_username,
        )


@dataclass(frozen=True, slots=True)
class Target:
    """One account and region: what one worker is invoked for.

    `databases` are read, `excluded` are not. A target may have excluded ones only.
    """

    account_id: str
    account_name: str
    region: str
    worker: WorkerSettings
    databases: tuple[Database, ...]
    excluded: tuple[Database, ...]
    network: NetworkEntry | None = None

    @property
    def key(self) -> str:
        """The partition key, `account|region`."""
        return f"{self.account_id}|{self.region}"


@dataclass(frozen=True)
class Inventory:
    """A valid inventory.

    Attributes:
        source: where it was read from (`s3://…`, `ssm:/…` or a path).
        version: the source's own version (S3 version id, SSM version), where it has one.
        sha256: of the bytes that were read.
        document: the document as it was written.
    """

    source: str
    version: str | None
    sha256: str
    document: InventoryDocument
    _targets: tuple[Target, ...] = field(repr=False)

    @property
    def account_ids(self) -> tuple[str, ...]:
        """Every account, sorted."""
        return tuple(sorted({target.account_id for target in self._targets}))

    @property
    def regions(self) -> tuple[str, ...]:
        """Every region of any account, sorted."""
        return tuple(sorted({target.region for target in self._targets}))

    def targets(self, accounts: Iterable[str] = (), regions: Iterable[str] = ()) -> tuple[Target, ...]:
        """The targets of these accounts and regions (of all, where none are named), by account and region.

        Raises:
            UnknownScopeError: a name that the inventory does not have, or one that selects nothing together
                with the others: a report must not silently cover less than was asked for.
        """
        accounts, regions = set(accounts), set(regions)
        _refuse_unknown("account", accounts, self.account_ids)
        _refuse_unknown("region", regions, self.regions)
        chosen = tuple(
            target
            for target in self._targets
            if (not accounts or target.account_id in accounts) and (not regions or target.region in regions)
        )
        idle_accounts = sorted(accounts - {target.account_id for target in chosen})
        idle_regions = sorted(regions - {target.region for target in chosen})
        if idle_accounts:
            known = sorted({t.region for t in self._targets if t.account_id in idle_accounts})
            raise UnknownScopeError(
                f"{_named('account', idle_accounts)} without a database in {', '.join(sorted(regions))}",
                known=known,
                hint=f"regions with databases there: {', '.join(known)}",
            )
        if idle_regions:
            known = sorted({t.account_id for t in self._targets if t.region in idle_regions})
            raise UnknownScopeError(
                f"{_named('region', idle_regions)} without a database of {', '.join(sorted(accounts))}",
                known=known,
                hint=f"accounts with databases there: {_some(known)}",
            )
        return chosen


def parse_inventory(text: bytes, source: str, version: str | None = None) -> Inventory:
    """Read and check a whole inventory (YAML or JSON).

    Raises:
        InventoryError: with every problem at once, each with its path in the document.
    """
    try:
        data, problems = read_document(text)
    except UnreadableError as error:
        raise InventoryError([str(error)], subject=f"The inventory {source} cannot be read") from error
    document: InventoryDocument | None = None
    try:
        document = InventoryDocument.model_validate(data)
    except ValidationError as error:
        problems += [(_path(item["loc"]), explain(dict(item))) for item in error.errors(include_url=False)]
    problems += contradictions(data)
    if problems or document is None:
        raise InventoryError(_lines(problems), subject=f"The inventory {source} is not valid")
    return Inventory(source, version, hashlib.sha256(text).hexdigest(), document, tuple(_resolve(document)))


def _resolve(document: InventoryDocument) -> Iterator[Target]:
    for account_id, account in sorted(document.accounts.items()):
        for region, entry in sorted(account.regions.items()):
            databases = [_database(item, document.defaults, account_id, region) for item in entry.databases]
            yield Target(
                account_id=account_id,
                account_name=account.name or account_id,
                region=region,
                worker=_worker(account_id, document.worker, account.worker, entry.worker),
                databases=tuple(d for d in databases if d.exclude is None),
                excluded=tuple(d for d in databases if d.exclude is not None),
                network=entry.network or _network(document, account, region),
            )


def _database(entry: DatabaseEntry, defaults: DefaultsEntry, account_id: str, region: str) -> Database:
    auth = entry.auth or defaults.auth or "password"
    username = entry.username or defaults.username
    # With IAM a secret is needed only for what the entry does not say: a default one may well not exist.
    needs_secret = auth == "password" or username is None or entry.host is None
    secret = entry.secret or (defaults.secret if needs_secret else None)
    return Database(
        name=entry.name,
        engine=entry.engine,
        host=entry.host,
        port=entry.port,
        secret=fill(secret, database=entry.name, account=account_id, region=region) if secret else None,
        username=username,
        auth=auth,
        tls=entry.tls or defaults.tls or "verify-full",
        ca_file=entry.ca_file or defaults.ca_file,
        database=entry.database,
        master_username=entry.master_username,
        owner=entry.owner or defaults.owner,
        exclude=entry.exclude,
    )


def _worker(account_id: str, *layers: WorkerEntry | None) -> WorkerSettings:
    values: dict[str, Any] = {}
    for layer in layers:
        values |= layer.model_dump(exclude_none=True) if layer else {}
    settings = WorkerSettings(**values)
    values["writer_role_name"] = fill(settings.writer_role_name, account=account_id)
    return WorkerSettings(**values)


def _network(document: InventoryDocument, account: AccountEntry, region: str) -> NetworkEntry | None:
    return (account.network or {}).get(region) or document.network.get(region)


def _path(location: tuple[str | int, ...]) -> Path:
    """pydantic's location without the marker that it puts after a key that is itself wrong."""
    return tuple(part for part in location if part != "[key]")


def _lines(problems: list[Problem]) -> list[str]:
    """One line per place: what was found while reading says more than what followed from it."""
    first: dict[Path, str] = {}
    for path, text in problems:
        first.setdefault(path, text)
    return [f"{place(path)}: {text}" for path, text in first.items()]


def _refuse_unknown(kind: str, asked: set[str], known: tuple[str, ...]) -> None:
    unknown = sorted(asked - set(known))
    if unknown:
        raise UnknownScopeError(
            f"{_named(kind, unknown)} not in the inventory", known=known, hint=f"known {kind}s: {_some(known)}"
        )


def _named(kind: str, names: list[str]) -> str:
    return f"{kind}{'s' if len(names) > 1 else ''} {', '.join(ascii(name)[1:-1] for name in names)}"


def _some(names: Iterable[str], most: int = 40) -> str:
    names = list(names)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
