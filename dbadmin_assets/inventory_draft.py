"""Entries for databases that the inventory does not have, as YAML for a person to finish: the secret is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from dbadmin_assets.inventory import Target
from dbadmin_assets.inventory_schema import DatabaseEntry, explain
from worker_lambda.contract import ACCOUNT_ID, REGION

_UNBROKEN = 1_000_000


@dataclass(frozen=True, slots=True)
class Unknown:
    """A database that runs and is not declared. All of it was written by somebody else."""

    account_id: str
    region: str
    identifier: str
    engine: str
    host: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class Draft:
    """The document, empty where there is nothing to draft, and a sentence for each database that it leaves out."""

    text: str
    left_out: tuple[str, ...]


def draft(unknown: Iterable[Unknown], targets: Iterable[Target]) -> Draft:
    """An inventory of these databases only, without the login of any.

    Args:
        targets: of the inventory; a name that is taken there gets a number behind it.
    """
    taken = {(t.account_id, t.region): {d.name for d in (*t.databases, *t.excluded)} for t in targets}
    lines: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    left_out = []
    for item in sorted(unknown, key=lambda u: (u.account_id, u.region, u.identifier)):
        names = taken.setdefault((item.account_id, item.region), set())
        entry = _entry(item, names)
        if wrong := _wrong(item, entry):
            left_out.append(f"{item.account_id} {item.region} {item.identifier}: {wrong}")
            continue
        names.add(entry["name"])
        text = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=_UNBROKEN).strip()
        lines[item.account_id][item.region].append(f"          - {text}  # TODO secret")
    return Draft("\n".join(_document(lines)) + "\n" if lines else "", tuple(left_out))


def _document(lines: dict[str, defaultdict[str, list[str]]]) -> Iterable[str]:
    yield from ("version: 1", "accounts:")
    for account_id, regions in lines.items():
        yield from (f'  "{account_id}":', "    regions:")
        for region, entries in regions.items():
            yield from (f"      {region}:", "        databases:", *entries)


def _entry(item: Unknown, taken: set[str]) -> dict[str, Any]:
    name, number = item.identifier, 1
    while name in taken:
        number += 1
        name = f"{item.identifier}-{number}"
    values = {"name": name, "engine": item.engine, "host": item.host, "port": item.port}
    return {key: value for key, value in values.items() if value is not None}


def _wrong(item: Unknown, entry: dict[str, Any]) -> str:
    """Why an entry could not stand in an inventory; empty where it can."""
    if not ACCOUNT_ID.fullmatch(item.account_id) or not REGION.fullmatch(item.region):
        return "this is no account and region"
    if item.host is None:
        return "it has no address yet"
    try:
        DatabaseEntry.model_validate(entry)
    except ValidationError as error:
        return "; ".join(f"its {e['loc'][0]} {explain(dict(e))}" for e in error.errors(include_url=False))
    return ""
