"""Which report turns which check red; no sentence of a check names an account."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dbadmin_assets.review.checks.freshness import report_freshness
from dbadmin_assets.review.checks.inventory_match import inventory_matches
from dbadmin_assets.review.checks.judgement import named
from dbadmin_assets.review.checks.new_tier0 import new_tier0
from dbadmin_assets.review.checks.population import population_balances
from dbadmin_assets.review.checks.targets import collected, fully_visible
from dbadmin_assets.review.checks.volume import Band, data_volume
from dbadmin_assets.review.diff import Sealed, compare, rows, write_csv
from dbadmin_assets.review.folder import PARQUET_NAME
from dbadmin_assets.review.manifest import canonical_json
from dbadmin_assets.review.manifest_model import Manifest, read_sealed
from dbadmin_assets.review.records import DatabaseOutcome, Outcome
from tests.dbadmin_assets.review.diff.reports import Db, build, who
from tests.dbadmin_assets.review.samples import ACCOUNT, REGION, STARTED

NOW = datetime(2024, 5, 1, tzinfo=UTC)


def outcome(*statuses: Any, reason: str | None = None) -> Outcome:
    databases = tuple(
        DatabaseOutcome(
            name=f"db{n}",
            engine="mysql",
            status=status,
            reported_at=STARTED,
            reason=reason if status == "failed" else None,
        )
        for n, status in enumerate(statuses)
    )
    return Outcome(
        collection_id="c", run_id="r", account_id=ACCOUNT, region=REGION, status="partial", attempts=1,
        started_at=STARTED, ended_at=STARTED, databases=databases, reason=reason,
    )  # fmt: skip


def people(number: int, admins: int = 0) -> list[dict[str, Any]]:
    return [who(f"u{n}", "0" if n < admins else "none") for n in range(number)]


class Pair:
    """Two reports of the same databases."""

    def __init__(self, tmp: Path, before: dict[str, Db], after: dict[str, Db]) -> None:
        sides = []
        for name, databases in (("before", before), ("after", after)):
            facts = build(tmp / name, {(ACCOUNT, REGION, key): db for key, db in databases.items()})
            sides.append(Sealed(facts, tmp / name / PARQUET_NAME))
        out = io.BytesIO()
        write_csv(out, rows(compare(*sides), note="compared"))
        self.changes = out.getvalue()
        self.before = read(dict(sides[0].manifest))
        compared = {"folder": "reports/x/", "manifestSha256": "0" * 64, "counts": {}}
        self.after = read({**sides[1].manifest, "comparedWith": compared, "notCompared": None})


def read(facts: dict[str, Any]) -> Manifest:
    return read_sealed(canonical_json(facts))


# --- targets ----------------------------------------------------------------------------------


def test_a_failed_database_makes_collected_red_with_its_reason_and_leaves_visibility_green() -> None:
    failed = [outcome("complete", "failed", reason="Connection Failed: Timed out")]
    judged = collected(failed)
    assert (judged.passed, judged.severity) == (False, "ERROR")
    assert judged.said == "1 databases failed: Connection Failed: Timed out"
    assert fully_visible(failed).passed


def test_a_partly_visible_database_is_a_warning_of_the_other_check_only() -> None:
    partial = [outcome("complete", "partial")]
    assert collected(partial).passed
    judged = fully_visible(partial)
    assert (judged.passed, judged.severity, judged.counts["partial_databases"]) == (False, "WARN", 1)


def test_a_target_without_a_verdict_is_not_collected() -> None:
    judged = collected([outcome("complete")], missing=1)
    assert (judged.passed, judged.said) == (False, "1 targets have no verdict")


# --- data volume ------------------------------------------------------------------------------


def test_the_band_is_crossed_only_beyond_its_edge(tmp_path: Path) -> None:
    kept = Pair(tmp_path / "kept", {"db": Db(people(50))}, {"db": Db(people(40))})
    lost = Pair(tmp_path / "lost", {"db": Db(people(50))}, {"db": Db(people(39))})
    assert data_volume(kept.before, kept.after, Band()).passed
    judged = data_volume(lost.before, lost.after, Band())
    assert (judged.passed, judged.severity) == (False, "WARN")
    assert f"{ACCOUNT} {REGION} db (50 before, 39 now)" in judged.said


def test_a_jump_of_admins_is_a_warning_also_from_none(tmp_path: Path) -> None:
    pair = Pair(tmp_path, {"db": Db(people(20))}, {"db": Db(people(20, admins=5))})
    judged = data_volume(pair.before, pair.after, Band())
    assert (judged.passed, judged.severity, judged.counts["databases_with_more_admins"]) == (False, "WARN", 1)
    assert data_volume(pair.before, pair.after, Band(least=6)).passed


def test_a_few_accounts_more_or_less_are_no_alarm_whatever_their_share(tmp_path: Path) -> None:
    pair = Pair(tmp_path, {"db": Db(people(6, admins=1))}, {"db": Db(people(2, admins=2))})
    assert data_volume(pair.before, pair.after, Band()).passed


def test_a_database_that_has_no_users_any_more_is_an_error_however_few_they_were(tmp_path: Path) -> None:
    pair = Pair(tmp_path, {"db": Db(people(1)), "big": Db(people(300))}, {"db": Db([]), "big": Db(people(300))})
    judged = data_volume(pair.before, pair.after, Band())
    assert (judged.passed, judged.severity, judged.counts["emptied_databases"]) == (False, "ERROR", 1)


def test_small_drops_everywhere_are_seen_in_the_sum(tmp_path: Path) -> None:
    before = {f"db{n}": Db(people(8)) for n in range(5)}
    pair = Pair(tmp_path, before, {name: Db(people(5)) for name in before})
    judged = data_volume(pair.before, pair.after, Band())
    assert (judged.passed, judged.said) == (False, "in all 40 users before, 25 now")


def test_a_database_that_failed_on_one_side_is_not_compared(tmp_path: Path) -> None:
    pair = Pair(tmp_path, {"db": Db(people(50))}, {"db": Db(failed="Connection Failed: Timed out")})
    judged = data_volume(pair.before, pair.after, Band())
    assert (judged.passed, judged.counts["compared_databases"]) == (True, 0)


# --- new administrators -----------------------------------------------------------------------


def test_added_and_escalated_tier_0_are_counted_and_never_named(tmp_path: Path) -> None:
    before = {"db": Db([who("zoe-gained"), who("old", "0"), who("one", "2")])}
    after = {"db": Db([who("zoe-gained", "0"), who("old", "0"), who("one", "1"), who("zoe-added", "0"), who("plain")])}
    pair = Pair(tmp_path, before, after)
    judged = new_tier0(pair.before, pair.after, pair.changes)
    assert (judged.passed, judged.severity, judged.counts["new_tier0"]) == (False, "WARN", 2)
    assert "zoe" not in judged.said


def test_one_that_policy_leaves_out_of_the_rows_is_counted_apart(tmp_path: Path) -> None:
    hidden = who("engine", "0", excluded_by_policy="an engine account")
    pair = Pair(tmp_path, {"db": Db([who("a")])}, {"db": Db([who("a"), hidden])})
    judged = new_tier0(pair.before, pair.after, pair.changes)
    assert (judged.counts["new_tier0"], judged.counts["new_tier0_excluded_by_policy"]) == (0, 1)
    assert not judged.passed


@pytest.mark.parametrize("then", [{}, {"db": Db(failed="Connection Failed: Timed out")}])
def test_administrators_of_a_database_without_history_are_new(tmp_path: Path, then: dict[str, Db]) -> None:
    before = {"other": Db([who("a")]), **then}
    pair = Pair(tmp_path, before, {"other": Db([who("a")]), "db": Db(people(4, admins=3))})
    judged = new_tier0(pair.before, pair.after, pair.changes)
    assert (judged.passed, judged.counts["admins_of_databases_without_history"]) == (False, 3)


def test_nobody_new_is_green_though_others_changed(tmp_path: Path) -> None:
    pair = Pair(tmp_path, {"db": Db([who("a", "0"), who("b", "0")])}, {"db": Db([who("a", "0"), who("c", "2")])})
    judged = new_tier0(pair.before, pair.after, pair.changes)
    assert (judged.passed, judged.said) == (True, "no new administrator since the last report")


@pytest.mark.parametrize("changes", [b"\xff\xfe", b"Change,Note\r\nadded,x\r\n"])
def test_changes_that_cannot_be_read_are_not_nothing_changed(tmp_path: Path, changes: bytes) -> None:
    pair = Pair(tmp_path, {"db": Db([who("a")])}, {"db": Db([who("a")])})
    judged = new_tier0(pair.before, pair.after, changes)
    assert (judged.passed, judged.severity) == (False, "ERROR")


def test_a_report_that_was_not_compared_is_not_green(tmp_path: Path) -> None:
    facts = build(tmp_path, {(ACCOUNT, REGION, "db"): Db([who("a")])}) | {"notCompared": "report.parquet is gone"}
    judged = new_tier0(read(facts), read(facts), b"")
    assert (judged.passed, judged.said) == (False, "could not be evaluated: report.parquet is gone")


# --- freshness --------------------------------------------------------------------------------


def latest(age: timedelta) -> bytes:
    return json.dumps({"endedAt": (NOW - age).strftime("%Y-%m-%dT%H:%M:%SZ")}).encode()


@pytest.mark.parametrize(
    ("pointer", "fresh"),
    [
        (latest(timedelta(days=7)), True),
        (latest(timedelta(days=7, seconds=1)), False),
        (latest(timedelta(hours=-1)), False),
        (None, False),
        (b"{}", False),
        (b"[1]", False),
        (b"\xff", False),
    ],
)
def test_a_report_is_fresh_up_to_its_age_and_never_where_nothing_tells(pointer: bytes | None, fresh: bool) -> None:
    judged = report_freshness(pointer, NOW, 7)
    assert (judged.passed, judged.severity) == (fresh, "ERROR")


# --- population and inventory -----------------------------------------------------------------


def test_a_database_that_the_sum_does_not_account_for_is_an_error(tmp_path: Path) -> None:
    facts = build(tmp_path, {(ACCOUNT, REGION, "db"): Db([who("a")]), (ACCOUNT, REGION, "x"): Db(excluded="none")})
    assert population_balances(read(facts)).passed
    facts["population"]["declared"] = 3
    judged = population_balances(read(facts))
    assert (judged.passed, judged.severity) == (False, "ERROR")
    assert judged.said.startswith("population: ")


PLACE = {"accountId": ACCOUNT, "region": REGION}
STRAY = {"identifier": "stray", "engine": "mysql", "product": "mariadb", "state": "available", "host": None, "port": 1}
REFUSED = {"status": "failed", "reason": "AccessDenied on rds:DescribeDBInstances", "found": 0, "known": 0}
OFF = {"status": "off", "reason": None, "found": 0, "known": 0}


def looked(tmp: Path, *, not_declared: Sequence[Any] = (), **discovered: Any) -> Manifest:
    facts = build(tmp, {(ACCOUNT, REGION, "db"): Db([who("a")])})
    facts["notDeclared"] = list(not_declared)
    facts["discovered"] |= discovered
    return read(facts)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"not_declared": [PLACE | {"name": "old"}]}, "collected, but not declared any more: 123456789012"),
        ({"undeclared": [PLACE | STRAY]}, "there, but not declared: 123456789012 us-east-1 stray"),
        ({"gone": [PLACE | {"name": "lost", "host": "x"}]}, "declared, but gone: 123456789012 us-east-1 lost"),
        ({"targets": [PLACE | REFUSED]}, "it is not known what is there: 123456789012 us-east-1 (AccessDenied on"),
    ],
)
def test_whatever_differs_from_the_inventory_is_a_warning(tmp_path: Path, facts: dict[str, Any], said: str) -> None:
    judged = inventory_matches(looked(tmp_path, **facts))
    assert (judged.passed, judged.severity) == (False, "WARN")
    assert judged.said.startswith(said)


def test_where_nobody_looked_green_says_so(tmp_path: Path) -> None:
    judged = inventory_matches(looked(tmp_path, targets=[PLACE | OFF]))
    beyond = "databases beyond it are known in 0 of 1 targets"
    assert (judged.passed, judged.said) == (True, f"nothing contradicts the inventory; {beyond}")


def test_a_report_from_before_discovery_says_the_same(tmp_path: Path) -> None:
    facts = build(tmp_path, {(ACCOUNT, REGION, "db"): Db([who("a")])})
    del facts["discovered"]
    assert "known in 0 of 1 targets" in inventory_matches(read(facts)).said


def test_a_long_list_is_cut_and_says_so_and_nothing_invisible_gets_through() -> None:
    assert named([f"db{n}\u202e" for n in range(12)]).endswith("db9\\u202e and 2 more")
