"""The verdict on a target: what a worker delivered is believed only when it answers the request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dbadmin_assets.review.records import CollectionObject
from dbadmin_assets.review.verdict import failure, judge
from tests.dbadmin_assets.review.samples import ENDED, STARTED, answer, encoded, found, judged, user, worker_request
from worker_lambda.contract import Reason

REQUEST = worker_request({"b-mysql": "mysql", "a-mssql": "mssql"})


def good() -> dict[str, Any]:
    return answer(REQUEST, [user("b-mysql", "app@%"), user("b-mysql", "root@%", permission_level="Admin")])


def test_an_answer_without_failures_is_complete() -> None:
    outcome = judged(REQUEST, good())
    assert (outcome.status, outcome.reason, outcome.detail) == ("complete", None, None)
    assert [(d.name, d.engine, d.status, d.users, d.admins) for d in outcome.databases] == [
        ("a-mssql", "mssql", "complete", 0, 0),
        ("b-mysql", "mysql", "complete", 2, 1),
    ]
    assert outcome.object is not None and outcome.object.key == REQUEST.result.key
    assert outcome.worker_version == "0.1.0"


def test_the_product_may_be_another_than_the_declared_engine() -> None:
    value = good()
    value["databaseConnections"][0]["product"] = "mariadb"
    outcome = judged(REQUEST, value)
    assert (outcome.status, [d.engine for d in outcome.databases]) == ("complete", ["mssql", "mysql"])


def test_excluded_accounts_count_neither_in_the_total_nor_among_the_users_of_their_database() -> None:
    users = [user("b-mysql", "app@%"), user("b-mysql", "mysql.sys@localhost", excluded_by_policy="engine account")]
    value = answer(REQUEST, users)
    assert value["metadata"]["totalUsers"] == 1
    outcome = judged(REQUEST, value)
    assert (outcome.status, [d.users for d in outcome.databases]) == ("complete", [0, 1])
    value["metadata"]["totalUsers"] = 2
    assert judged(REQUEST, value).detail == "totalUsers is 2, there are 1"


def test_one_failed_database_makes_the_target_partial_and_keeps_its_reason() -> None:
    value = answer(REQUEST, [user("b-mysql", "app@%")], failed={"a-mssql": Reason.CONNECT_TIMED_OUT})
    outcome = judged(REQUEST, value)
    assert (outcome.status, outcome.reason) == ("partial", None)
    assert outcome.detail == "1 of 2 databases failed: Connection Failed: Timed out (1)"
    assert outcome.databases[0].reason == "Connection Failed: Timed out"
    assert outcome.databases[0].reported_at == "2024-01-15T14:23:00Z"


def test_an_incomplete_view_makes_the_target_partial() -> None:
    outcome = judged(REQUEST, answer(REQUEST, [], warnings=[("b-mysql", 1, "Incomplete: login lacks X")]))
    assert outcome.status == "partial"
    assert [d.status for d in outcome.databases] == ["complete", "partial"]
    assert outcome.databases[1].detail == "Incomplete: login lacks X"


def test_a_target_fails_when_every_database_failed() -> None:
    reasons = {"b-mysql": Reason.CONNECT_TIMED_OUT, "a-mssql": Reason.AUTHENTICATION_FAILED}
    outcome = judged(REQUEST, answer(REQUEST, [], failed={k: str(v) for k, v in reasons.items()}))
    assert (outcome.status, outcome.reason) == ("failed", "Connection Failed: Authentication failed")
    assert {d.name: d.reason for d in outcome.databases} == reasons


def test_fractions_of_seconds_are_cut() -> None:
    value = good()
    for connection in value["databaseConnections"]:
        connection["facts_at"] = "2024-01-15T14:22:33.987654Z"
    for row in value["adminUsers"]:
        row["collection_timestamp"] = "2024-01-15T14:22:33.987654Z"
    assert {d.reported_at for d in judged(REQUEST, value).databases} == {"2024-01-15T14:22:33Z"}


def test_an_object_of_an_earlier_run_of_the_collection_is_believed_only_if_that_run_is_named() -> None:
    value = good() | {"runId": "run-0"}
    assert judged(REQUEST, value).status == "failed"
    outcome = judged(REQUEST, value, run_ids=("run-0",))
    assert (outcome.status, outcome.run_id) == ("complete", "run-0")


def _set(field: str, new: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value.__setitem__(field, new)


def _connection(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value["databaseConnections"][0].update(fields)


def _row(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value["adminUsers"][0].update(fields)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_set("schemaVersion", "2"), "schemaVersion '2', not '1'"),
        (_set("schemaVersion", 1), "schemaVersion"),
        (_set("accountId", "999999999999"), "accountId is '999999999999', asked for was '123456789012'"),
        (_set("region", "eu-west-1"), "region is 'eu-west-1'"),
        (_set("collectionId", "other"), "collectionId is 'other'"),
        (_set("attempt", 2), "attempt is 2, asked for was 1"),
        (_set("runId", "run-9"), "runId is 'run-9', asked was by 'run-1'"),
        (lambda v: v.pop("errors"), "errors"),
        (lambda v: v["databaseConnections"].pop(), "database 'a-mssql' was asked for and is missing"),
        (lambda v: v["databaseConnections"].append(v["databaseConnections"][0]), "'b-mysql' is there 2 times"),
        (_connection(name="stray"), "database 'stray' was not asked for"),
        (_connection(engine="mssql"), "'b-mysql' has engine 'mssql', not 'mysql'"),
        (_connection(database_type="MSSQL"), "'b-mysql' has database_type 'MSSQL'"),
        (_connection(status="fine"), "status"),
        (_connection(status="failed"), "'b-mysql' is failed and has 0 errors"),
        (_connection(status="partial"), "'b-mysql' is partial and has no Incomplete: warning"),
        (_connection(facts_at="yesterday"), "'b-mysql' has facts_at 'yesterday'"),
        (_connection(facts_at=None), "'b-mysql' has facts_at None"),
        (_connection(users=3), "'b-mysql' says 3 users and 1 admins, its rows are 2 and 1"),
        (_connection(admins=0), "'b-mysql' says 2 users and 0 admins"),
        (_connection(queries=[{"name": "x", "sha256": "ff"}]), "the text of query 'ff' is missing"),
        (_row(database_name="stray"), "rows of database 'stray', which was not read"),
        (_row(database_type="MSSQL"), "rows of database 'b-mysql' have another database_type"),
        (_row(collection_timestamp="2024-01-15T00:00:00Z"), "have another collection_timestamp"),
        (_row(excluded_by_policy="debian-sys-maint"), "says 2 users and 1 admins, its rows are 1 and 1"),
        (_row(username=None), "username"),
        (lambda v: v["adminUsers"].pop(), "says 2 users and 1 admins, its rows are 1 and 0"),
        (lambda v: v["metadata"].update(totalUsers=1), "totalUsers is 1, there are 2"),
        (lambda v: v["metadata"].update(totalDatabases=1), "totalDatabases is 1, there are 2"),
        (
            lambda v: v["errors"].append(
                {"database_name": "stray", "reason": "Because", "detail": "", "occurred_at": STARTED}
            ),
            "errors names database 'stray'",
        ),
        (
            lambda v: v["warnings"].append({"database_name": "b-mysql", "order": 2, "text": "Incomplete: x"}),
            "'b-mysql' is complete and has an Incomplete: warning",
        ),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_and_the_reason_is_named(
    damage: Callable[[dict[str, Any]], object], said: str
) -> None:
    value = good()
    damage(value)
    outcome = judged(REQUEST, value)
    assert (outcome.status, outcome.reason) == ("failed", Reason.INVALID_ANSWER)
    assert said in (outcome.detail or "")
    assert {d.name: d.reason for d in outcome.databases} == dict.fromkeys(["a-mssql", "b-mysql"], Reason.INVALID_ANSWER)
    assert outcome.object is not None


def test_an_unknown_reason_is_refused() -> None:
    outcome = judged(REQUEST, answer(REQUEST, [], failed={"b-mysql": "It rained"}))
    assert "failed for an unknown reason: 'It rained'" in (outcome.detail or "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the object is empty"),
        (b"<html><body>502 Bad Gateway</body></html>", "the object is HTML or XML, not JSON"),
        (b"\x1f\x8b\x08\x00", "not JSON of the agreed form"),
        (b"[]", "not JSON of the agreed form"),
        (b'"ok"', "not JSON of the agreed form"),
        (b'{"message": "Internal Server Error"}', "not a result object"),
        (b"null", "not JSON of the agreed form"),
    ],
)
def test_rubbish_is_refused_and_named(data: bytes, said: str) -> None:
    outcome = judged(REQUEST, data)
    assert (outcome.status, outcome.reason) == ("failed", Reason.INVALID_ANSWER)
    assert said in (outcome.detail or "")


def test_an_object_cut_short_anywhere_is_refused() -> None:
    data = encoded(good())
    for end in range(0, len(data) - 1, 97):
        assert judged(REQUEST, data[:end]).reason == Reason.INVALID_ANSWER


def test_bytes_that_are_not_those_announced_are_refused() -> None:
    data = encoded(good())
    for claim in (
        CollectionObject(REQUEST.result.key, None, "0" * 64, len(data)),
        CollectionObject(REQUEST.result.key, None, found(REQUEST, data).sha256, 1),
    ):
        outcome = judge(REQUEST, data, claim, started_at=STARTED, ended_at=ENDED, attempts=1)
        assert "size and sha256" in (outcome.detail or "")


def test_a_long_list_of_problems_is_cut() -> None:
    value = json.loads(encoded(good()))
    for index in range(500):
        value["databaseConnections"].append(value["databaseConnections"][0] | {"name": f"stray-{index}" * 50})
    detail = judged(REQUEST, value).detail or ""
    assert detail.endswith("; and 495 more") and len(detail) < 2000


def test_a_target_without_an_object_fails_every_database_for_that_reason() -> None:
    outcome = failure(
        REQUEST, Reason.CANNOT_ASSUME_ROLE, "AccessDenied", started_at=STARTED, ended_at=ENDED, attempts=0
    )
    assert (outcome.status, outcome.reason, outcome.object) == ("failed", Reason.CANNOT_ASSUME_ROLE, None)
    assert [(d.name, d.status, d.reason, d.reported_at) for d in outcome.databases] == [
        ("a-mssql", "failed", Reason.CANNOT_ASSUME_ROLE, ENDED),
        ("b-mysql", "failed", Reason.CANNOT_ASSUME_ROLE, ENDED),
    ]
