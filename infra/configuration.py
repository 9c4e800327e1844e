"""The configuration of a stack, read from Pulumi or from a plain mapping, checked together with the inventory.

Tests, the Automation API and the Pulumi engine use the same reader. Every problem is listed at once with its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError

from dbadmin_assets.errors import ConfigurationError, InventoryError
from dbadmin_assets.inventory import Inventory, Target, parse_inventory
from dbadmin_assets.inventory_schema import explain
from dbadmin_assets.inventory_yaml import place
from infra.configuration_schema import StackConfiguration
from infra.policies import Estate

PROJECT = "db-admin-report"
ROOT = Path(__file__).resolve().parent.parent
CENTRAL_STACK = "central"
INVENTORY_KEY = "inventory/db-admin-report.yaml"
INVENTORY_PARAMETER = "/db-admin-report/inventory"
SIGNING_ALIAS = "alias/db-admin-report-signing"
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
_NEEDED_BY = {
    "ecs": ("dagster_image", "dagster_network", "dagster_certificate_arn"),
    "dagster_plus_agent": ("dagster_image", "dagster_plus_cluster", "dagster_plus_namespace"),
    "none": (),
}


@dataclass(frozen=True)
class Configuration:
    """A valid configuration with its inventory.

    Attributes:
        values: the keys as they were given, defaults filled in.
        root: folder that relative paths in `values` start from.
    """

    values: StackConfiguration
    inventory: Inventory
    inventory_text: bytes
    root: Path = ROOT

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`, by the central region."""
        region = self.values.central_region
        return next((partition for prefix, partition in _PARTITIONS.items() if region.startswith(prefix)), "aws")

    @property
    def bucket(self) -> str:
        """Name of the evidence bucket: the configured one, or one that the account's id makes unique."""
        return self.values.bucket or f"db-admin-report-{self.values.central_account_id}-{self.values.central_region}"

    @property
    def log_bucket(self) -> str:
        """Name of the bucket that access logs go to."""
        return f"{self.bucket}-logs"

    @property
    def bus_arn(self) -> str:
        """ARN of the central event bus that every account's alarms arrive at."""
        v = self.values
        return f"arn:{self.partition}:events:{v.central_region}:{v.central_account_id}:event-bus/{PROJECT}"

    @property
    def package(self) -> Path:
        """The worker's zip."""
        return self.root / self.values.lambda_package

    def estate(self) -> Estate:
        """The names that policies speak of, without the ARNs of what is still to be made."""
        worker = self.inventory.document.worker
        in_bucket = self.values.inventory_location == "s3"
        estate = Estate(
            central_account_id=self.values.central_account_id,
            bucket=self.bucket,
            organization_id=self.values.organization_id,
            external_id=worker.external_id or "",
            inventory_key=INVENTORY_KEY if in_bucket else None,
            inventory_parameter=None if in_bucket else INVENTORY_PARAMETER,
            partition=self.partition,
        )
        named = {
            "invoker_role": worker.role_name,
            "function": worker.function_name,
            "writer_role": worker.writer_role_name,
        }
        return replace(estate, **{key: value for key, value in named.items() if value})

    def estate_of(self, target: Target) -> Estate:
        """The same for one target: its names, and the worker role of its region (roles are global, workers are not)."""
        estate = self.estate()
        return replace(
            estate,
            external_id=target.worker.external_id or "",
            invoker_role=target.worker.role_name,
            function=target.worker.function_name,
            writer_role=target.worker.writer_role_name,
            worker_role=f"{estate.worker_role}-{target.region}",
        )

    def target(self, account_id: str, region: str) -> Target:
        """One target of the inventory.

        Raises:
            UnknownScopeError: the inventory has no such account and region.
        """
        (target,) = self.inventory.targets([account_id], [region])
        return target

    def siblings(self, target: Target) -> tuple[Target, ...]:
        """The targets of the same account that the same invoker role serves, by region; the first one makes it."""
        every = (t for t in self.inventory.targets([target.account_id]) if t.databases)
        return tuple(t for t in every if t.worker.role_name == target.worker.role_name)


def stack_name(account_id: str, region: str) -> str:
    """Name of a worker's stack."""
    return f"worker-{account_id}-{region}"


def stack_names(configuration: Configuration) -> tuple[str, ...]:
    """Every stack of the inventory, the central one first; a target whose databases are all excluded needs none."""
    workers = (stack_name(t.account_id, t.region) for t in configuration.inventory.targets() if t.databases)
    return (CENTRAL_STACK, *workers)


def target_of(stack: str) -> tuple[str, str] | None:
    """Account and region of a worker's stack; None for the central one.

    Raises:
        ConfigurationError: it is called neither.
    """
    if stack == CENTRAL_STACK:
        return None
    kind, _, rest = stack.partition("-")
    account_id, _, region = rest.partition("-")
    if kind != "worker" or not account_id or not region:
        raise ConfigurationError([f"stack {stack!r} is neither {CENTRAL_STACK} nor worker-ACCOUNT-REGION"])
    return account_id, region


def load_configuration(values: Mapping[str, Any], root: Path = ROOT) -> Configuration:
    """Check a mapping of keys, read the inventory it names, and check both against each other.

    Args:
        values: by key; text that should be a number, a list or a mapping is read as JSON, as Pulumi hands it on.
        root: what relative paths start from.

    Raises:
        ConfigurationError: with every problem at once, those of the inventory included.
    """
    problems: list[str] = []
    model: StackConfiguration | None = None
    try:
        model = StackConfiguration.model_validate({key: _decoded(key, value) for key, value in values.items()})
    except ValidationError as error:
        problems += [f"{place(item['loc'])}: {explain(dict(item))}" for item in error.errors(include_url=False)]
    inventory, text = _inventory(values.get("inventory"), root, problems)
    configuration = None
    if model and inventory:
        configuration = Configuration(model, inventory, text, root)
        problems += _contradictions(configuration)
    if problems or configuration is None:
        raise ConfigurationError(problems)
    return configuration


def configuration_from_pulumi(root: Path = ROOT) -> Configuration:
    """The configuration of the stack that the Pulumi engine runs: every key of the project's own namespace.

    Raises:
        ConfigurationError: as load_configuration.
    """
    from pulumi.runtime import config as pulumi_config

    given = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    prefix = f"{PROJECT}:"
    return load_configuration({k.removeprefix(prefix): v for k, v in given.items() if k.startswith(prefix)}, root)


def _decoded(key: str, value: Any) -> Any:
    field = StackConfiguration.model_fields.get(key)
    if not isinstance(value, str) or field is None or _is_text(field.annotation):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value  # the model says what it should have been


def _is_text(annotation: Any) -> bool:
    """Whether a field's values are text: an account id of digits must not become a number."""
    if get_origin(annotation) is Annotated:
        return _is_text(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return any(_is_text(part) for part in get_args(annotation))
    return annotation is str or get_origin(annotation) is Literal


def _inventory(source: Any, root: Path, problems: list[str]) -> tuple[Inventory | None, bytes]:
    if not isinstance(source, str) or not source:
        return None, b""  # the model says so
    try:
        text = (root / source).read_bytes()
        return parse_inventory(text, source), text
    except OSError as error:
        problems.append(f"inventory: {source}: {error.strerror or type(error).__name__}")
    except InventoryError as error:
        problems += [f"inventory: {problem}" for problem in error.problems]
    return None, b""


def _contradictions(configuration: Configuration) -> Iterator[str]:
    v = configuration.values
    for key in _NEEDED_BY[v.dagster]:
        if getattr(v, key) is None:
            yield f"{key}: is missing, and dagster is {v.dagster}"
    if v.dagster == "ecs" and not v.dagster_client_cidrs and not v.dagster_client_security_groups:
        yield "dagster_client_cidrs: is empty, and so is dagster_client_security_groups: nobody could reach Dagster"
    if v.dagster == "none" and not v.operators:
        yield "operators: is empty, and dagster is none: nobody could become the orchestrator"
    if v.expire_after_days is not None and v.expire_after_days <= v.retention_days:
        yield f"expire_after_days: is {v.expire_after_days}, not after the {v.retention_days} days of retention_days"
    if v.provisioned_concurrency > v.reserved_concurrency:
        yield "provisioned_concurrency: is more than reserved_concurrency"
    if not v.alarm_addresses:
        yield "alarm_addresses: is empty: nobody would hear of an alarm"
    both = sorted(set(v.tags) & set(configuration.inventory.document.tags))
    yield from (f"tags.{key}: stands in the inventory's tags, too" for key in both)
    writers: dict[str, str] = {}
    pattern = configuration.estate().writer_role_for("*")
    for target in configuration.inventory.targets():
        where = f'inventory: accounts."{target.account_id}".regions.{target.region}'
        if not target.worker.external_id:
            yield f"{where}.worker.external_id: is missing, and no role is made that trusts without one"
        if target.databases and target.network is None:
            yield f"{where}.network: is missing: the worker stands where its databases are"
        writer = target.worker.writer_role_name
        if not fnmatchcase(writer, pattern):
            yield f"{where}.worker.writer_role_name: {writer} is not {pattern}, which the bucket's policy lets write"
        elif writers.setdefault(writer, target.account_id) != target.account_id:
            yield f"{where}.worker.writer_role_name: {writer} serves {writers[writer]}, too: put {{account}} into it"
