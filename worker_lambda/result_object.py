"""The result object (W6): everything one worker read for one target, as it stands in S3. docs/formats.md.

Part of the contract: standard library only, for both sides import it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict


class AdminUser(TypedDict):
    """One principal of one database server, at its highest tier. Raw values, never escaped."""

    username: str
    role_name: str
    permission_level: str
    last_login_date: str
    user_status: str
    account_details: dict[str, Any]
    database_name: str
    database_type: str
    collection_timestamp: str
    tier: Literal["0", "1", "2", "none"]
    rule_id: str
    access_path: str
    principal_type: str
    principal_class: Literal["human", "service", "engine", "aws-managed", "group", "role"]
    last_login_source: str
    password_changed_at: str | None
    auth_plugin: str | None
    excluded_by_policy: str | None


class Query(TypedDict):
    """A query that was run: its text stands once per object, under `queries` by sha256."""

    name: str
    sha256: str


class DatabaseConnection(TypedDict):
    """One database asked for, and how it ended. Per-server detail columns stand here, once.

    `engine` is the inventory's (mysql, mssql), `product` what the server turned out to be (mysql, mariadb,
    aurora-mysql, sqlserver); None where it was not reached.
    """

    name: str
    engine: str
    product: str | None
    database_type: str
    host: str | None
    port: int | None
    status: Literal["complete", "partial", "failed"]
    engine_version: str | None
    server_name: str | None
    server_identity: str | None
    server_time: str | None
    facts_at: str | None
    duration_ms: int
    rows_fetched: int
    users: int
    admins: int
    queries: list[Query]


class DatabaseWarning(TypedDict):
    """A sentence for the WARNING row of a database; `order` is its place in that row.

    `cures`: for what could not be seen, the statements with which an administrator of that server makes it visible.
    """

    database_name: str
    order: int
    text: str
    cures: NotRequired[list[str]]


class DatabaseFailure(TypedDict):
    """The reason for the ERROR row of a database; `detail` is for people, free of secrets."""

    database_name: str
    reason: str
    detail: str
    occurred_at: str


class Metadata(TypedDict):
    """Totals and times of one collection; times are UTC ISO 8601 with a Z.

    `totalUsers` counts the rows of the report: adminUsers without those that have `excluded_by_policy`.
    """

    totalUsers: int
    totalDatabases: int
    collectionStartTime: str
    collectionEndTime: str


class FoundDatabase(TypedDict):
    """A database that AWS lists, whether the inventory declares it or not. Text as AWS has it, never escaped.

    `engine` is the inventory's word; `product` AWS's (mariadb, aurora-mysql, custom-sqlserver-ee, ec2); `port` None
    where AWS does not know it. `addresses`: the others that it answers at, of a cluster its members' too.
    """

    identifier: str
    arn: str
    kind: Literal["instance", "cluster", "host"]
    engine: str
    product: str
    state: str
    host: str | None
    port: int | None
    addresses: list[str]


class Discovery(TypedDict):
    """What runs in the account and region. `reason`: why it is not complete; `at`: when it was known, None when off."""

    status: Literal["complete", "failed", "off"]
    reason: str | None
    at: str | None
    found: list[FoundDatabase]


class Collection(TypedDict):
    """The result object: everything one worker read for one target in one attempt."""

    schemaVersion: str
    workerVersion: str
    collectionId: str
    runId: str
    attempt: int
    accountId: str
    region: str
    databaseConnections: list[DatabaseConnection]
    adminUsers: list[AdminUser]
    warnings: list[DatabaseWarning]
    errors: list[DatabaseFailure]
    queries: dict[str, str]
    metadata: Metadata
    functionVersion: NotRequired[str]
    discovery: NotRequired[Discovery]  # a worker from before there was one says nothing of it


# Places of the warning sentences, in the order the report joins them.
WARNING_INCOMPLETE_RIGHTS = 1
WARNING_INCOMPLETE_DATABASES = 2
WARNING_EXCLUDED_ADMIN = 3
WARNING_SAME_SERVER = 4
WARNING_NOT_IN_INVENTORY = 5
WARNING_NO_ACCOUNTS = 6


@dataclass(slots=True)
class DatabaseResult:
    """What one collector returns for one database it could read."""

    connection: DatabaseConnection
    users: list[AdminUser] = field(default_factory=list)
    warnings: list[DatabaseWarning] = field(default_factory=list)
    queries: dict[str, str] = field(default_factory=dict)
