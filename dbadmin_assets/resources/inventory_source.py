"""Where the inventory comes from: an S3 object, SSM parameters, or a file. What is in it is inventory.py's concern."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbadmin_assets.errors import InventoryError
from dbadmin_assets.inventory import Inventory, parse_inventory
from dbadmin_assets.inventory_yaml import MAX_BYTES, UnreadableError, place, read_document
from dbadmin_assets.resources.credentials import credentials_error

if TYPE_CHECKING:
    import boto3

SessionFactory = Callable[[], "boto3.Session"]

_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)")
_SSM = re.compile(r"ssm:(/[A-Za-z0-9_./-]*[A-Za-z0-9_.-])/?")
_TOP_LEVEL = ("version", "defaults", "worker", "network", "tags")
# S3 does not tell a caller who may not list the bucket that a key is missing.
_S3_CURE = "check the key, then the rights: the caller needs s3:GetObject on it (and kms:Decrypt on its key)"
_CURES = {
    "NoSuchKey": "check the key; `aws s3 ls` shows what is there",
    "NoSuchBucket": "check the bucket's name",
    "AccessDenied": _S3_CURE,
    "403": _S3_CURE,
    "AccessDeniedException": "the caller needs ssm:GetParameter and ssm:GetParametersByPath on it (and kms:Decrypt)",
    "ParameterNotFound": "check the parameter's name and the region",
    "PermanentRedirect": "the bucket is in another region: set DBADMIN_REGION",
}


def read_inventory(source: str, session_factory: SessionFactory) -> Inventory:
    """Read and check the inventory.

    Args:
        source: `s3://bucket/key`, `ssm:/name` (one parameter, or a tree below that path), or a file path.
        session_factory: gives the boto3 session; not called for a file.

    Raises:
        InventoryError: it cannot be read or is not valid; every problem at once.
        CredentialsError: AWS does not accept the credentials, or there are none.
    """
    if source.startswith("s3:"):
        match = _S3.fullmatch(source)
        if not match:
            raise _unreadable(source, "is not of the form s3://bucket/key")
        with _AwsErrors(source):
            text, version = _read_s3(session_factory(), match[1], match[2], source)
        return parse_inventory(text, source, version)
    if source.startswith("ssm:"):
        match = _SSM.fullmatch(source)
        if not match:
            raise _unreadable(source, "is not of the form ssm:/name or ssm:/path")
        with _AwsErrors(source):
            return _read_ssm(session_factory(), match[1], source)
    if "://" in source:
        raise _unreadable(source, "it is neither s3://bucket/key nor ssm:/name nor a path")
    try:
        with Path(source).expanduser().open("rb") as file:
            return parse_inventory(file.read(MAX_BYTES + 1), source)
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise _unreadable(source, problem, "check the path: DBADMIN_INVENTORY, --inventory or SOURCE") from error


class _AwsErrors:
    """Turns what botocore raises inside into errors that name the source and the cure."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        if not isinstance(error, ClientError | BotoCoreError):
            return
        if refused := credentials_error(error, f"reading {self._source}"):
            raise refused from error
        if isinstance(error, ClientError):
            code = str(error.response.get("Error", {}).get("Code", "unknown error"))
            raise _unreadable(self._source, code, _CURES.get(code)) from error
        raise _unreadable(self._source, f"{type(error).__name__}: {error}") from error


def _unreadable(source: str, problem: str, hint: str | None = None) -> InventoryError:
    return InventoryError([problem], hint=hint, subject=f"The inventory {source} cannot be read")


def _read_s3(session: boto3.Session, bucket: str, key: str, source: str) -> tuple[bytes, str | None]:
    answer = session.client("s3").get_object(Bucket=bucket, Key=key)
    with contextlib.closing(answer["Body"]) as body:
        if answer["ContentLength"] > MAX_BYTES:
            raise _unreadable(source, f"it is {answer['ContentLength']:,} bytes, more than {MAX_BYTES:,}")
        text = body.read()
    version = answer.get("VersionId")
    return text, None if version in (None, "null") else version


def _read_ssm(session: boto3.Session, name: str, source: str) -> Inventory:
    ssm = session.client("ssm")
    try:
        parameter = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=name, Recursive=True, WithDecryption=True)
        parameters = sorted((p for page in pages for p in page["Parameters"]), key=lambda p: p["Name"])
        if not parameters:
            raise
        text = _assemble(parameters, source)
        versions = json.dumps({p["Name"]: p["Version"] for p in parameters}).encode()
        return parse_inventory(text, source, f"tree-{hashlib.sha256(versions).hexdigest()[:16]}")
    return parse_inventory(parameter["Value"].encode(), source, str(parameter["Version"]))


def _assemble(parameters: list[Any], source: str) -> bytes:
    """One document from a tree: `…/{account id}` is that account's entry, `…/worker` the top-level key.

    The result is canonical JSON, so its sha256 changes exactly when a parameter's meaning does.
    """
    accounts: dict[str, Any] = {}
    document: dict[str, Any] = {"version": 1}
    problems: list[str] = []
    names: dict[str, str] = {}
    for parameter in parameters:
        name = parameter["Name"]
        last = name.rsplit("/", 1)[-1]
        is_account = re.fullmatch(r"[0-9]{12}", last)
        if not is_account and last not in _TOP_LEVEL:
            problems.append(f"{name}: {last!r} is neither an account id nor one of {', '.join(_TOP_LEVEL)}")
            continue
        if names.setdefault(last, name) != name:
            problems.append(f"{name}: {names[last]} says {last}, too")
        try:
            value, found = read_document(parameter["Value"].encode())
        except UnreadableError as error:
            problems.append(f"{name}: {error}")
            continue
        problems += [f"{name}: {place(where)}: {text}" for where, text in found]
        (accounts if is_account else document)[last] = value
    if problems:
        raise InventoryError(problems, subject=f"The inventory {source} is not valid")
    document["accounts"] = accounts
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
