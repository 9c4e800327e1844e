"""Many databases at once: what one of them does costs only itself, and nothing is left out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from worker_lambda.collect import collect
from worker_lambda.contract import DatabaseTarget, Reason, ResultLocation, WorkerRequest
from worker_lambda.credentials import Credentials
from worker_lambda.errors import ConnectionFailed
from worker_lambda.result_object import Collection, DatabaseResult

PLACE = ResultLocation("bucket", "collections/c/111111111111/us-east-1/1.json", "us-east-1", "arn")
NOW = "2026-01-15T14:22:33Z"


class Secrets:
    """Secrets Manager with one login for every name, or the error it is given."""

    def __init__(self, text: str = '{"username": "reader", "password": "hunter2"}') -> None:
        self.text = text

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        return {"SecretString": self.text}


def request(*names: str) -> WorkerRequest:
    databases = tuple(DatabaseTarget(name, "mysql", "db.internal", secret="s") for name in names)
    return WorkerRequest("c", "r", 1, "111111111111", "us-east-1", PLACE, databases)


def result(target: DatabaseTarget, identity: str) -> DatabaseResult:
    return DatabaseResult(
        {
            "name": target.name, "engine": "mysql", "product": "mysql", "database_type": "MySQL", "host": "h",
            "port": 3306, "status": "complete", "engine_version": "8.4.0", "server_name": "s",
            "server_identity": identity, "server_time": NOW, "facts_at": NOW, "duration_ms": 1, "rows_fetched": 0,
            "users": 0, "admins": 0, "queries": [],
        }
    )  # fmt: skip


Behaviour = Callable[[DatabaseTarget, float], DatabaseResult]


def run(behave: Behaviour, *names: str, seconds: float = 30.0, secrets: Secrets | None = None) -> Collection:
    def collector(engine: str) -> Any:
        def read(target: DatabaseTarget, credentials: Credentials, deadline: float, account: str, region: str) -> Any:
            return behave(target, deadline)

        return read

    return collect(request(*names), time.monotonic() + seconds, secrets or Secrets(), collector=collector)  # type: ignore[arg-type]


def reasons(collection: Collection) -> dict[str, str]:
    return {error["database_name"]: error["reason"] for error in collection["errors"]}


def test_a_database_that_hangs_costs_only_itself() -> None:
    for_ever = threading.Event()

    def behave(target: DatabaseTarget, deadline: float) -> DatabaseResult:
        if target.name == "hangs":
            for_ever.wait(60)
        return result(target, target.name)

    collection = run(behave, "a", "hangs", "z", seconds=0.5)
    for_ever.set()
    assert reasons(collection) == {"hangs": Reason.DEADLINE_REACHED}
    assert [(c["name"], c["status"]) for c in collection["databaseConnections"]] == [
        ("a", "complete"),
        ("hangs", "failed"),
        ("z", "complete"),
    ]


def test_more_databases_than_threads_are_all_read() -> None:
    names = [f"db-{n:03d}" for n in range(120)]
    collection = run(lambda target, _: result(target, target.name), *names)
    assert [c["name"] for c in collection["databaseConnections"]] == names
    assert collection["metadata"]["totalDatabases"] == 120


def test_what_never_began_before_the_deadline_is_named_too() -> None:
    collection = run(lambda target, _: result(target, target.name), "a", "b", seconds=-1)
    assert reasons(collection) == {"a": Reason.DEADLINE_REACHED, "b": Reason.DEADLINE_REACHED}


def test_a_refusal_keeps_its_reason_and_detail() -> None:
    def behave(target: DatabaseTarget, deadline: float) -> DatabaseResult:
        raise ConnectionFailed(Reason.TLS_FAILED, "the certificate names another host")

    (error,) = run(behave, "a")["errors"]
    assert (error["reason"], error["detail"]) == (Reason.TLS_FAILED, "the certificate names another host")


def test_an_error_nobody_expected_is_recorded_without_its_text() -> None:
    """The text of an unknown exception may hold anything, a password too."""

    def behave(target: DatabaseTarget, deadline: float) -> DatabaseResult:
        raise RuntimeError("cannot log in with hunter2")

    collection = run(behave, "a")
    assert reasons(collection) == {"a": Reason.UNEXPECTED_ANSWER}
    assert collection["errors"][0]["detail"] == "the collector failed with RuntimeError"
    assert "hunter2" not in str(collection)


@pytest.mark.parametrize("secret", ['{"username": "reader"}', "hunter2", "[]", '{"username": 1, "password": "x"}'])
def test_a_secret_that_is_no_login_is_malformed_and_never_echoed(secret: str) -> None:
    collection = run(lambda target, _: result(target, "x"), "a", secrets=Secrets(secret))
    assert reasons(collection) == {"a": Reason.SECRET_MALFORMED}
    assert "hunter2" not in str(collection)


def test_two_entries_of_one_server_are_told_of_each_other() -> None:
    identities = {"a": "one", "b": "one", "c": "two"}
    collection = run(lambda target, _: result(target, identities[target.name]), "a", "b", "c")
    assert [(w["database_name"], w["text"]) for w in collection["warnings"]] == [
        ("a", "Same server as b"),
        ("b", "Same server as a"),
    ]
