"""The inventory document of a planned organization, as the product reads it."""

from __future__ import annotations

from typing import Any

import yaml

from infra.policies import SECRET_PATH, Estate
from sandbox.databases import Endpoint
from sandbox.plan import Plan, PlannedDatabase, Server


def inventory(plan: Plan, estate: Estate, endpoints: dict[tuple[Server, int], Endpoint]) -> str:
    """YAML text: every database of the plan at the address where its server listens."""
    accounts: dict[str, Any] = {}
    for account_id in plan.accounts:
        regions: dict[str, Any] = {}
        for item in (d for d in plan.databases if d.account_id == account_id):
            entries = regions.setdefault(item.region, {"databases": []})["databases"]
            entries.append(_entry(item, endpoints.get((item.server, item.instance))))
        accounts[_Quoted(account_id)] = {"name": plan.account_names.get(account_id, account_id), "regions": regions}
    document = {
        "version": 1,
        "defaults": {"secret": f"{SECRET_PATH}{{database}}", "tls": "verify-full"},
        "worker": {
            "role_name": estate.invoker_role,
            "function_name": estate.function,
            "external_id": estate.external_id,
            "writer_role_name": estate.writer_role,
            "timeout_seconds": max(10, int(plan.timeout_seconds)),
            **({"discover": True} if plan.undeclared else {}),
        },
        "accounts": accounts,
    }
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


class _Quoted(str):
    """Text that must not be read as a number: without quotes an account id may lose its leading zeros."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def _entry(item: PlannedDatabase, where: Endpoint | None) -> dict[str, Any]:
    if item.exclude:  # `.invalid` never resolves (RFC 6761): nobody can read it by mistake
        return {"name": item.name, "engine": item.engine, "host": f"{item.name}.invalid", "exclude": item.exclude}
    assert where is not None
    entry: dict[str, Any] = {"name": item.name, "engine": item.engine, "host": where.host, "port": where.port}
    if where.ca_file:
        entry["ca_file"] = str(where.ca_file)
    else:  # a server that a person named in the environment: we do not know who signed its certificate
        entry["tls"] = "require"
    return entry
