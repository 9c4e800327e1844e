"""Which targets a report covers and which verdict counts for each: requests on one side, outcomes on the other.

A target that was asked for is never dropped: without a verdict it stays, and becomes ERROR rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from dbadmin_assets.review.errors import ContradictionError
from dbadmin_assets.review.records import (
    DeclaredDatabase,
    ExcludedDatabase,
    Outcome,
    Request,
    RequestedTarget,
    TargetRecord,
)

_MOST_NAMED = 3

_Entry = tuple[str, str, str]  # account, region, database


def reconcile(
    requests: Iterable[Request],
    outcomes: Iterable[Outcome],
    *,
    declared: Sequence[RequestedTarget] | None = None,
) -> list[TargetRecord]:
    """The targets of a report, sorted by account and region.

    Args:
        requests: what the runs of one collection were asked for; their targets together are the population.
        outcomes: verdicts; of several on one target the latest counts.
        declared: where given, exactly these targets are the population, and outcomes may come from several
            collections (a report of the whole inventory from what is known of it).

    Raises:
        ContradictionError: two collections mixed up, a verdict nobody asked for, one database with two engines.
    """
    if declared is None:
        requests = sorted(requests, key=lambda r: (r.requested_at, r.run_id))
        outcomes = list(outcomes)
        _refuse_mixed_collections(requests, outcomes)
        targets = _union([t for request in requests for t in request.targets])
    else:
        targets = _union(declared)
    latest = _latest(outcomes)
    if unasked := sorted(latest.keys() - targets.keys()):
        raise ContradictionError(f"verdicts on targets that nobody asked for: {', '.join(unasked)}")
    if declared is None:
        _refuse_undeclared_databases(targets, latest)
    same = _same_servers(targets, latest)
    return [
        TargetRecord(
            account_id=target.account_id,
            account_name=target.account_name,
            region=target.region,
            declared=target.declared,
            excluded=target.excluded,
            outcome=latest.get(target.key),
            same_servers=tuple(same.get(target.key, ())),
        )
        for target in sorted(targets.values(), key=lambda t: (t.account_id, t.region))
    ]


def _refuse_mixed_collections(requests: Sequence[Request], outcomes: Sequence[Outcome]) -> None:
    ids = {r.collection_id for r in requests} | {o.collection_id for o in outcomes}
    if len(ids) > 1:
        raise ContradictionError(f"requests and outcomes of different collections: {', '.join(sorted(ids))}")


def _union(targets: Iterable[RequestedTarget]) -> dict[str, RequestedTarget]:
    """Targets by key. The inventory may have changed between two runs: what either asked for was asked for."""
    union: dict[str, RequestedTarget] = {}
    for target in targets:
        before = union.get(target.key)
        union[target.key] = _merged(before, target) if before else target
    return union


def _merged(before: RequestedTarget, after: RequestedTarget) -> RequestedTarget:
    declared: dict[str, DeclaredDatabase] = {}
    for database in (*before.declared, *after.declared):
        first = declared.setdefault(database.name, database)
        if first.engine != database.engine:
            raise ContradictionError(
                f"{after.key}: database {database.name!r} was asked for as {first.engine} and as {database.engine}"
            )
    excluded: dict[str, ExcludedDatabase] = {
        d.name: d for d in (*before.excluded, *after.excluded) if d.name not in declared
    }
    return RequestedTarget(
        account_id=after.account_id,
        account_name=after.account_name or before.account_name,
        region=after.region,
        declared=tuple(sorted(declared.values(), key=lambda d: d.name)),
        excluded=tuple(sorted(excluded.values(), key=lambda d: d.name)),
    )


def _latest(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    latest: dict[str, Outcome] = {}
    for outcome in outcomes:
        before = latest.get(outcome.key)
        if before is None or _age(outcome) > _age(before):
            latest[outcome.key] = outcome
    return latest


def _age(outcome: Outcome) -> tuple[str, str, str, bytes]:
    """Ends in the record itself, so that two verdicts of one second are not told apart by their order."""
    return outcome.ended_at, outcome.collection_id, outcome.run_id, outcome.to_json()


def _refuse_undeclared_databases(targets: dict[str, RequestedTarget], latest: dict[str, Outcome]) -> None:
    for key, outcome in sorted(latest.items()):
        asked = {d.name: d.engine for d in targets[key].declared}
        for database in outcome.databases:
            if asked.get(database.name) != database.engine:
                raise ContradictionError(
                    f"{key}: the verdict is about {database.engine} database {database.name!r}, which was not asked for"
                )


def _same_servers(targets: dict[str, RequestedTarget], latest: dict[str, Outcome]) -> dict[str, list[tuple[str, str]]]:
    """Entries of different targets that proved to be one server. Within a target the worker says it itself."""
    entries: defaultdict[tuple[str, str], list[_Entry]] = defaultdict(list)
    for key, outcome in sorted(latest.items()):
        asked = {d.name for d in targets[key].declared}
        for database in outcome.databases:
            if database.server_identity and database.status != "failed" and database.name in asked:
                entry = (outcome.account_id, outcome.region, database.name)
                entries[database.engine, database.server_identity].append(entry)
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for group in entries.values():
        places = {entry[:2] for entry in group}
        for account_id, region, name in group if len(places) > 1 else ():
            others = [e for e in group if e[:2] != (account_id, region)]
            found[f"{account_id}|{region}"].append((name, _named(others)))
    return found


def _named(entries: Sequence[_Entry]) -> str:
    named = [f"{name} in {account_id} {region}" for account_id, region, name in entries[:_MOST_NAMED]]
    more = len(entries) - len(named)
    return ", ".join(named) + (f", +{more} more" if more else "")
