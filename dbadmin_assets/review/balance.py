"""Does a manifest agree with itself? Every sum that can be formed again from its targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from dbadmin_assets.review.coverage import GONE
from dbadmin_assets.review.folder import report_folder
from dbadmin_assets.review.manifest_model import Discovered, Manifest
from dbadmin_assets.review.verdict import overall


def imbalances(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Each claim that can be checked: its name, and what is wrong with it; empty where it holds."""
    yield "population", "; ".join(_population(manifest))
    databases = [database for target in manifest.targets for database in target.databases]
    counts = {
        "targets": len(manifest.targets),
        "users": sum(d.users for d in databases),
        "admins": sum(d.admins for d in databases),
        "excludedPrincipals": sum(len(d.excluded_principals) for d in databases),
    }
    said = msgspec.to_builtins(manifest.counts)
    yield "counts", _differs({name: said[name] for name in counts}, counts)
    complete = bool(databases) and all(d.status == "complete" for d in databases)
    yield "complete", _differs(manifest.complete, complete)
    wrong = [
        f"{target.account_id} {target.region} is said to be {target.status}"
        for target in manifest.targets
        if target.status != overall(tuple(d.status for d in target.databases))
    ]
    yield "targets", ", ".join(wrong)
    if not isinstance(manifest.discovered, msgspec.UnsetType):
        yield "discovered", "; ".join(_discovered(manifest, manifest.discovered))
    whole = any(request.full_scope for request in manifest.requests)
    yield "scope", "a request covers the whole inventory" if whole and not manifest.scope.full else ""


def misplaced(manifest: Manifest, folder: str) -> str:
    """Why a report is not the one of this folder; empty where it is.

    Args:
        folder: its key prefix or the last part of it, without the slash at the end.
    """
    try:
        own = report_folder(manifest.ended_at, manifest.collection_id).rstrip("/")
    except ValueError as error:
        return str(error)
    return "" if folder in (own, own.rsplit("/", 1)[-1]) else f"it is the manifest of {own}"


def _population(manifest: Manifest) -> Iterator[str]:
    statuses = Counter(d.status for target in manifest.targets for d in target.databases)
    found = {
        "declared": statuses.total() + sum(len(target.excluded) for target in manifest.targets),
        "complete": statuses["complete"],
        "partial": statuses["partial"],
        "failed": statuses["failed"],
        "excluded": sum(len(target.excluded) for target in manifest.targets),
    }
    if wrong := _differs(msgspec.to_builtins(manifest.population), found):
        yield wrong
    names = Counter(
        (target.account_id, target.region, name)
        for target in manifest.targets
        for name in [d.name for d in target.databases] + [d.name for d in target.excluded]
    )
    yield from (f"{' '.join(name)} stands there {number} times" for name, number in names.items() if number > 1)
    targets = Counter((target.account_id, target.region) for target in manifest.targets)
    yield from (f"{' '.join(name)} stands there {number} times" for name, number in targets.items() if number > 1)


def _discovered(manifest: Manifest, said: Discovered) -> Iterator[str]:
    """Every target once, every found database known or listed, what is gone declared, failed and warned of.

    Not the other way round: the rest of a warning is made of names on the servers, which may read like any sentence.
    """
    places = [(target.account_id, target.region) for target in manifest.targets]
    if [(looked.account_id, looked.region) for looked in said.targets] != places:
        yield "its targets are not those of the manifest"
    unlisted = Counter((item.account_id, item.region) for item in said.undeclared)
    complete = set()
    for looked in said.targets:
        place = (looked.account_id, looked.region)
        left = unlisted.pop(place, 0)
        if looked.found != looked.known + left:
            yield f"{' '.join(place)}: {looked.found} found are not {looked.known} known + {left} undeclared"
        if looked.status in ("off", "unknown") and looked.found:
            yield f"{' '.join(place)}: {looked.found} found, although nobody looked"
        if looked.status == "complete":
            complete.add(place)
    yield from (f"undeclared databases in {' '.join(place)}, which is no target" for place in unlisted)
    if said.complete != (len(complete) == len(said.targets)):
        yield f"complete is {said.complete}, in {len(complete)} of {len(said.targets)} targets it is"
    told = {(t.account_id, t.region, d.name): d for t in manifest.targets for d in t.databases}
    gone = Counter((item.account_id, item.region, item.name) for item in said.gone)
    for entry, number in gone.items():
        database = told.get(entry)
        if database is None or database.status != "failed" or GONE not in (database.warning or "").split("; "):
            yield f"{' '.join(entry)} is gone, and no failed database with that warning"
        if number > 1 or entry[:2] not in complete:
            yield f"{' '.join(entry)} is gone {number} times, or where the discovery is not complete"


def _differs(said: object, found: object) -> str:
    return "" if said == found else f"the manifest says {said}, its targets come to {found}"
