"""One declared SQL Server in, its judged principals out: child process, catalogue, evaluation, result."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from worker_lambda.collectors import sqlserver_queries as queries
from worker_lambda.collectors.sqlserver_child import Request
from worker_lambda.collectors.sqlserver_freetds import ENCRYPTION, configuration
from worker_lambda.collectors.sqlserver_process import run_child
from worker_lambda.contract import DatabaseTarget, Reason
from worker_lambda.credentials import Credentials
from worker_lambda.errors import CollectionFailed, ConnectionFailed
from worker_lambda.privileges.sqlserver import Evaluation, evaluate
from worker_lambda.privileges.sqlserver_catalogue import Server, parse
from worker_lambda.result_object import DatabaseResult

LOGIN_TIMEOUT_SECONDS = 15
QUERY_TIMEOUT_SECONDS = 60
# Naming it avoids error 4064 where a login's own default database is gone.
DEFAULT_DATABASE = "master"


def collect(
    target: DatabaseTarget,
    credentials: Credentials,
    deadline: float,
    account_id: str,  # noqa: ARG001 - every collector's signature
    region: str,  # noqa: ARG001
) -> DatabaseResult:
    """Read one server and judge its principals.

    Args:
        target: as the inventory declares it.
        credentials: host, port, login and password to use.
        deadline: on time.monotonic()'s clock; the reading process is killed then.
        account_id, region: of the target; part of every collector's signature, not needed here.

    Raises:
        DatabaseError: with the reason of the ERROR row.
    """
    started = time.monotonic()
    if target.auth != "password":
        raise ConnectionFailed(Reason.AUTHENTICATION_FAILED, "SQL Server has no IAM authentication")
    conf = configuration(credentials.host, credentials.port, target.tls, target.ca_file)
    output = run_child(_request(target, credentials, deadline), conf, deadline)
    facts_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        server = parse(output)
        evaluation = evaluate(server, target.name, facts_at, target.master_username)
    except ValueError as error:
        raise CollectionFailed(Reason.UNEXPECTED_ANSWER, str(error)) from error
    return _result(target, credentials, output, server, evaluation, facts_at, started)


def _request(target: DatabaseTarget, credentials: Credentials, deadline: float) -> Request:
    remaining = deadline - time.monotonic()
    return {
        "host": credentials.host,
        "port": credentials.port,
        "username": credentials.username,
        "password": credentials.password,
        "database": target.database or credentials.database or DEFAULT_DATABASE,
        "encryption": ENCRYPTION[target.tls],
        "login_timeout_seconds": int(max(1, min(LOGIN_TIMEOUT_SECONDS, remaining - 1))),
        "query_timeout_seconds": QUERY_TIMEOUT_SECONDS,
        "remaining_seconds": remaining,
    }


def _result(
    target: DatabaseTarget,
    credentials: Credentials,
    output: dict[str, Any],
    server: Server,
    evaluation: Evaluation,
    facts_at: str,
    started: float,
) -> DatabaseResult:
    texts = queries.all_queries()
    listed = [u for u in evaluation.users if u["excluded_by_policy"] is None]
    return DatabaseResult(
        connection={
            "name": target.name,
            "engine": "mssql",
            "product": "sqlserver",
            "database_type": target.database_type,
            "host": credentials.host,
            "port": credentials.port,
            "status": "partial" if evaluation.is_partial else "complete",
            "engine_version": server.version,
            "server_name": server.name,
            "server_identity": server.identity,
            "server_time": server.server_time,
            "facts_at": facts_at,
            "duration_ms": round((time.monotonic() - started) * 1000),
            "rows_fetched": _rows_fetched(output),
            "users": len(listed),
            "admins": sum(1 for u in listed if u["permission_level"] == "Admin"),
            "queries": [{"name": name, "sha256": queries.sha256(text)} for name, text in texts.items()],
        },
        users=evaluation.users,
        warnings=evaluation.warnings,
        queries={queries.sha256(text): text for text in texts.values()},
    )


def _rows_fetched(output: dict[str, Any]) -> int:
    inside = [item["tables"] for item in output["databases"] if item["tables"]]
    return sum(len(table["rows"]) for tables in [output["tables"], *inside] for table in tables.values())
