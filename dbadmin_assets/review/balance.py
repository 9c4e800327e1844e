"""Does a manifest agree with itself? Every sum that can be formed again from its targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from dbadmin_assets.review.folder import report_folder
from dbadmin_assets.review.manifest_model import Manifest
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


def _differs(said: object, found: object) -> str:
    return "" if said == found else f"the manifest says {said}, its targets come to {found}"
