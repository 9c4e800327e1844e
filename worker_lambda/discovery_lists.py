"""What RDS and EC2 list of databases, page by page, and what they are for the inventory. Clients are given."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from worker_lambda.result_object import FoundDatabase

_PAGE_SIZE = 100
_EC2_STATES = ["pending", "running", "stopping", "stopped"]  # all but those that are gone
_MYSQL = {"mysql", "mariadb", "aurora-mysql", "aurora"}  # `aurora`: version 1
_MSSQL = ("sqlserver-", "custom-sqlserver-")  # editions; the second is RDS Custom


class IncompleteError(Exception):
    """A part could not be listed; says which and why. `unreachable`: asking the service again would cost as long."""

    def __init__(self, told: str, *, unreachable: bool = False) -> None:
        super().__init__(told)
        self.unreachable = unreachable


Part = list[FoundDatabase] | IncompleteError


def _pages(client: Any, operation: str, until: float, **arguments: Any) -> Iterator[dict[str, Any]]:
    """The pages of a listing.

    Raises:
        IncompleteError: refused, unreachable, or the time is over before the last page.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    action = f"{client.meta.service_model.service_name}:{client.meta.method_to_api_mapping[operation]}"
    paginator = client.get_paginator(operation)
    try:
        for page in paginator.paginate(PaginationConfig={"PageSize": _PAGE_SIZE}, **arguments):
            yield page
            if time.monotonic() > until:
                raise IncompleteError(f"{action} was not finished in time")
    except ClientError as error:
        raise IncompleteError(f"{error.response.get('Error', {}).get('Code', 'refused')} on {action}") from error
    except BotoCoreError as error:
        raise IncompleteError(f"{type(error).__name__} on {action}", unreachable=True) from error


def clusters_and_instances(client: Any, until: float) -> Iterator[Part]:
    """Clusters with their members' addresses, then the instances that are in no listed cluster."""
    clusters: dict[str, FoundDatabase] = {}
    try:
        for page in _pages(client, "describe_db_clusters", until):
            for item in page["DBClusters"]:
                if engine := _engine(item["Engine"]):
                    clusters[item["DBClusterIdentifier"]] = _cluster(item, engine)
    except IncompleteError as error:
        yield error
        if error.unreachable:
            return
    alone: list[FoundDatabase] = []
    try:
        for page in _pages(client, "describe_db_instances", until):
            for item in page["DBInstances"]:
                _place(item, clusters, alone)
    except IncompleteError as error:
        yield error
    yield [*clusters.values(), *alone]


def _place(item: dict[str, Any], clusters: dict[str, FoundDatabase], alone: list[FoundDatabase]) -> None:
    """An instance is one more address of its cluster, else a database of its own, a read replica too."""
    engine = _engine(item["Engine"])
    if engine is None:
        return
    instance = _instance(item, engine)
    cluster = clusters.get(item.get("DBClusterIdentifier") or "")
    if cluster is None:
        alone.append(instance)
        return
    addresses = {*cluster["addresses"], *instance["addresses"], instance["host"]} - {None, cluster["host"]}
    cluster["addresses"] = sorted(str(address) for address in addresses)


def _engine(product: str) -> str | None:
    """The inventory's word for a product of RDS; None for what this tool does not read."""
    if product in _MYSQL:
        return "mysql"
    return "mssql" if product.startswith(_MSSQL) else None


def _cluster(item: dict[str, Any], engine: str) -> FoundDatabase:
    return {
        "identifier": item["DBClusterIdentifier"],
        "arn": item["DBClusterArn"],
        "kind": "cluster",
        "engine": engine,
        "product": item["Engine"],
        "state": item.get("Status", "unknown"),
        "host": item.get("Endpoint"),
        "port": item.get("Port"),
        "addresses": sorted(filter(None, [item.get("ReaderEndpoint"), *item.get("CustomEndpoints", [])])),
    }


def _instance(item: dict[str, Any], engine: str) -> FoundDatabase:
    endpoint = item.get("Endpoint", {})  # none while it is made
    listener = item.get("ListenerEndpoint", {}).get("Address")  # of an Always On group of SQL Server
    return {
        "identifier": item["DBInstanceIdentifier"],
        "arn": item["DBInstanceArn"],
        "kind": "instance",
        "engine": engine,
        "product": item["Engine"],
        "state": item.get("DBInstanceStatus", "unknown"),
        "host": endpoint.get("Address"),
        "port": endpoint.get("Port"),
        "addresses": [listener] if listener else [],
    }


def tagged_hosts(client: Any, tag: str, until: float) -> Iterator[Part]:
    """EC2 instances that carry the tag; a value that names no engine is told, for somebody meant something by it."""
    found: list[FoundDatabase] = []
    place = f"arn:{client.meta.partition}:ec2:{client.meta.region_name}"
    states = {"Name": "instance-state-name", "Values": _EC2_STATES}
    try:
        for page in _pages(client, "describe_instances", until, Filters=[_filter(tag), states]):
            for reservation in page["Reservations"]:
                for item in reservation["Instances"]:
                    value = next(t["Value"] for t in item["Tags"] if t["Key"] == tag)
                    engine = value.strip().lower()
                    if engine in ("mysql", "mssql"):
                        found.append(_host(item, engine, f"{place}:{reservation['OwnerId']}:instance/"))
                    else:
                        told = f"tag value {value[:40]!a}, which is neither mysql nor mssql"
                        yield IncompleteError(f"{item['InstanceId']} has the {told}")
    except IncompleteError as error:
        yield error
    yield found


def _filter(tag: str) -> dict[str, Any]:
    """EC2 takes `*` and `?` for wildcards, unless they are escaped."""
    return {"Name": "tag-key", "Values": [tag.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")]}


def _host(item: dict[str, Any], engine: str, arn: str) -> FoundDatabase:
    addresses = {item.get(name) for name in ("PrivateDnsName", "PrivateIpAddress", "PublicDnsName", "PublicIpAddress")}
    for interface in item.get("NetworkInterfaces", []):  # a failover cluster listens on a secondary address
        for address in interface.get("PrivateIpAddresses", []):
            addresses |= {address.get("PrivateIpAddress"), address.get("PrivateDnsName")}
    host = item.get("PrivateDnsName") or item.get("PrivateIpAddress") or None
    return {
        "identifier": item["InstanceId"],
        "arn": arn + item["InstanceId"],
        "kind": "host",
        "engine": engine,
        "product": "ec2",
        "state": item["State"]["Name"],
        "host": host,
        "port": None,  # AWS does not know it
        "addresses": sorted(str(address) for address in addresses if address and address != host),
    }
