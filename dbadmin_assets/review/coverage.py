"""The inventory against reality: what AWS lists in a target that is not declared, and what is declared and gone.

Matched by address, never by name (docs/coverage.md). In doubt a database is undeclared, which a person can look up,
and never gone, which nobody would.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, Protocol

from dbadmin_assets.review.records import TargetRecord
from dbadmin_assets.review.settle import NOTHING, ResultDiscovery, ResultFound, Settled
from dbadmin_assets.review.times import whole_seconds
from worker_lambda.contract import DATABASE_TYPES

LookStatus = Literal["complete", "failed", "off", "unknown"]

NOT_IN_INVENTORY = "Not in inventory"
GONE = "Not in AWS any more: RDS does not list its endpoint"

_MOST_LETTERS = 255  # of a name or address
_MOST_REASON = 2000
# name.hash.region: the hash is of an account and region. Of a proxy it begins with `proxy-`, and RDS was not asked.
_ENDPOINT = re.compile(
    r"[^.]+\.(?:cluster-(?:ro-|custom-)?)?(?P<hash>[a-z0-9]+)\."
    r"(?:(?P<region>[a-z0-9-]+)\.rds\.amazonaws\.com|rds\.(?P<china>[a-z0-9-]+)\.amazonaws\.com\.cn)"
)


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A database that AWS lists and the inventory has neither declared nor excluded; raw text."""

    identifier: str
    engine: str
    product: str
    state: str
    host: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class Gone:
    """A declared database that gave no data and that RDS does not list any more."""

    name: str
    host: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """One target.

    Attributes:
        status: `unknown` where no worker told: there is no result object, or it is of an older worker's.
        reason: why it is not complete; None for complete and off.
        at: when AWS was asked.
        found: databases that AWS lists: `known` ones, which the inventory has, and the undeclared.
    """

    status: LookStatus
    reason: str | None = None
    at: str | None = None
    found: int = 0
    known: int = 0
    undeclared: tuple[Undeclared, ...] = ()
    gone: tuple[Gone, ...] = ()


NOT_LOOKED = Coverage("unknown", "nobody looked")
OLDER_WORKER = "the worker is of a version that does not look"


def compare(record: TargetRecord, settled: Settled) -> Coverage:
    """Hold what the worker found against what the inventory declares.

    Args:
        settled: the target as the report shows it, with its result object.
    """
    discovery = settled.result.discovery
    if discovery is None:
        return Coverage("unknown", _why_unknown(record, settled))
    if discovery.status == "off":
        return Coverage("off")
    if wrong := _wrong(discovery):
        return Coverage("failed", f"the worker's list of databases is not believed: {wrong}")
    found, at = discovery.found, whole_seconds(discovery.at or "")
    declared = known_addresses(
        [(d.host, d.port) for d in record.declared],
        [(d.host, d.port) for d in record.excluded],
        [(c.host, c.port) for c in settled.result.databaseConnections if c.name in settled.covered],
    )
    unknown = [item for item in found if not is_known(item, declared)]
    gone = _gone(record, settled, found) if discovery.status == "complete" else ()
    reason = discovery.reason[:_MOST_REASON] if discovery.reason else None
    undeclared = tuple(
        Undeclared(item.identifier, item.engine, item.product, item.state, item.host, item.port)
        for item in sorted(unknown, key=lambda item: (item.identifier, item.host or "", item.product))
    )
    return Coverage(discovery.status, reason, at, len(found), len(found) - len(undeclared), undeclared, gone)


Addresses = dict[str, set[int | None]]
"""Ports by host in lower case; None where any port is meant, for the inventory says none and nobody connected."""


def known_addresses(*pairs: Iterable[tuple[str | None, int | None]]) -> Addresses:
    """The addresses of lists of (host, port).

    An entry without a port has any, for its secret may hold one.
    """
    addresses: Addresses = {}
    for host, port in chain(*pairs):
        if host:
            addresses.setdefault(_host(host), set()).add(port)
    return addresses


class Found(Protocol):
    """A database that AWS lists. One of a worker has further `addresses`."""

    @property
    def host(self) -> str | None: ...

    @property
    def port(self) -> int | None: ...


def is_known(found: Found, declared: Addresses) -> bool:
    """Whether a declared address is one of a found database. AWS knows no port of a host: any will do."""
    hosts = [found.host, *(found.addresses if isinstance(found, ResultFound) else ())]
    ports = [declared[_host(host)] for host in hosts if host and _host(host) in declared]
    return any(found.port is None or None in port or found.port in port for port in ports)


class Place(Protocol):
    """An account and region, whatever else is known of it."""

    @property
    def account_id(self) -> str: ...

    @property
    def region(self) -> str: ...


def discovered(targets: Iterable[tuple[Place, Coverage]]) -> dict[str, Any]:
    """The manifest's section `discovered`, JSON-ready."""
    pairs = [({"accountId": place.account_id, "region": place.region}, coverage) for place, coverage in targets]
    return {
        "complete": all(coverage.status == "complete" for _, coverage in pairs),
        "targets": [
            place | {"status": c.status, "reason": c.reason, "found": c.found, "known": c.known} for place, c in pairs
        ],
        "undeclared": [
            place
            | {
                "identifier": item.identifier,
                "engine": item.engine,
                "product": item.product,
                "state": item.state,
                "host": item.host,
                "port": item.port,
            }
            for place, coverage in pairs
            for item in coverage.undeclared
        ],
        "gone": [place | {"name": item.name, "host": item.host} for place, c in pairs for item in c.gone],
    }


def _why_unknown(record: TargetRecord, settled: Settled) -> str:
    if settled.result is not NOTHING:
        return OLDER_WORKER
    outcome = record.outcome
    if outcome is None:
        return "no verdict on this target exists"
    if outcome.reason:
        return outcome.reason
    return "there is no result object" if outcome.databases else "every database there is excluded: no worker was asked"


def _wrong(discovery: ResultDiscovery) -> str:
    """Why a list cannot be shown or matched: it comes from another account. Empty where it can."""
    try:
        whole_seconds(discovery.at or "")
    except ValueError as error:
        return str(error)
    for item in discovery.found:
        texts = [item.identifier, item.product, item.state, *item.addresses, item.host or "-"]
        if not all(1 <= len(text) <= _MOST_LETTERS for text in texts):
            return "a text is empty or too long"
        if item.engine not in DATABASE_TYPES:
            return f"engine {item.engine[:40]!a}"
        if item.port is not None and not 0 <= item.port <= 65535:
            return f"port {item.port}"
    return ""


def _gone(record: TargetRecord, settled: Settled, found: Iterable[ResultFound]) -> tuple[Gone, ...]:
    """Databases that gave no data, at endpoints of this account and region that RDS lists no more."""
    listed = {_host(host) for item in found for host in (item.host, *item.addresses) if host}
    hashes = {hash_ for host in listed if (hash_ := _hash(host, record.region))}
    connected = {c.name: c.host for c in settled.result.databaseConnections}
    declared = {d.name: d.host for d in record.declared}
    gone = []
    for database in settled.databases:
        if database.status != "failed" or database.name not in settled.covered:
            continue
        hosts = [_host(h) for h in (declared.get(database.name), connected.get(database.name)) if h]
        own = [_hash(host, record.region) for host in hosts]
        # The hash in what RDS lists tells an endpoint of this account from one of another.
        if hosts and not listed & set(hosts) and all(h in hashes for h in own):
            gone.append(Gone(database.name, hosts[0]))
    return tuple(gone)


def _hash(host: str, region: str) -> str | None:
    match = _ENDPOINT.fullmatch(host)
    return match["hash"] if match and region in (match["region"], match["china"]) else None


def _host(host: str) -> str:
    return host.lower().rstrip(".")
