"""What a type cannot say about an inventory: contradictions between entries of the document.

Works on the document as it was read, valid or not, so that these problems are listed together with the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dbadmin_assets.inventory_schema import SECRET_NAME, fill
from dbadmin_assets.inventory_yaml import Path, Problem, place
from worker_lambda.contract import DEFAULT_PORTS


def contradictions(document: Any) -> list[Problem]:
    """Duplicate databases, databases without a way to log in, combinations that no engine has."""
    problems: list[Problem] = []
    defaults = _mapping(_mapping(document).get("defaults"))
    for account_id, region, path, databases in _regions(document):
        names: dict[str, Path] = {}
        servers: dict[tuple[str, int], Path] = {}  # not beyond: two accounts may well use one private address
        for index, database in enumerate(databases):
            if not isinstance(database, dict):
                continue
            here = (*path, index)
            problems += _login(database, defaults, account_id, region, here)
            name = database.get("name")
            if isinstance(name, str):
                _first(names, name, (*here, "name"), f"{name!r} is the name of another database here, too", problems)
            server = _server(database)
            if server:
                text = f"{server[0]}:{server[1]} is another entry here, too"
                _first(servers, server, (*here, "host"), text, problems)
    return problems


def _first(seen: dict[Any, Path], key: Any, here: Path, text: str, problems: list[Problem]) -> None:
    earlier = seen.setdefault(key, here)
    if earlier != here:
        problems.append((here, f"{text}: {place(earlier[:-1])}"))


def _regions(document: Any) -> Iterator[tuple[str, str, Path, list[Any]]]:
    for account_id, account in _mapping(_mapping(document).get("accounts")).items():
        for region, entry in _mapping(_mapping(account).get("regions")).items():
            databases = _mapping(entry).get("databases")
            if isinstance(databases, list):
                yield account_id, region, ("accounts", account_id, "regions", region, "databases"), databases


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _server(database: dict[str, Any]) -> tuple[str, int] | None:
    host, port = database.get("host"), database.get("port") or DEFAULT_PORTS.get(str(database.get("engine")))
    if not isinstance(host, str) or not isinstance(port, int):
        return None
    return host.lower().rstrip("."), port


def _login(
    database: dict[str, Any], defaults: dict[str, Any], account_id: str, region: str, here: Path
) -> Iterator[Problem]:
    def value(key: str) -> Any:
        own = database.get(key)
        return defaults.get(key) if own is None else own

    secret = value("secret")
    if isinstance(secret, str) and isinstance(database.get("name"), str):
        yield from _expanded(secret, database["name"], account_id, region, here)
    if value("auth") != "iam":
        if secret is None:
            yield here, "has no secret, and defaults.secret is not set"
        return
    if database.get("engine") == "mssql":
        yield (*here, "auth"), "iam is not available for SQL Server, only for MySQL and MariaDB on RDS and Aurora"
    if value("tls") == "off":
        yield (*here, "tls"), "iam needs TLS, for its token would be sent in clear text"
    if secret is None:
        for key in ("host", "username"):
            if value(key) is None:
                yield here, f"has auth: iam and no secret, so it needs a {key}"


def _expanded(secret: str, name: str, account_id: str, region: str, here: Path) -> Iterator[Problem]:
    full = fill(secret, database=name, account=account_id, region=region)
    if (
        full != secret
        and SECRET_NAME.fullmatch(secret.replace("{", "").replace("}", ""))
        and not SECRET_NAME.fullmatch(full)
    ):
        yield here, f"its secret would be {full[:120]!r}, which no secret can be called: give it a secret of its own"
