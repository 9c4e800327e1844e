"""The manifest: complete, balanced, and the same bytes for the same report."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.sealed_alone import sealed_alone
from dbadmin_assets.review.balance import imbalances
from dbadmin_assets.review.consolidate import Pair, write_csv
from dbadmin_assets.review.errors import UnbalancedError
from dbadmin_assets.review.manifest import ReportFile, build_manifest, canonical_json
from dbadmin_assets.review.manifest_model import read_sealed
from dbadmin_assets.review.reconciliation import reconcile
from dbadmin_assets.review.records import ExcludedDatabase, Outcome, Request, TargetRecord
from dbadmin_assets.review.totals import Totals
from dbadmin_assets.review.verdict import failure
from tests.dbadmin_assets.review.samples import (
    AS_OF,
    ENDED,
    FACTS,
    STARTED,
    delivered,
    record,
    requested,
    user,
    worker_request,
)
from worker_lambda.contract import Reason


def manifest(
    records: list[TargetRecord], totals: Totals, requests: list[Request] | None = None, **other: Any
) -> dict[str, Any]:
    made = build_manifest(
        requests if requests is not None else [requested(*records)], records, totals,
        files=[ReportFile("db-admin-report.csv", totals.csv_sha256, totals.csv_size_bytes)],
        collection_id="c0ffee00-1", run_id="run-2", started_at=STARTED, ended_at=AS_OF, code_version="0.1.0", **other,
    )  # fmt: skip
    return sealed_alone(made)


def written(pairs: list[Pair]) -> tuple[list[TargetRecord], Totals]:
    return [pair[0] for pair in pairs], write_csv(pairs, io.BytesIO(), as_of=AS_OF)


def mixed() -> tuple[list[TargetRecord], Totals]:
    first = worker_request({"a": "mysql", "b": "mssql", "c": "mysql"})
    second = worker_request({"d": "mysql"}, region="us-west-2")
    users = [user("a", "x", permission_level="Admin"), user("a", "mysql.sys@localhost", excluded_by_policy="engine")]
    warnings = [("b", 1, "Incomplete: login lacks X")]
    down = failure(second, Reason.WORKER_THROTTLED, "429", started_at=STARTED, ended_at=ENDED, attempts=4)
    return written(
        [
            delivered(
                first, users, failed={"c": Reason.TLS_FAILED}, warnings=warnings,
                excluded=(ExcludedDatabase("e", "mysql", "ticket 123"),),
            ),
            (record(second, down), None),
        ]
    )  # fmt: skip


def test_what_a_manifest_says_of_a_mixed_report() -> None:
    records, totals = mixed()
    made = manifest(records, totals)
    assert made["complete"] is False
    assert made["population"] == {"declared": 5, "complete": 1, "partial": 1, "failed": 2, "excluded": 1}
    assert made["counts"] == {"targets": 2, "users": 1, "admins": 1, "excludedPrincipals": 1, "changedCells": 0}
    assert made["runIds"] == ["run-1", "run-2"]
    assert made["requests"][0]["requestedBy"] == "alice@laptop"
    assert made["requests"][0]["inventory"]["sha256"] == "ab" * 32
    assert made["collections"] == [{"collectionId": "c0ffee00-1", "oldestEndedAt": ENDED, "ageSeconds": 2100}]
    assert made["files"] == [
        {"name": "db-admin-report.csv", "sha256": totals.csv_sha256, "sizeBytes": totals.csv_size_bytes}
    ]
    target = made["targets"][0]
    assert (target["status"], target["ageSeconds"], target["attempts"]) == ("partial", 2100, 1)
    assert target["object"]["key"] == "collections/c0ffee00-1/123456789012/us-east-1/1.json"
    assert target["excluded"] == [{"name": "e", "databaseType": "MySQL", "reason": "ticket 123"}]
    a, b, c = target["databases"]
    assert (a["excludedPrincipals"], a["users"], a["admins"]) == (["mysql.sys@localhost"], 1, 1)
    assert (b["status"], b["databaseType"], b["reportedAt"]) == ("partial", "MSSQL", FACTS)
    assert (c["status"], c["reason"], c["detail"]) == (
        "failed",
        "Connection Failed: TLS verification failed",
        "said so",
    )
    assert (made["targets"][1]["object"], made["targets"][1]["attempts"]) == (None, 4)


def test_no_account_name_that_is_a_row_stands_in_the_manifest() -> None:
    pair = delivered(worker_request({"a": "mysql"}), [user("a", "alice@10.0.0.1")])
    assert b"alice@10.0.0.1" not in canonical_json(manifest(*written([pair])))


def test_only_full_visibility_of_everything_is_complete() -> None:
    whole = delivered(worker_request({"a": "mysql"}), [])
    assert manifest(*written([whole]))["complete"] is True
    partial = delivered(worker_request({"a": "mysql"}), [], warnings=[("a", 2, "Incomplete: cannot read databases x")])
    assert manifest(*written([partial]))["complete"] is False


def test_a_target_without_a_verdict_is_in_the_manifest_as_failed() -> None:
    made = manifest(*written([(record(worker_request({"a": "mysql"}), None), None)]))
    assert (made["targets"][0]["status"], made["targets"][0]["collectionId"]) == ("failed", None)
    assert made["targets"][0]["databases"][0]["reason"] == "Worker Failed: Result missing"


def test_the_same_report_gives_the_same_bytes_and_they_are_plain_json() -> None:
    data = canonical_json(manifest(*mixed()))
    assert data == canonical_json(manifest(*mixed()))
    assert json.loads(data) == manifest(*mixed())
    assert [wrong for _, wrong in imbalances(read_sealed(data)) if wrong] == []
    assert data.isascii() and data.endswith(b"}\n")


def test_databases_of_a_verdict_that_are_not_declared_any_more_are_listed() -> None:
    target, data = delivered(worker_request({"a": "mysql", "b": "mysql"}), [])
    records, totals = written([(msgspec.structs.replace(target, declared=target.declared[:1]), data)])
    assert manifest(records, totals)["notDeclared"] == [
        {"accountId": "123456789012", "region": "us-east-1", "name": "b"}
    ]


def test_a_database_that_got_lost_on_the_way_is_refused() -> None:
    records, totals = mixed()
    with pytest.raises(UnbalancedError):
        manifest(records[:1], totals)
    first = records[0]
    twice = msgspec.structs.replace(first, declared=(*first.declared, first.declared[0]))
    with pytest.raises(UnbalancedError):
        manifest([twice, records[1]], totals)
    both = msgspec.structs.replace(first, excluded=(ExcludedDatabase("a", "mysql", "why"),))
    with pytest.raises(UnbalancedError):
        manifest([both, records[1]], totals)


def test_counts_that_do_not_add_up_are_refused() -> None:
    import dataclasses

    records, totals = mixed()
    with pytest.raises(UnbalancedError, match="does not hold"):
        manifest(records, dataclasses.replace(totals, failed=totals.failed - 1))


@pytest.mark.parametrize(("full_scope", "inventory_targets", "expected"), [
    (True, None, True), (False, None, False), (False, 2, True), (False, 3, False),
])  # fmt: skip
def test_runs_that_together_cover_the_inventory_are_the_full_scope(
    full_scope: bool, inventory_targets: int | None, expected: bool
) -> None:
    records, totals = mixed()
    requests = [
        requested(r, run_id=f"run-{n}", full_scope=full_scope, inventory_targets=inventory_targets)
        for n, r in enumerate(records)
    ]
    assert manifest(records, totals, requests)["scope"]["full"] is expected
    assert manifest(records, totals, requests, full_scope=not expected)["scope"]["full"] is not expected


statuses = st.sampled_from(["complete", "partial", "failed", "gone"])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.lists(statuses, min_size=1, max_size=4), st.integers(0, 2), st.booleans()), max_size=5))
def test_the_population_balances_whatever_became_of_the_targets(
    fleet: list[tuple[list[str], int, bool]],
) -> None:
    pairs: list[Pair] = []
    for number, (wanted, left_out, verdict) in enumerate(fleet):
        request = worker_request({f"db{i}": "mysql" for i in range(len(wanted))}, account=f"{number:012d}")
        excluded = tuple(ExcludedDatabase(f"out{i}", "mysql", "why") for i in range(left_out))
        target, data = delivered(
            request,
            [user(f"db{i}", "x") for i, status in enumerate(wanted) if status in ("complete", "partial")],
            failed={f"db{i}": Reason.QUERY_TIMED_OUT for i, status in enumerate(wanted) if status == "failed"},
            warnings=[(f"db{i}", 1, "Incomplete: x") for i, status in enumerate(wanted) if status == "partial"],
            excluded=excluded,
        )
        outcome: Outcome | None = target.outcome if verdict else None
        pairs.append((msgspec.structs.replace(target, outcome=outcome), None if "gone" in wanted else data))
    requests = [requested(*(record for record, _ in pairs))]
    outcomes = [record.outcome for record, _ in pairs if record.outcome]
    objects = {record.key: data for record, data in pairs}
    records = reconcile(requests, outcomes)
    totals = write_csv([(r, objects[r.key]) for r in records], io.BytesIO(), as_of=AS_OF)
    made = manifest(records, totals, requests)
    assert [wrong for _, wrong in imbalances(read_sealed(canonical_json(made))) if wrong] == []
    counted = made["population"]
    assert counted["declared"] == sum(len(wanted) + left_out for wanted, left_out, _ in fleet)
    assert counted["declared"] == sum(value for name, value in counted.items() if name != "declared")
