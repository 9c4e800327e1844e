"""Which targets a report covers and which verdict counts."""

from __future__ import annotations

import msgspec
import pytest

from dbadmin_assets.review.errors import ContradictionError
from dbadmin_assets.review.reconciliation import reconcile
from dbadmin_assets.review.records import DeclaredDatabase, ExcludedDatabase, Outcome, TargetRecord
from tests.dbadmin_assets.review.samples import delivered, record, requested, user, worker_request


def target(
    account: str = "111111111111", region: str = "us-east-1", collection: str = "c0ffee00-1", **databases: str
) -> TargetRecord:
    request = worker_request(databases or {"db": "mysql"}, account=account, region=region, collection=collection)
    return delivered(request, [user(d.name, "a", engine=d.engine) for d in request.databases])[0]


def outcome(of: TargetRecord, **changes: object) -> Outcome:
    assert of.outcome is not None
    return msgspec.structs.replace(of.outcome, **changes)


def test_targets_come_sorted_whatever_the_order_they_were_asked_in() -> None:
    a, b, c = target("222222222222"), target(region="us-east-1"), target(region="eu-west-1")
    records = reconcile([requested(a, b), requested(c, run_id="run-2")], [outcome(a), outcome(c), outcome(b)])
    assert [r.key for r in records] == [c.key, b.key, a.key]
    assert [r.outcome for r in records] == [c.outcome, b.outcome, a.outcome]


def test_a_target_without_a_verdict_stays_in() -> None:
    asked = target()
    assert [(r.key, r.outcome) for r in reconcile([requested(asked)], [])] == [(asked.key, None)]


def test_the_latest_verdict_counts_whatever_their_order() -> None:
    asked = target()
    old, new = outcome(asked, attempts=1), outcome(asked, attempts=2, ended_at="2024-01-16T00:00:00Z")
    for verdicts in ([old, new], [new, old]):
        assert reconcile([requested(asked)], verdicts)[0].outcome == new


def test_two_verdicts_of_one_second_are_told_apart_the_same_way_every_time() -> None:
    asked = target()
    one, two = outcome(asked, attempts=1), outcome(asked, attempts=2)
    assert reconcile([requested(asked)], [one, two]) == reconcile([requested(asked)], [two, one])


def test_what_any_run_of_the_collection_asked_for_was_asked_for() -> None:
    first, second = target(a="mysql", b="mysql"), target(a="mysql", c="mssql")
    excluded = (ExcludedDatabase("b", "mysql", "since today"), ExcludedDatabase("z", "mysql", "old"))
    later = requested(msgspec.structs.replace(second, excluded=excluded), run_id="run-2", requested_at="2024-01-16")
    (merged,) = reconcile([later, requested(first)], [])
    assert [d.name for d in merged.declared] == ["a", "b", "c"]
    assert [d.name for d in merged.excluded] == ["z"]


def test_one_database_with_two_engines_is_refused() -> None:
    with pytest.raises(ContradictionError, match="'db' was asked for as mysql and as mssql"):
        reconcile([requested(target(db="mysql")), requested(target(db="mssql"), run_id="run-2")], [])


def test_collections_are_not_mixed() -> None:
    asked, other = target(), target(collection="another")
    with pytest.raises(ContradictionError, match="another, c0ffee00-1"):
        reconcile([requested(asked)], [outcome(other)])
    with pytest.raises(ContradictionError, match="different collections"):
        reconcile([requested(asked), requested(asked, collection_id="another")], [])


def test_a_verdict_nobody_asked_for_is_refused() -> None:
    with pytest.raises(ContradictionError, match=r"nobody asked for: 222222222222\|us-east-1"):
        reconcile([requested(target())], [outcome(target("222222222222"))])


def test_a_verdict_on_a_database_nobody_asked_for_is_refused() -> None:
    with pytest.raises(ContradictionError, match="mysql database 'stray'"):
        reconcile([requested(target(db="mysql"))], [outcome(target(db="mysql", stray="mysql"))])


def test_a_report_of_declared_targets_takes_verdicts_of_several_collections() -> None:
    a, b = target("111111111111", collection="one"), target("222222222222", collection="two", db="mysql", gone="mysql")
    declared = requested(a, msgspec.structs.replace(b, declared=(DeclaredDatabase("db", "mysql"),))).targets
    records = reconcile([], [outcome(a), outcome(b)], declared=declared)
    assert [r.outcome.collection_id for r in records if r.outcome] == ["one", "two"]
    assert [d.name for d in records[1].declared] == ["db"]


def test_entries_of_two_targets_that_are_one_server_name_each_other() -> None:
    def shared(account: str, identity: str, name: str) -> TargetRecord:
        request = worker_request({name: "mysql"}, account=account)
        return delivered(request, [], identities={name: identity})[0]

    a, b = shared("111111111111", "uuid-1", "orders"), shared("222222222222", "uuid-1", "orders-copy")
    c = shared("333333333333", "uuid-2", "other")
    records = reconcile([requested(a, b, c)], [outcome(a), outcome(b), outcome(c)])
    assert [r.same_servers for r in records] == [
        (("orders", "orders-copy in 222222222222 us-east-1"),),
        (("orders-copy", "orders in 111111111111 us-east-1"),),
        (),
    ]


def test_many_entries_of_one_server_are_cut() -> None:
    many = [
        delivered(worker_request({"db": "mysql"}, account=f"{n}" * 12), [], identities={"db": "one"})[0]
        for n in range(1, 8)
    ]
    first = reconcile([requested(*many)], [outcome(t) for t in many])[0]
    assert first.same_servers[0][1].endswith("db in 444444444444 us-east-1, +3 more")


def test_one_server_declared_twice_in_one_target_is_left_to_the_worker() -> None:
    request = worker_request({"a": "mysql", "b": "mysql"})
    both = delivered(request, [], identities={"a": "one", "b": "one"})[0]
    assert reconcile([requested(both)], [outcome(both)])[0].same_servers == ()
    assert record(request, None).same_servers == ()
