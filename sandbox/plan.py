"""What a sandbox is to hold: accounts, regions, databases, the faults planted in it. Data only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from worker_lambda.contract import Engine

CENTRAL_ACCOUNT = "209371858707"
HOME_REGION = "us-east-1"

PAYMENTS, LEDGER, LEGACY = "111111111111", "012345678901", "333333333333"

Server = Literal["mysql", "mariadb", "mssql-2019", "mssql-rds"]
"""mysql and mariadb are real servers; the mssql ones are stand-ins (sandbox/tds says what they prove)."""


@dataclass(frozen=True, slots=True)
class PlannedDatabase:
    """One entry of the inventory, and the server behind it; entries in different targets may share a server.

    Attributes:
        instance: which server of the kind; a target's inventory must not name one address twice.
        wrong_password: its secret holds a password that the server refuses.
        exclude: the inventory's reason for leaving it out; then there is no server behind it.
    """

    account_id: str
    region: str
    name: str
    server: Server
    instance: int = 0
    wrong_password: bool = False
    exclude: str | None = None

    @property
    def engine(self) -> Engine:
        """The inventory's word for the server."""
        return "mssql" if self.server.startswith("mssql") else "mysql"


@dataclass(frozen=True, slots=True)
class PlannedInstance:
    """An RDS instance that AWS lists and the inventory does not have; there is no server behind it."""

    account_id: str
    region: str
    identifier: str
    engine: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole organization.

    Attributes:
        account_names: the inventory's `name` by account id.
        unassumable: accounts whose invoker role expects another ExternalId.
        handlers: handler by account id or `account|region`, where it is not the real worker (fault injection).
        timeout_seconds: of every worker function.
        concurrency: reserved concurrency of every worker function.
        undeclared: what runs beside the databases; where there is any, workers are asked to look, and may.
    """

    databases: tuple[PlannedDatabase, ...]
    account_names: dict[str, str] = field(default_factory=dict)
    unassumable: frozenset[str] = frozenset()
    handlers: dict[str, str] = field(default_factory=dict)
    timeout_seconds: float = 60.0
    concurrency: int = 1000
    undeclared: tuple[PlannedInstance, ...] = ()

    @property
    def targets(self) -> list[tuple[str, str]]:
        """Every (account, region), sorted."""
        return sorted({(d.account_id, d.region) for d in self.databases})

    @property
    def accounts(self) -> list[str]:
        """Every worker account, sorted."""
        return sorted({d.account_id for d in self.databases})

    @property
    def servers(self) -> list[tuple[Server, int]]:
        """Every (kind, instance) of a server needed, sorted."""
        return sorted({(d.server, d.instance) for d in self.databases if not d.exclude})

    def handler_for(self, account_id: str, region: str) -> str:
        """The handler of one target's function."""
        chosen = self.handlers.get(f"{account_id}|{region}") or self.handlers.get(account_id)
        return chosen or "worker_lambda.handler.handler"


def demo_plan() -> Plan:
    """Three accounts, MySQL, MariaDB, SQL Server; a refused password, a refused role, a database nobody declared."""
    databases = (
        PlannedDatabase(PAYMENTS, "us-east-1", "payments-mysql-01", "mysql"),
        PlannedDatabase(
            PAYMENTS, "us-east-1", "payments-scratch", "mysql", exclude="holds no production data, SEC-123"
        ),
        PlannedDatabase(PAYMENTS, "eu-west-1", "payments-mssql-01", "mssql-2019"),
        PlannedDatabase(LEDGER, "us-east-1", "ledger-mssql-rds", "mssql-rds"),
        PlannedDatabase(LEDGER, "us-east-1", "ledger-reporting", "mysql", wrong_password=True),
        PlannedDatabase(LEDGER, "eu-west-1", "ledger-mariadb-01", "mariadb"),
        PlannedDatabase(LEGACY, "us-east-1", "legacy-erp", "mssql-2019"),
    )
    names = {PAYMENTS: "payments", LEDGER: "ledger", LEGACY: "legacy"}
    forgotten = PlannedInstance(PAYMENTS, "us-east-1", "payments-archive", "mariadb")
    return Plan(databases, names, unassumable=frozenset({LEGACY}), undeclared=(forgotten,))


def fleet_plan(
    accounts: int,
    regions: Iterable[str] = ("us-east-1", "eu-west-1"),
    databases_per_target: int = 1,
    *,
    server: Server = "mssql-2019",
    handler: str | None = None,
    timeout_seconds: float = 60.0,
) -> Plan:
    """Many accounts alike, for load: ids 100000000000 and up, databases `db-0000` and up in each target."""
    ids = [str(100_000_000_000 + n) for n in range(accounts)]
    databases = tuple(
        PlannedDatabase(account_id, region, f"db-{n:04d}", server, instance=n)
        for account_id in ids
        for region in regions
        for n in range(databases_per_target)
    )
    handlers = dict.fromkeys(ids, handler) if handler else {}
    return Plan(databases, {i: f"fleet-{i[-4:]}" for i in ids}, handlers=handlers, timeout_seconds=timeout_seconds)
