"""What the pipeline and the worker say to each other: request, response, reasons; what is delivered: result_object.py.

Standard library only, for both sides import it. The shapes are those of docs/formats.md.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from worker_lambda.event_fields import ACCOUNT_ID as ACCOUNT_ID
from worker_lambda.event_fields import DATABASE_FIELDS, REQUEST_FIELDS, RESULT_FIELDS, check
from worker_lambda.event_fields import HOST as HOST
from worker_lambda.event_fields import REGION as REGION
from worker_lambda.event_fields import TAG_KEY as TAG_KEY

SCHEMA_VERSION = "1"

Engine = Literal["mysql", "mssql"]
Tls = Literal["verify-full", "require", "off"]
Auth = Literal["password", "iam"]

DATABASE_TYPES: dict[str, str] = {"mysql": "MySQL", "mssql": "MSSQL"}
DISCOVER_TAG = "db-admin-report:engine"
DEFAULT_PORTS: dict[str, int] = {"mysql": 3306, "mssql": 1433}


class Reason(StrEnum):
    """Why a database or a target gave no data: the exact text of an ERROR row."""

    AUTHENTICATION_FAILED = "Connection Failed: Authentication failed"
    CONNECT_TIMED_OUT = "Connection Failed: Timed out"
    HOST_NOT_FOUND = "Connection Failed: Host not found"
    CONNECTION_REFUSED = "Connection Failed: Connection refused"
    TLS_FAILED = "Connection Failed: TLS verification failed"
    DATABASE_NOT_FOUND = "Connection Failed: Database not found"
    PASSWORD_EXPIRED = "Connection Failed: Password expired"  # noqa: S105 - a reason, not a secret
    QUERY_TIMED_OUT = "Collection Failed: Query timed out"
    DEADLINE_REACHED = "Collection Failed: Deadline reached"
    UNEXPECTED_ANSWER = "Collection Failed: Unexpected answer"
    SECRET_NOT_FOUND = "Credentials Failed: Secret not found"  # noqa: S105 - a reason, as above
    SECRET_ACCESS_DENIED = "Credentials Failed: Access denied"  # noqa: S105 - a reason
    SECRET_MALFORMED = "Credentials Failed: Secret malformed"  # noqa: S105 - a reason
    CANNOT_ASSUME_ROLE = "Worker Failed: Cannot assume role"
    WORKER_TIMED_OUT = "Worker Failed: Timed out"
    WORKER_THROTTLED = "Worker Failed: Throttled"
    INVALID_ANSWER = "Worker Failed: Invalid answer"
    RESULT_MISSING = "Worker Failed: Result missing"


class ContractError(ValueError):
    """A request or response does not have the agreed shape; lists every problem found.

    Attributes:
        problems: one sentence per problem, each naming the field.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class DatabaseTarget:
    """One server to read, as the inventory declares it. `host` may come from the secret instead."""

    name: str
    engine: Engine
    host: str | None = None
    port: int | None = None
    secret: str | None = None
    username: str | None = None
    auth: Auth = "password"
    tls: Tls = "verify-full"
    ca_file: str | None = None
    database: str | None = None
    master_username: str | None = None  # of an RDS for SQL Server: no catalogue tells it

    @property
    def database_type(self) -> str:
        """`MySQL` or `MSSQL`, as the report prints it."""
        return DATABASE_TYPES[self.engine]


@dataclass(frozen=True, slots=True)
class ResultLocation:
    """Where the worker must put its result object, and the role that may write there."""

    bucket: str
    key: str
    region: str
    writer_role_arn: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """The event that the worker Lambda is invoked with."""

    collection_id: str
    run_id: str
    attempt: int
    account_id: str
    region: str
    result: ResultLocation
    databases: tuple[DatabaseTarget, ...]
    discover_tag: str | None = None  # asks for a discovery; the tag that EC2 hosts of databases carry
    schema_version: str = SCHEMA_VERSION

    def to_event(self) -> dict[str, Any]:
        """JSON-ready dict; `from_event` of it gives an equal request."""
        event = asdict(self)
        if self.discover_tag is None:
            del event["discover_tag"]  # a worker from before there was one refuses what it does not know
        event["databases"] = [{k: v for k, v in d.items() if v is not None} for d in event["databases"]]
        return event

    @classmethod
    def from_event(cls, event: object) -> WorkerRequest:
        """Validate an event.

        Raises:
            ContractError: with every problem, not only the first.
        """
        problems: list[str] = []
        if not isinstance(event, dict):
            raise ContractError([f"the event is {type(event).__name__}, not an object"])
        check(event, REQUEST_FIELDS, "event", problems)
        if event.get("schema_version") != SCHEMA_VERSION:
            problems.append(f"schema_version is {event.get('schema_version')!r}, this worker speaks {SCHEMA_VERSION!r}")
        result = event.get("result")
        if isinstance(result, dict):
            check(result, RESULT_FIELDS, "result", problems)
        databases = event.get("databases")
        names: set[str] = set()
        for i, item in enumerate(databases if isinstance(databases, list) else []):
            if not isinstance(item, dict):
                problems.append(f"databases[{i}] is not an object")
                continue
            check(item, DATABASE_FIELDS, f"databases[{i}]", problems)
            name = str(item.get("name"))
            if name in names:
                problems.append(f"databases[{i}].name {name!r} is there twice")
            names.add(name)
        if problems:
            raise ContractError(problems)
        assert isinstance(result, dict) and isinstance(databases, list)  # noqa: S101 - checked above
        return cls(
            **{k: event[k] for k in ("collection_id", "run_id", "attempt", "account_id", "region")},
            result=ResultLocation(**result),
            databases=tuple(DatabaseTarget(**d) for d in databases),
            discover_tag=event.get("discover_tag"),
        )


@dataclass(frozen=True, slots=True)
class WorkerResponse:
    """What the Lambda answers (O4). `status` tells whether the result object was delivered.

    A delivered object may still hold failed databases: the verdict is made from the object.
    """

    accountId: str
    region: str
    status: Literal["success", "failure"]
    s3Location: str | None = None
    errorMessage: str | None = None
    dataCount: int = 0
    collectionId: str | None = None
    attempt: int | None = None
    sha256: str | None = None
    sizeBytes: int | None = None
    workerVersion: str | None = None

    def to_payload(self) -> dict[str, Any]:
        """JSON-ready dict."""
        return asdict(self)


def collection_key(collection_id: str, account_id: str, region: str, attempt: int) -> str:
    """S3 key of a worker's result object; written once."""
    return f"collections/{collection_id}/{account_id}/{region}/{attempt}.json"


def outcome_key(collection_id: str, account_id: str, region: str) -> str:
    """S3 key of the orchestrator's verdict on one target."""
    return f"outcomes/{collection_id}/{account_id}/{region}.json"
