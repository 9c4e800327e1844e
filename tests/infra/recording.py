"""Renders stacks without an engine and without a cloud: a monitor that records every resource as it is registered.

What AWS would answer (ARNs, ids) is made up from the names, so that it can be found again in policies.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import rpc
from pulumi.runtime.settings import set_root_resource
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _sync_await

PROJECT = "db-admin-report"
STACK_TYPE = "pulumi:pulumi:Stack"
# What a policy or a key of ours looks like in the resource that carries it.
POLICY_PROPERTIES = ("policy", "assumeRolePolicy")

Make = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Makes a resource of a type with these inputs somewhere, and answers what is known of it then."""


@dataclass(frozen=True)
class Resource:
    """One resource as it was registered. `parent` is the type of its parent (`pulumi:pulumi:Stack` for none)."""

    type: str
    name: str
    inputs: dict[str, Any]
    parent: str
    custom: bool
    protect: bool
    retain_on_delete: bool
    dependencies: tuple[str, ...]

    @property
    def tags(self) -> dict[str, str] | None:
        return self.inputs.get("tags")

    def documents(self) -> list[dict[str, Any]]:
        """Its policy documents."""
        return [json.loads(self.inputs[key]) for key in POLICY_PROPERTIES if key in self.inputs]


@dataclass
class Stack:
    """A rendered stack."""

    name: str
    account_id: str
    region: str
    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, type_: str) -> list[Resource]:
        """The resources of a type; `s3/bucket:Bucket` stands for `aws:s3/bucket:Bucket`."""
        return [r for r in self.resources if r.type in (type_, f"aws:{type_}")]

    def one(self, type_: str, name: str | None = None) -> Resource:
        (found,) = (r for r in self.of(type_) if name in (None, r.name))
        return found

    @property
    def custom(self) -> list[Resource]:
        return [r for r in self.resources if r.custom]


class _Answers(pulumi.runtime.Mocks):
    """What AWS answers."""

    def __init__(self, account_id: str, region: str, make: Make | None) -> None:
        self._account_id, self._region, self._make = account_id, region, make

    def call(self, args: pulumi_mocks.MockCallArgs) -> Any:
        if args.token == "aws:index/getCallerIdentity:getCallerIdentity":
            return {"accountId": self._account_id}
        if args.token == "aws:ec2/getVpc:getVpc":
            return {"cidrBlock": "10.20.0.0/16"}
        raise AssertionError(f"the program asks AWS for {args.token}")

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> Any:
        service, _, kind = args.typ.removeprefix("aws:").partition("/")
        kind = kind.partition(":")[0]
        name = args.inputs.get("name") or args.inputs.get("bucket") or args.name
        place = "" if service in ("iam", "s3") else self._region
        account = "" if service == "s3" else self._account_id
        separator = {"key": "key/", "role": "role/", "bucket": "", "topic": ""}.get(kind, f"{kind}/")
        state: dict[str, Any] = {
            "arn": f"arn:aws:{service}:{place}:{account}:{separator}{name}",
            "keyId": f"id-of-{args.name}",
            "arnSuffix": f"app/{name}/0",
            "dnsName": f"{args.name}.internal.example",
            "address": f"{name}.rds.example",
            "prefixListId": "pl-0000",
            "version": "1",
            "dnsEntries": [{"dnsName": f"vpce-0.{name}.example", "hostedZoneId": "Z"}],
            "masterUserSecrets": [{"secretArn": f"arn:aws:secretsmanager:{self._region}:{account}:secret:rds!db-0"}],
            "name": name,
            **args.inputs,
        }
        if self._make is not None and args.custom:
            state |= self._make(args.typ, args.inputs)
        return name if kind == "bucket" else f"{args.name}-id", state


class _Monitor(pulumi_mocks.MockMonitor):
    """Records what Pulumi's own mocks do not show: parents, protection, dependencies."""

    def __init__(self, answers: _Answers, stack: Stack) -> None:
        super().__init__(answers)
        self._stack = stack
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        if request.type != STACK_TYPE:
            pulumi_mocks._ensure_event_loop()
            resource = Resource(
                type=request.type,
                name=request.name,
                inputs=rpc.deserialize_properties(request.object),
                parent=request.parent.split("::")[2].split("$")[-1],
                custom=request.custom,
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                dependencies=tuple(request.dependencies),
            )
            with self._lock:
                self._stack.resources.append(resource)
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if f"::{STACK_TYPE}::" in request.urn:
            pulumi_mocks._ensure_event_loop()
            self._stack.outputs.update(rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)


def render(name: str, account_id: str, region: str, program: Callable[[], None], make: Make | None = None) -> Stack:
    """Run a program as one stack and return all that it declared."""
    stack = Stack(name, account_id, region)
    answers = _Answers(account_id, region, make)

    def declare() -> None:
        set_root_resource(None)
        root = pulumi.runtime.stack.Stack()
        program()
        root._finish()

    loop = asyncio.new_event_loop()  # a test before may have taken the thread's away
    asyncio.set_event_loop(loop)
    try:
        set_root_resource(None)
        pulumi.runtime.set_mocks(answers, PROJECT, name, monitor=_Monitor(answers, stack))
        _sync_await(run_pulumi_func(declare))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        set_root_resource(None)
    return stack


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    return document["Statement"]


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w-]+", text))
