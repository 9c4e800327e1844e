"""The shape of the worker's event, field by field: what `contract.WorkerRequest.from_event` checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

ACCOUNT_ID = re.compile(r"[0-9]{12}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]{0,253}[A-Za-z0-9])?")
TAG_KEY = re.compile(r"[\w .:/=+@-]{1,128}")
SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Field:
    """What a field must be: its type, and where it matters its form, choices or bounds."""

    kind: type
    required: bool = False
    pattern: re.Pattern[str] | None = None
    choices: tuple[str, ...] = ()
    bounds: tuple[int, int] | None = None


_ANY_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
REQUEST_FIELDS = {
    "schema_version": Field(str, True),
    "collection_id": Field(str, True, SAFE_ID),
    "run_id": Field(str, True, SAFE_ID),
    "attempt": Field(int, True, bounds=(1, 9999)),
    "account_id": Field(str, True, ACCOUNT_ID),
    "region": Field(str, True, REGION),
    "result": Field(dict, True),
    "databases": Field(list, True),
    "discover_tag": Field(str, False, TAG_KEY),
}
RESULT_FIELDS = {
    "bucket": Field(str, True, re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")),
    "key": Field(str, True, re.compile(r"collections/[A-Za-z0-9._-]+/[0-9]{12}/[a-z0-9-]+/[0-9]+\.json")),
    "region": Field(str, True, REGION),
    "writer_role_arn": Field(str, True, re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}")),
    "external_id": Field(str, False, re.compile(r"[\w+=,.@:/-]{2,1224}")),
}
DATABASE_FIELDS = {
    "name": Field(str, True, _ANY_NAME),
    "engine": Field(str, True, choices=("mysql", "mssql")),
    "host": Field(str, False, HOST),
    "port": Field(int, False, bounds=(1, 65535)),
    "secret": Field(str, False, re.compile(r"[A-Za-z0-9/_+=.@:!-]{1,2048}")),
    "username": Field(str, False, _ANY_NAME),
    "auth": Field(str, False, choices=("password", "iam")),
    "tls": Field(str, False, choices=("verify-full", "require", "off")),
    "ca_file": Field(str, False, _ANY_NAME),
    "database": Field(str, False, _ANY_NAME),
    "master_username": Field(str, False, _ANY_NAME),
}


def check(item: dict[str, Any], fields: dict[str, Field], path: str, problems: list[str]) -> None:
    """Append a sentence to `problems` for each field that is unknown, missing or not as it must be."""
    problems.extend(f"{path}.{key} is not known" for key in item if key not in fields)
    for key, rule in fields.items():
        value: Any = item.get(key)
        if value is None:
            if rule.required:
                problems.append(f"{path}.{key} is missing")
            continue
        actual: type = type(value)
        if actual is not rule.kind:  # exactly: a bool is an int for isinstance
            problems.append(f"{path}.{key} is {type(value).__name__}, not {rule.kind.__name__}")
        elif rule.choices and value not in rule.choices:
            problems.append(f"{path}.{key} is {value!r}, not one of {', '.join(rule.choices)}")
        elif rule.pattern and not rule.pattern.fullmatch(value):
            problems.append(f"{path}.{key} has a form that is not allowed: {value[:80]!r}")
        elif rule.bounds and not rule.bounds[0] <= value <= rule.bounds[1]:
            problems.append(f"{path}.{key} is {value}, outside {rule.bounds[0]}..{rule.bounds[1]}")
