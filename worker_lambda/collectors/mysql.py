"""Collects one MySQL, MariaDB or Aurora MySQL server: two statements, judged, as the items of the result object."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import UTC, datetime
from typing import Any

from worker_lambda import result_object
from worker_lambda.collectors import mysql_reader
from worker_lambda.collectors.mysql_connection import Session, session
from worker_lambda.collectors.mysql_queries import PROBE, SESSION, Facts, facts
from worker_lambda.collectors.mysql_rows import Row, read_facts, read_probe
from worker_lambda.collectors.mysql_visibility import VIEW, Visible
from worker_lambda.contract import DatabaseTarget
from worker_lambda.credentials import Credentials
from worker_lambda.errors import StatementRefused
from worker_lambda.privileges import mysql_selection, wording
from worker_lambda.privileges.mysql import Verdict, evaluate
from worker_lambda.privileges.mysql_catalogue import Account, Catalogue, Principal
from worker_lambda.privileges.mysql_rules import RULES_VERSION
from worker_lambda.privileges.mysql_selection import ExclusionPolicy
from worker_lambda.result_object import AdminUser, DatabaseConnection, DatabaseResult, DatabaseWarning, Query

EXCLUDED_VARIABLE = "DBADMIN_EXCLUDED_MYSQL_ACCOUNTS"


def collect(
    target: DatabaseTarget, credentials: Credentials, deadline: float, account_id: str, region: str
) -> DatabaseResult:
    """Read and judge one server.

    Args:
        deadline: on time.monotonic()'s clock.
        account_id, region: of the target; MySQL's rows do not need them, the signature is every collector's.

    Raises:
        DatabaseError: what kept the server from being read.
    """
    del account_id, region
    started_at = time.monotonic()
    policy = policy_from_environment()
    with session(target, credentials, deadline) as connection:
        probed = connection.query(PROBE)
        visible = read_probe(probed)
        visible, statement, rows = _facts(connection, visible)
    catalogue = read_facts(rows, statement, visible)
    stamp = _stamp(time.time())
    users = _users(target, catalogue, policy, stamp)
    digests = {name: hashlib.sha256(sql.encode()).hexdigest() for name, sql in statements(statement).items()}
    item = _connection_item(target, credentials, catalogue, users)
    item |= {
        "engine_version": _version(visible),
        "facts_at": stamp,
        "duration_ms": round((time.monotonic() - started_at) * 1000),
        "rows_fetched": len(probed) + len(rows),
        "queries": [Query(name=name, sha256=digest) for name, digest in digests.items()],
    }
    texts = {digests[name]: sql for name, sql in statements(statement).items()}
    warnings = _gap_warning(target, catalogue, visible.reader) + _warnings(target, catalogue, policy, users)
    return DatabaseResult(item, users, warnings, texts)


def _facts(connection: Session, visible: Visible) -> tuple[Visible, Facts, list[Row]]:
    """The second statement's answer; without the view, where that is broken because its creator has gone."""
    statement = facts(visible)
    try:
        return visible, statement, list(connection.query(statement.sql))
    except StatementRefused:
        if VIEW not in visible.columns:
            raise
    without = visible._replace(columns={table: c for table, c in visible.columns.items() if table != VIEW})
    statement = facts(without)
    return without, statement, list(connection.query(statement.sql))


def statements(facts_statement: Facts) -> dict[str, str]:
    """The text of each query by its name in the result object."""
    return {"mysql session": SESSION, "mysql probe": PROBE, "mysql facts": facts_statement.sql}


def _connection_item(
    target: DatabaseTarget, credentials: Credentials, catalogue: Catalogue, users: list[AdminUser]
) -> DatabaseConnection:
    """How the database ended, but for what only the caller knows of the statements."""
    listed = [user for user in users if user["excluded_by_policy"] is None]
    return {
        "name": target.name,
        "engine": target.engine,
        "product": _product(catalogue),
        "database_type": target.database_type,
        "host": credentials.host,
        "port": credentials.port,
        "status": "partial" if catalogue.gaps else "complete",
        "engine_version": None,
        "server_name": catalogue.variables.get("hostname"),
        "server_identity": _identity(catalogue),
        "server_time": None if catalogue.server_time is None else _stamp(catalogue.server_time),
        "facts_at": None,
        "duration_ms": 0,
        "rows_fetched": 0,
        "users": len(listed),
        "admins": sum(user["permission_level"] == "Admin" for user in listed),
        "queries": [],
    }


def policy_from_environment() -> ExclusionPolicy:
    """The exclusion policy: the default list, plus a JSON list of `user@host` in DBADMIN_EXCLUDED_MYSQL_ACCOUNTS."""
    text = os.environ.get(EXCLUDED_VARIABLE)
    return mysql_selection.policy_from_json(text) if text else ExclusionPolicy()


def _users(target: DatabaseTarget, catalogue: Catalogue, policy: ExclusionPolicy, stamp: str) -> list[AdminUser]:
    verdicts = evaluate(catalogue)
    granted = frozenset(edge.role for edge in catalogue.edges)
    return [
        _user(target, account, verdicts[account.principal], catalogue, policy, stamp)
        for account in catalogue.accounts
        if not mysql_selection.is_role(account, catalogue, granted)
    ]


def _user(
    target: DatabaseTarget,
    account: Account,
    verdict: Verdict,
    catalogue: Catalogue,
    policy: ExclusionPolicy,
    stamp: str,
) -> AdminUser:
    changed = account.password_changed_at
    return {
        "username": account.principal.username,
        "role_name": verdict.role_name,
        "permission_level": verdict.permission_level,
        "last_login_date": "Unknown",
        "user_status": mysql_selection.user_status(account, catalogue),
        "account_details": _details(account, verdict),
        "database_name": target.name,
        "database_type": target.database_type,
        "collection_timestamp": stamp,
        "tier": verdict.rule.tier,
        "rule_id": verdict.rule.id,
        "access_path": verdict.access_path,
        "principal_type": "account",
        "principal_class": policy.principal_class(account.principal),
        "last_login_source": "",
        "password_changed_at": _stamp(changed) if changed else None,
        "auth_plugin": account.plugin,
        "excluded_by_policy": policy.reason(account.principal),
    }


def _details(account: Account, verdict: Verdict) -> dict[str, Any]:
    return {
        "user": account.principal.user,
        "host": account.principal.host,
        "roles": [role.role_label for role in verdict.roles],
        "rights": [
            {
                "right": held.right.text,
                "tier": held.right.rule.tier,
                "rule_id": held.right.rule.id,
                "path": [role.role_label for role in held.path],
            }
            for held in verdict.rights
        ],
        "rules_version": RULES_VERSION,
    }


def _gap_warning(target: DatabaseTarget, catalogue: Catalogue, reader: Principal) -> list[DatabaseWarning]:
    if not catalogue.gaps:
        return []
    lacking = ", ".join(gap.right for gap in catalogue.gaps)
    return [
        DatabaseWarning(
            database_name=target.name,
            order=result_object.WARNING_INCOMPLETE_RIGHTS,
            text=f"Incomplete: login lacks {lacking}",
            cures=mysql_reader.cures(catalogue.gaps, catalogue.flavour, reader),
        )
    ]


def _warnings(
    target: DatabaseTarget, catalogue: Catalogue, policy: ExclusionPolicy, users: list[AdminUser]
) -> list[DatabaseWarning]:
    found: list[tuple[int, str]] = []
    enabled = {a.principal.username: a for a in catalogue.accounts if mysql_selection.can_log_in(a)}
    hidden = [
        wording.quoted(user["username"])
        for user in users
        if user["excluded_by_policy"] and user["tier"] == "0" and user["username"] in enabled
        if not policy.owned_by_provider(enabled[user["username"]], catalogue.platform)
    ]
    if hidden:
        text = f"Excluded account is an enabled administrator: {', '.join(hidden)}"
        found.append((result_object.WARNING_EXCLUDED_ADMIN, text))
    if not catalogue.gaps and all(user["excluded_by_policy"] for user in users):  # behind a gap there may be many
        found.append((result_object.WARNING_NO_ACCOUNTS, "No accounts to list"))
    return [DatabaseWarning(database_name=target.name, order=order, text=text) for order, text in found]


def _identity(catalogue: Catalogue) -> str | None:
    """What two addresses of one server have in common; None where the version has no such number.

    The number alone is not enough: a copied data directory copies MySQL's, too.
    """
    variables = catalogue.variables
    number = variables.get("server_uuid") or variables.get("server_uid")
    if not number:
        return None
    return f"{number}@{variables.get('hostname', '')}:{variables.get('port', '')}"


def _product(catalogue: Catalogue) -> str:
    if catalogue.flavour == "mariadb":
        return "mariadb"
    return "aurora-mysql" if catalogue.platform == "aurora" else "mysql"


def _version(visible: Visible) -> str:
    name = "MariaDB" if visible.flavour == "mariadb" else "MySQL"
    return f"{name} {visible.version_text}"


def _stamp(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
