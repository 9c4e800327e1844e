"""What a new report says of the last one of its scope; whatever became of that one, the new one is made."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from dbadmin_assets.comparing import MOST_LOOKED_AT, LastReport, changes_since_last
from dbadmin_assets.errors import EvidenceError
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.review.chain import link_key
from dbadmin_assets.review.diff import COLUMNS, KINDS
from dbadmin_assets.review.manifest import canonical_json
from tests.dbadmin_assets.fakes import FaultyAws
from tests.dbadmin_assets.review.diff.reports import Db, build, folder_of, who

HERE = ("123456789012", "us-east-1")
OLD = {(*HERE, "db"): Db([who("ann"), who("bob", "0")])}
NEW = {(*HERE, "db"): Db([who("ann", "0"), who("=joe")])}
PART = {"accounts": (HERE[0],), "full_scope": False}


class Reports:
    """The bucket's reports, and a new one that is about to be sealed."""

    def __init__(self, store: EvidenceStore, aws: FaultyAws, folder: Path) -> None:
        self._store, self._aws, self._folder = store, aws, folder
        self._made = 0

    def sealed(self, ended_at: str, databases: Any = OLD, **request: Any) -> str:
        """One that lies in the bucket; its key prefix."""
        self._made += 1
        folder = self._folder / str(self._made)
        place = folder_of(build(folder, databases, ended_at=ended_at, sequence=self._made, **request))
        for path in folder.iterdir():
            self._store.put(place + path.name, path.read_bytes(), content_type="text/plain")
        link = (folder / "manifest.json").read_bytes()
        self._store.put(link_key(self._made), link, content_type="application/json")
        return place

    def spoil(self, key: str, data: bytes | None) -> None:
        """Replace an object, or take it away."""
        if data is None:
            del self._aws.objects[f"/evidence/{key}"]
        else:
            self._aws.objects[f"/evidence/{key}"] = data

    def last(self, databases: Any = NEW, **request: Any) -> LastReport:
        """What the new one says; it is not sealed yet."""
        facts = build(self._folder / "new", databases, ended_at="2024-02-01T00:00:00Z", **request)
        del facts["files"], facts["signature"]
        work = self._folder / "work"
        work.mkdir()
        last = changes_since_last(self._store, facts, self._folder / "new" / "report.parquet", work)
        assert list(work.iterdir()) == []
        return last


@pytest.fixture
def reports(store: EvidenceStore, fake_aws: FaultyAws, tmp_path: Path) -> Reports:
    return Reports(store, fake_aws, tmp_path)


def kinds(last: LastReport) -> list[tuple[str, str]]:
    return [(row[0], row[5]) for row in last.rows if row[0] != "note"]


def test_the_newest_earlier_report_of_the_scope_is_compared_with(reports: Reports, tmp_path: Path) -> None:
    reports.sealed("2024-01-01T00:00:00Z", {(*HERE, "db"): Db()})
    folder = reports.sealed("2024-01-02T00:00:00Z")
    reports.sealed("2024-01-03T00:00:00Z", {(*HERE, "db"): Db()}, **PART)
    reports.sealed("2024-02-02T00:00:00Z", {(*HERE, "db"): Db()})
    last = reports.last()
    assert (last.note, last.reason) == (f"compared with {folder}, sealed at 2024-01-02T00:00:00Z", None)
    assert kinds(last) == [("escalated", "ann"), ("added", "=joe"), ("removed", "bob")]
    assert last.compared_with is not None
    assert json.loads(json.dumps(last.compared_with)) == last.compared_with
    assert (last.compared_with["folder"], set(last.compared_with["counts"])) == (folder, set(KINDS))
    assert {kind for kind, count in last.compared_with["counts"].items() if count} == {"escalated", "added", "removed"}


def test_the_manifest_that_was_compared_with_is_named_by_its_sha256(reports: Reports, store: EvidenceStore) -> None:
    folder = reports.sealed("2024-01-02T00:00:00Z")
    fetched = store.fetch(folder + "manifest.json")
    last = reports.last()
    assert fetched is not None and last.compared_with is not None
    assert last.compared_with["manifestSha256"] == fetched[1].sha256


def test_an_incomplete_report_is_compared_with_too(reports: Reports) -> None:
    reports.sealed("2024-01-02T00:00:00Z", {(*HERE, "db"): Db(failed="Connection Failed: Timed out")})
    assert kinds(reports.last()) == [("database-failed-before", "")]


def test_a_report_of_a_part_is_compared_with_one_of_that_part(reports: Reports) -> None:
    folder = reports.sealed("2024-01-01T00:00:00Z", **PART)
    reports.sealed("2024-01-02T00:00:00Z", {(*HERE, "db"): Db()})
    assert folder in reports.last(**PART).note


def test_the_first_report_says_that_there_is_none_before_it(reports: Reports) -> None:
    reports.sealed("2024-01-03T00:00:00Z", **PART)
    last = reports.last()
    assert last.note == last.reason == "there is no earlier report of this scope"
    assert (last.compared_with, [row[0] for row in last.rows]) == (None, ["note"])


@pytest.mark.parametrize(("name", "data", "reason"), [
    ("report.parquet", b"PAR1", "report.parquet is not what was sealed: its sha256 is another"),
    ("report.parquet", None, "report.parquet is not there any more"),
])  # fmt: skip
def test_a_broken_last_report_is_said_and_no_other_is_taken_for_it(
    reports: Reports, name: str, data: bytes | None, reason: str
) -> None:
    reports.sealed("2024-01-01T00:00:00Z")
    folder = reports.sealed("2024-01-02T00:00:00Z")
    reports.spoil(folder + name, data)
    last = reports.last()
    assert last.reason == last.note == f"the last report could not be compared: {folder}{reason}"
    assert (last.compared_with, last.rows) == (None, (("note", *[""] * (len(COLUMNS) - 2), last.note),))


def test_a_manifest_whose_sums_do_not_balance_is_not_compared_with(reports: Reports, store: EvidenceStore) -> None:
    folder = reports.sealed("2024-01-02T00:00:00Z")
    manifest = json.loads(store.read(folder + "manifest.json") or b"")
    manifest["counts"]["users"] = 7
    reports.spoil(folder + "manifest.json", canonical_json(manifest))
    reports.spoil("chain/1.json", canonical_json(manifest))
    assert f"{folder} does not hold: counts" in (reports.last().reason or "")


@pytest.mark.parametrize("data", [b"{}", b"\xff", b"", b"[" * 100_000], ids=["empty", "binary", "cut", "deep"])
def test_a_manifest_that_cannot_be_read_is_passed_over_and_said(reports: Reports, data: bytes) -> None:
    good = reports.sealed("2024-01-01T00:00:00Z")
    bad = reports.sealed("2024-01-02T00:00:00Z")
    reports.spoil(bad + "manifest.json", data)
    last = reports.last()
    assert last.note.startswith(
        f"compared with {good}, sealed at 2024-01-01T00:00:00Z; passed over: {bad}manifest.json"
    )
    assert last.rows[0][-1] == f"{last.note}; 1 databases were read in both"


def test_a_manifest_under_the_name_of_another_report_is_passed_over(reports: Reports, store: EvidenceStore) -> None:
    first = reports.sealed("2024-01-01T00:00:00Z")
    second = reports.sealed("2024-01-02T00:00:00Z")
    reports.spoil(second + "manifest.json", store.read(first + "manifest.json"))
    assert f"passed over: {second}manifest.json: it is the manifest of {first.rstrip('/')}" in reports.last().note


@pytest.mark.parametrize("planted", [None, b"{}"])
def test_a_report_that_is_no_link_of_the_chain_is_passed_over_and_said(reports: Reports, planted: bytes | None) -> None:
    """Who lays a report there that has the new administrator already would hide that there is one."""
    good = reports.sealed("2024-01-01T00:00:00Z")
    forged = reports.sealed("2024-01-02T00:00:00Z", NEW)
    reports.spoil("chain/2.json", planted)
    last = reports.last()
    assert last.compared_with is not None and last.compared_with["folder"] == good
    assert f"passed over: {forged}manifest.json is not chain/2.json of the chain" in last.note


def test_what_was_passed_over_does_not_fill_the_page(reports: Reports) -> None:
    for day in range(1, 6):
        place = reports.sealed(f"2024-01-0{day}T00:00:00Z")
        reports.spoil(place + "manifest.json", json.dumps({"schemaVersion": "x" * 10_000}).encode())
    note = reports.last().note
    assert note.endswith("; and 2 more")
    assert len(note) < 1200


def test_only_so_many_are_looked_at_and_that_is_said(reports: Reports) -> None:
    reports.sealed("2023-01-01T00:00:00Z")
    for minute in range(MOST_LOOKED_AT):
        reports.sealed(f"2024-01-01T00:{minute:02d}:00Z", **PART)
    assert reports.last().note == f"there is no earlier report of this scope among the newest {MOST_LOOKED_AT}"


def test_a_bucket_that_cannot_be_listed_does_not_stop_the_report(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any) -> list[str]:
        raise EvidenceError("cannot list s3://evidence/reports/: AccessDenied")

    monkeypatch.setattr(EvidenceStore, "keys", denied)
    reason = "the last report could not be compared: cannot list s3://evidence/reports/: AccessDenied"
    assert reports.last().reason == reason


def test_changes_csv_is_harmless_and_begins_with_what_was_compared(reports: Reports, tmp_path: Path) -> None:
    reports.sealed("2024-01-02T00:00:00Z")
    last = reports.last()
    last.write_csv(tmp_path / "changes.csv")
    text = (tmp_path / "changes.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert rows[0] == list(last.columns) == list(COLUMNS)
    assert rows[1][0] == "note"
    assert rows[1][-1] == f"{last.note}; 1 databases were read in both"
    assert "'=joe" in {row[5] for row in rows}
    assert "=joe" in {row[5] for row in last.rows}
