"""Whatever is changed in an evidence folder, it is found and named; what cannot be checked is said to be so."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any, BinaryIO

import pytest

from benchmarks.sealed_alone import sealed_alone
from dbadmin_assets.errors import EvidenceError
from dbadmin_assets.review.chain import link_key
from dbadmin_assets.review.consolidate import write_csv
from dbadmin_assets.review.manifest import ReportFile, build_manifest, canonical_json
from dbadmin_assets.review.verification import Finding, verify
from tests.dbadmin_assets.review.samples import (
    AS_OF,
    STARTED,
    LocalSigner,
    delivered,
    requested,
    user,
    worker_request,
)

CSV = "db-admin-report.csv"


class Evidence:
    """A folder and the bucket behind it, in memory."""

    def __init__(self, *users: str, lost: bool = False) -> None:
        csv = io.BytesIO()
        record, answer = delivered(worker_request({"a": "mysql", "b": "mysql"}), [user("a", name) for name in users])
        totals = write_csv([(record, None if lost else answer)], csv, as_of=AS_OF)
        self.manifest: dict[str, Any] = build_manifest(
            [requested(record)], [record], totals, files=[ReportFile(CSV, totals.csv_sha256, totals.csv_size_bytes)],
            collection_id="c0ffee00-1", run_id="run-1", started_at=STARTED, ended_at=AS_OF, code_version="0.1.0",
        )  # fmt: skip
        self.manifest = sealed_alone(self.manifest)
        self.signer: LocalSigner | None = None
        self.files = {CSV: csv.getvalue()}
        assert record.outcome is not None and record.outcome.object is not None
        self.key = record.outcome.object.key
        self.objects: dict[str, bytes] = {self.key: answer}
        self.reseal()

    def names(self) -> list[str]:
        return list(self.files)

    def open(self, name: str) -> BinaryIO | None:
        return io.BytesIO(self.files[name]) if name in self.files else None

    def fetch(self, key: str, version_id: str | None) -> bytes | None:
        assert version_id == (None if key.startswith("chain/") else "v1")
        return self.objects.get(key)

    def reseal(self) -> None:
        """As somebody would who changes the manifest and the chain and knows how they are written."""
        data = canonical_json(self.manifest)
        self.files["manifest.json"] = self.objects[link_key(self.manifest["sequence"])] = data
        if self.signer:
            self.files["manifest.sig"] = self.signer.sign(data)

    def sign(self, signer: LocalSigner) -> None:
        self.signer = signer
        self.manifest["signature"] = signer.section()
        self.reseal()

    def broken(self, **options: Any) -> dict[str, str]:
        return {f.subject: f.detail for f in verify(self, self.fetch, **options) if f.verdict == "broken"}


def test_what_was_sealed_holds_and_that_it_is_unsigned_is_said() -> None:
    evidence = Evidence("x")
    assert list(verify(evidence, evidence.fetch)) == [
        Finding("manifest.json", "holds"),
        Finding("population", "holds"),
        Finding("counts", "holds"),
        Finding("complete", "holds"),
        Finding("targets", "holds"),
        Finding("discovered", "holds"),
        Finding("scope", "holds"),
        Finding(CSV, "holds"),
        Finding(evidence.key, "holds"),
        Finding("signature", "unchecked", "unsigned: no key"),
        Finding("chain", "holds", "1 of 1 links, from here back"),
    ]


def test_without_the_bucket_the_workers_objects_are_unchecked() -> None:
    findings = {f.subject: (f.verdict, f.detail) for f in verify(Evidence("x"), None)}
    assert findings["worker objects"] == ("unchecked", "1 lie in the evidence bucket, not here")


def flip(data: bytes) -> bytes:
    return data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]


FILES: list[tuple[str, Callable[[Evidence], Any], str]] = [
    ("a flipped byte", lambda e: e.files.update({CSV: flip(e.files[CSV])}), "its sha256 is not the one"),
    ("truncated", lambda e: e.files.update({CSV: e.files[CSV][:-1]}), "bytes, "),
    ("emptied", lambda e: e.files.update({CSV: b""}), "it has 0 bytes"),
    ("removed", lambda e: e.files.pop(CSV), "it is not there"),
    ("of another report", lambda e: e.files.update({CSV: Evidence("y").files[CSV]}), "its sha256 is not the one"),
]


@pytest.mark.parametrize(("change", "detail"), [c[1:] for c in FILES], ids=[c[0] for c in FILES])
def test_a_changed_file_is_named(change: Callable[[Evidence], Any], detail: str) -> None:
    evidence = Evidence("x")
    change(evidence)
    broken = evidence.broken()
    assert list(broken) == [CSV]
    assert detail in broken[CSV]


def test_a_file_that_was_added_is_named() -> None:
    evidence = Evidence("x")
    evidence.files["notes/approved.txt"] = b"fine"
    assert evidence.broken() == {"notes/approved.txt": "the manifest does not know this file"}


def test_a_manifest_of_another_report_does_not_fit_the_files() -> None:
    evidence = Evidence("x")
    evidence.files["manifest.json"] = Evidence("xyz").files["manifest.json"]
    assert set(evidence.broken()) == {CSV, evidence.key, "chain/1.json"}


@pytest.mark.parametrize("change", [
    lambda e: json.dumps(e.manifest, indent=2).encode(),
    lambda e: e.files["manifest.json"].replace(b"{", b'{ "complete": true,', 1),
    lambda e: e.files["manifest.json"][:-1],
    lambda e: e.files["manifest.json"][: len(e.files["manifest.json"]) // 2],
    lambda e: canonical_json(e.manifest | {"schemaVersion": "2"}),
    lambda e: canonical_json({k: v for k, v in e.manifest.items() if k != "population"}),
    lambda e: canonical_json(e.manifest | {"files": None}),
    lambda e: canonical_json(e.manifest | {"files": e.manifest["files"] * 2}),
    lambda e: b"\xff",
    lambda e: b"[" * 100_000,
    lambda e: b"[]",
    lambda e: b"",
], ids=["reformatted", "a key twice", "no newline", "cut", "schema", "a key less", "null", "a file twice", "binary",
        "deep", "a list", "empty"])  # fmt: skip
def test_a_manifest_that_is_none_any_more_is_named(change: Callable[[Evidence], bytes]) -> None:
    evidence = Evidence("x")
    evidence.files["manifest.json"] = change(evidence)
    assert list(evidence.broken()) in (["manifest.json"], ["manifest.json", "chain/1.json"])


def test_a_folder_without_a_manifest_is_no_report() -> None:
    evidence = Evidence("x")
    del evidence.files["manifest.json"]
    assert list(evidence.broken()) == ["manifest.json"]


def twice(manifest: dict[str, Any]) -> None:
    """A database, its sums adjusted."""
    manifest["targets"][0]["databases"].append(manifest["targets"][0]["databases"][1])
    manifest["population"] |= {"declared": 3, "complete": 3}


SUMS: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("population", lambda m: m["population"].update(declared=1)),
    ("population", lambda m: m["targets"][0]["excluded"].append({"name": "c", "databaseType": "MySQL", "reason": "x"})),
    ("population", twice),
    ("counts", lambda m: m["counts"].update(admins=7)),
    ("counts", lambda m: m["counts"].update(targets=2)),
    ("counts", lambda m: m["counts"].update(excludedPrincipals=1)),
    ("complete", lambda m: m.update(complete=False)),
    ("targets", lambda m: m["targets"][0].update(status="partial")),
    ("scope", lambda m: m["scope"].update(full=False)),
]


@pytest.mark.parametrize(("subject", "change"), SUMS)
def test_a_sum_that_does_not_balance_is_named(subject: str, change: Callable[[dict[str, Any]], Any]) -> None:
    evidence = Evidence("x")
    change(evidence.manifest)
    evidence.reseal()
    assert list(evidence.broken()) == [subject]


def test_a_database_that_was_taken_out_is_found_by_the_sums() -> None:
    evidence = Evidence("x")
    evidence.manifest["targets"][0]["databases"].pop()
    evidence.reseal()
    assert list(evidence.broken()) == ["population"]


def test_a_workers_object_that_is_gone_or_changed_is_named() -> None:
    evidence = Evidence("x")
    evidence.objects[evidence.key] = flip(evidence.objects[evidence.key])
    assert evidence.broken() == {evidence.key: "its sha256 is not the one that was sealed"}
    evidence.objects.clear()
    assert evidence.broken() == {evidence.key: "it is not there any more"}


def test_a_pinned_manifest_that_was_replaced_is_named() -> None:
    evidence = Evidence("x")
    pinned = hashlib.sha256(evidence.files["manifest.json"]).hexdigest()
    assert all(f.verdict != "broken" for f in verify(evidence, evidence.fetch, pinned_sha256=pinned))
    evidence.manifest["codeVersion"] = "0.1.1"
    evidence.reseal()
    for pin in (pinned, ""):
        broken = [f.subject for f in verify(evidence, evidence.fetch, pinned_sha256=pin) if f.verdict == "broken"]
        assert broken == ["reports/latest.json"]


NO_MANIFEST: list[Callable[[dict[str, Any]], Any]] = [
    lambda m: m["signature"].update(status="signed"),
    lambda m: m.update(sequence=0),
    lambda m: m.update(previousManifestSha256=""),
    lambda m: m["signature"].update(status=None),
    lambda m: m["targets"][0]["databases"][0].update(status="omitted"),
    lambda m: m["targets"][0]["databases"][0].update(users=-1),
    lambda m: m["counts"].update(users=1.0),
    lambda m: m["counts"].update(targets=True),
    lambda m: m["files"][0].update(sizeBytes="12"),
    lambda m: m["files"][0].update(sha256="0"),
    lambda m: m["targets"][0]["object"].update(key=5),
    lambda m: m["targets"][0]["object"].update(versionId=7),
    lambda m: m["targets"][0].update(object={}),
    lambda m: m.update(approved=True),
]


@pytest.mark.parametrize("change", NO_MANIFEST)
def test_what_no_manifest_holds_is_not_taken_for_one(change: Callable[[dict[str, Any]], Any]) -> None:
    evidence = Evidence("x")
    change(evidence.manifest)
    evidence.reseal()
    assert list(evidence.broken()) == ["manifest.json"]


def test_a_report_without_its_csv_does_not_hold() -> None:
    evidence = Evidence("x")
    evidence.manifest["files"] = []
    del evidence.files[CSV]
    evidence.reseal()
    assert evidence.broken() == {"manifest.json": "it lists no db-admin-report.csv"}


def test_data_without_the_object_it_was_made_of_does_not_hold() -> None:
    evidence = Evidence("x")
    evidence.manifest["targets"][0]["object"] = None
    evidence.reseal()
    assert list(evidence.broken()) == ["123456789012 us-east-1"]


def test_an_object_of_which_no_row_was_made_need_not_be_there() -> None:
    """It was lost or damaged before the report was made, and the report says so."""
    evidence = Evidence("x", lost=True)
    assert evidence.manifest["population"]["failed"] == 2
    evidence.objects.clear()
    unchecked = {f.subject: f.detail for f in verify(evidence, evidence.fetch) if f.verdict == "unchecked"}
    assert unchecked[evidence.key] == "it is not there any more; no row was made of it"
    assert evidence.broken() == {}


def test_an_object_that_may_not_be_read_hides_nothing() -> None:
    evidence = Evidence("x")
    evidence.files[CSV] = flip(evidence.files[CSV])

    def denied(key: str, version_id: str | None) -> bytes | None:
        raise EvidenceError(f"cannot read {key}: AccessDenied")

    verdicts = {f.subject: f.verdict for f in verify(evidence, denied)}
    assert (verdicts[CSV], verdicts[evidence.key]) == ("broken", "unread")


@pytest.mark.parametrize(("place", "holds"), [
    ("reports/2024/01/15/20240115T150000Z-c0ffee00", True),
    ("20240115T150000Z-c0ffee00", True),
    ("20310101T000000Z-c0ffee00", False),
    ("reports/2024/01/16/20240115T150000Z-c0ffee00", False),
    ("c0ffee00", False),
])  # fmt: skip
def test_a_report_under_the_name_of_another_does_not_hold(place: str, holds: bool) -> None:
    evidence = Evidence("x")
    findings = {f.subject: f.verdict for f in verify(evidence, evidence.fetch, place=place)}
    assert findings["manifest.json"] == ("holds" if holds else "broken")
