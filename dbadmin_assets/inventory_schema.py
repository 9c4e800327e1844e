"""The schema of the inventory document, as pydantic models: types and forms, nothing about the environment.

One schema serves the pipeline and the infrastructure program. Every key that a person may write is here; a key
that is not is an error. Forms are those the worker accepts too (worker_lambda/contract.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from worker_lambda import contract

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@:!-]{1,2048}")


def fill(template: str, **values: str) -> str:
    """`{name}` replaced by its value; nothing else of a format string is understood."""
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)


def _form(pattern: re.Pattern[str], meaning: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"{value[:80]!r} is not {meaning}")
        return value

    return AfterValidator(check)


def _placeholders(*known: str) -> AfterValidator:
    def check(value: str) -> str:
        for name in PLACEHOLDER.findall(value):
            if name not in known:
                raise ValueError(f"the placeholder {{{name}}} is not known; known are {', '.join(known)}")
        return value

    return AfterValidator(check)


AccountId = Annotated[str, _form(contract.ACCOUNT_ID, "an account id of twelve digits")]
Region = Annotated[str, _form(contract.REGION, "an AWS region")]
Host = Annotated[str, _form(contract.HOST, "a host name or IP address")]
Text = Annotated[
    str,
    _form(
        re.compile(r"[^\x00-\x20\x7f]([^\x00-\x1f\x7f]{0,253}[^\x00-\x20\x7f])?"),
        "1 to 255 printable characters without spaces around",
    ),
]
Secret = Annotated[
    str,
    _placeholders("database", "account", "region"),
    _form(re.compile(r"([A-Za-z0-9/_+=.@:!-]|\{[a-z]+\}){1,2048}"), "the name or ARN of a secret"),
]
RoleName = Annotated[str, _form(re.compile(r"[\w+=,.@-]{1,64}", re.ASCII), "the name of an IAM role")]
WriterRoleName = Annotated[
    str,
    _placeholders("account"),
    _form(re.compile(r"([\w+=,.@-]|\{account\}){1,64}", re.ASCII), "the name of an IAM role"),
]
FunctionName = Annotated[str, _form(re.compile(r"[A-Za-z0-9-_]{1,64}"), "the name of a Lambda function")]
ExternalId = Annotated[str, _form(re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII), "an external id")]
VpcId = Annotated[str, _form(re.compile(r"vpc-[0-9a-f]+"), "the id of a VPC")]
SubnetId = Annotated[str, _form(re.compile(r"subnet-[0-9a-f]+"), "the id of a subnet")]
SecurityGroupId = Annotated[str, _form(re.compile(r"sg-[0-9a-f]+"), "the id of a security group")]
TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128)]
DiscoverTag = Annotated[str, _form(contract.TAG_KEY, "the key of a tag")]
TagValue = Annotated[str, StringConstraints(max_length=256)]
TimeoutSeconds = Annotated[int, Field(ge=10, le=900)]  # 900 s is Lambda's own limit


class Entry(BaseModel):
    """Base of every part of the document: exact types, no unknown keys, not changed afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class WorkerEntry(Entry):
    """`worker`: how the worker is reached; at the top, in an account and in a region (the nearest wins, key by key)."""

    role_name: RoleName | None = None
    function_name: FunctionName | None = None
    external_id: ExternalId | None = None
    writer_role_name: WriterRoleName | None = None
    timeout_seconds: TimeoutSeconds | None = None
    discover: bool | None = None
    discover_tag: DiscoverTag | None = None


class NetworkEntry(Entry):
    """`network` of one region: where infra/ places the worker. The pipeline does not read it."""

    vpc_id: VpcId
    subnet_ids: Annotated[list[SubnetId], Field(min_length=1)]
    security_group_ids: list[SecurityGroupId] | None = None


class DefaultsEntry(Entry):
    """`defaults`: what a database has where it does not say otherwise."""

    secret: Secret | None = None
    tls: contract.Tls | None = None
    auth: contract.Auth | None = None
    username: Text | None = None
    ca_file: Text | None = None
    owner: Text | None = None


class DatabaseEntry(Entry):
    """One database server. `host` may come from the secret; `exclude` is the reason why it is not read.

    `master_username` is that of an RDS for SQL Server, whose catalogues do not tell who the master user is.
    """

    name: Text
    engine: contract.Engine
    host: Host | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    secret: Secret | None = None
    username: Text | None = None
    auth: contract.Auth | None = None
    tls: contract.Tls | None = None
    ca_file: Text | None = None
    database: Text | None = None
    master_username: Text | None = None
    owner: Text | None = None
    exclude: Text | None = None


class RegionEntry(Entry):
    """One region of an account: one target of a report."""

    databases: Annotated[list[DatabaseEntry], Field(min_length=1)]
    worker: WorkerEntry | None = None
    network: NetworkEntry | None = None


class AccountEntry(Entry):
    """One AWS account."""

    regions: Annotated[dict[Region, RegionEntry], Field(min_length=1)]
    name: Text | None = None
    worker: WorkerEntry | None = None
    network: dict[Region, NetworkEntry] | None = None


class InventoryDocument(Entry):
    """The whole document."""

    version: Literal[1]
    accounts: Annotated[dict[AccountId, AccountEntry], Field(min_length=1)]
    defaults: DefaultsEntry = DefaultsEntry()
    worker: WorkerEntry = WorkerEntry()
    network: Annotated[dict[Region, NetworkEntry], Field(default_factory=dict)]
    tags: Annotated[dict[TagKey, TagValue], Field(default_factory=dict)]


def explain(error: Mapping[str, Any]) -> str:
    """What pydantic found, as a person would say it (an item of `ValidationError.errors()`)."""
    kind, found, message = error["type"], error.get("input"), str(error["msg"])
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not known"
    if kind == "too_short":
        return "is empty"
    if kind in ("model_type", "dict_type", "list_type") and found is not None:
        return "must be a list" if kind == "list_type" else "must be a mapping"
    if kind == "value_error":
        return f"{error['ctx']['error']}"
    if found is None:
        return "is empty"
    if isinstance(found, str | int | float):
        shown = str(found).lower() if isinstance(found, bool) else ascii(found)[:80]
        cure = ": write it in quotes" if kind == "string_type" else ""
        return f"is {shown}, but {message[:1].lower()}{message[1:]}{cure}"
    return f"{message[:1].lower()}{message[1:]}"
