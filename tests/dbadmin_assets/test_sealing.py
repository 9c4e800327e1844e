"""Sealing in a local S3 with a local KMS key: one chain whoever is first, nothing overwritten, nothing half made."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from dbadmin_assets.errors import AlreadyThereError, EvidenceError, SigningError
from dbadmin_assets.resources.evidence import LATEST_KEY, EvidenceStore
from dbadmin_assets.resources.signing import KmsSigner
from dbadmin_assets.review.chain import walk
from dbadmin_assets.review.findings import Finding
from dbadmin_assets.review.folder import report_folder
from dbadmin_assets.review.manifest import canonical_json
from dbadmin_assets.review.manifest_model import read_sealed
from dbadmin_assets.review.signature import Signer, signature_problem
from dbadmin_assets.review.times import to_text
from dbadmin_assets.sealing import UNSIGNED, seal
from sandbox.aws import LocalAws
from tests.dbadmin_assets.conftest import CENTRAL, REGION
from tests.dbadmin_assets.review.test_verification import Evidence


@pytest.fixture
def session(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.endpoint)
    return boto3.Session(aws_access_key_id=CENTRAL, aws_secret_access_key="test", region_name=REGION)


@pytest.fixture
def bucket(local_aws: LocalAws, session: boto3.Session) -> EvidenceStore:
    """An empty bucket with Object Lock."""
    name, s3 = f"sealing-{uuid4().hex[:12]}", local_aws.client("s3", CENTRAL, REGION)
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    kept = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 400}}
    s3.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": kept}
    )
    return EvidenceStore(session, bucket=name, region=REGION)


@pytest.fixture
def signer(local_aws: LocalAws, session: boto3.Session) -> Iterator[KmsSigner]:
    key = local_aws.client("kms", CENTRAL, REGION).create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    yield KmsSigner(session, key["KeyMetadata"]["Arn"], REGION)


def report(collection_id: str = "c0ffee00-1", ended_at: str = "2026-01-15T15:00:00Z", **other: Any) -> dict[str, Any]:
    """What `build_manifest` makes."""
    added = {"sequence", "previousManifestSha256", "withoutReport", "retention", "signature"}
    made = {name: value for name, value in Evidence("x").manifest.items() if name not in added}
    return made | {"collectionId": collection_id, "endedAt": ended_at} | other


def seal_one(store: EvidenceStore, signer: Signer | None = None, **other: Any) -> dict[str, Any]:
    made = report(**other)
    return seal(store, signer, report_folder(made["endedAt"], made["collectionId"]), made)


def test_a_signed_report_with_its_link_and_what_the_bucket_keeps(bucket: EvidenceStore, signer: KmsSigner) -> None:
    made = seal_one(bucket, signer)
    folder = "reports/2026/01/15/20260115T150000Z-c0ffee00/"
    data = bucket.read(f"{folder}manifest.json")
    assert data is not None and data == bucket.read("chain/1.json")
    manifest = read_sealed(data)
    assert signature_problem(data, manifest.signature, bucket.read(f"{folder}manifest.sig"), signer.trust()) == ""
    assert (made["sequence"], made["previousManifestSha256"], made["withoutReport"]) == (1, None, [])
    assert made["retention"] == {"mode": "COMPLIANCE", "days": 400, "reason": None}


def test_without_a_key_it_is_unsigned_and_says_so(bucket: EvidenceStore) -> None:
    assert seal_one(bucket)["signature"] == {"status": "unsigned", "reason": UNSIGNED}
    assert not [key for key in bucket.keys("") if key.endswith(".sig")]


def test_a_bucket_that_keeps_nothing_is_said_to(session: boto3.Session, bucket: EvidenceStore) -> None:
    bucket.s3.create_bucket(Bucket=f"{bucket.bucket}-plain")
    plain = EvidenceStore(session, bucket=f"{bucket.bucket}-plain", region=REGION)
    kept = seal_one(plain)["retention"]
    assert kept == {"mode": None, "days": None, "reason": "the bucket has no Object Lock"}


def test_ten_reports_at_once_are_one_chain(bucket: EvidenceStore, signer: KmsSigner) -> None:
    start = threading.Barrier(10)

    def one(number: int) -> dict[str, Any]:
        start.wait()
        return seal_one(bucket, signer, collection_id=f"{number:08d}-x")

    with ThreadPoolExecutor(10) as pool:
        made = list(pool.map(one, range(10)))
    assert sorted(manifest["sequence"] for manifest in made) == list(range(1, 11))
    last = bucket.read("chain/10.json")
    assert last is not None
    findings = list(walk(read_sealed(last), hashlib.sha256(last).hexdigest(), lambda key, _: bucket.read(key)))
    assert findings == [Finding("chain", "holds", "10 of 10 links, from here back")]
    pointer = json.loads(bucket.read(LATEST_KEY) or b"")
    assert pointer["sequence"] == 10


def test_latest_never_goes_back_and_is_never_a_part_or_incomplete(bucket: EvidenceStore) -> None:
    first = seal_one(bucket)
    seal_one(bucket, collection_id="bad00000-1", complete=False)
    seal_one(bucket, collection_id="part0000-1", scope=report()["scope"] | {"full": False})
    pointer = json.loads(bucket.read(LATEST_KEY) or b"")
    assert (pointer["sequence"], first["sequence"]) == (1, 1)
    assert len(bucket.keys("chain/")) == 3


def test_a_report_that_was_overtaken_while_it_was_sealed_leaves_latest(bucket: EvidenceStore) -> None:
    class Slow(Dying):
        def put(self, key: str, *arguments: Any, **options: Any) -> None:
            if key.endswith("manifest.json"):
                seal_one(bucket, collection_id="quick000-1")
            bucket.put(key, *arguments, **options)

    slow: Any = Slow(bucket, "never")
    assert seal_one(slow, collection_id="slow0000-1")["sequence"] == 1
    assert json.loads(bucket.read(LATEST_KEY) or b"")["sequence"] == 2


@pytest.mark.parametrize("pointer", [
    b"", b"not json", b"[]", b'{"folder": "reports/x/"}', b'{"sequence": 1e999}', b'{"sequence": "99"}',
    json.dumps({"sequence": 99, "manifestSha256": "0" * 64}).encode(),
    json.dumps({"sequence": 10**15, "manifestSha256": "0" * 64}).encode(),
], ids=["empty", "text", "list", "an older version's", "endless", "type", "no link", "far out"])  # fmt: skip
def test_a_pointer_that_names_no_later_report_of_the_chain_neither_stops_a_report_nor_stays(
    bucket: EvidenceStore, pointer: bytes
) -> None:
    bucket.put(LATEST_KEY, pointer, content_type="application/json", once=False)
    assert seal_one(bucket)["sequence"] == 1
    assert json.loads(bucket.read(LATEST_KEY) or b"")["sequence"] == 1


class Dying:
    """A store whose process ends when it writes a key of that kind."""

    def __init__(self, store: EvidenceStore, at: str) -> None:
        self._store, self._at = store, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, key: str, *arguments: Any, **options: Any) -> None:
        if self._at in key:
            raise KeyboardInterrupt
        self._store.put(key, *arguments, **options)


@pytest.mark.parametrize("at", ["chain/", "manifest.sig", "manifest.json"])
def test_a_run_that_dies_leaves_nothing_that_could_be_taken_for_a_report(
    bucket: EvidenceStore, signer: KmsSigner, at: str
) -> None:
    dying: Any = Dying(bucket, at)
    with pytest.raises(KeyboardInterrupt):
        seal_one(dying, signer, collection_id="dead0000-1")
    assert not [key for key in bucket.keys("reports/") if key.endswith("manifest.json")]
    assert bucket.read(LATEST_KEY) is None
    alive = seal_one(bucket, signer)
    data = bucket.read("reports/2026/01/15/20260115T150000Z-c0ffee00/manifest.json") or b""
    findings = walk(read_sealed(data), hashlib.sha256(data).hexdigest(), lambda key, _: bucket.read(key))
    assert [f.verdict for f in findings] == ["holds"]
    assert alive["sequence"] == (1 if at == "chain/" else 2)


def test_who_was_asked_and_has_no_report_is_in_the_next_manifest(bucket: EvidenceStore) -> None:
    def ask(collection_id: str) -> None:
        bucket.put(f"requests/{collection_id}/run-1.json", b"{}", content_type="application/json")

    for collection in ("c0ffee00-1", "killed00-1"):
        ask(collection)
    made = seal_one(bucket)
    assert [item["collectionId"] for item in made["withoutReport"]] == ["killed00-1"]
    ask("second00-1")
    assert [item["collectionId"] for item in seal_one(bucket, collection_id="third000-1")["withoutReport"]] == [
        "killed00-1",
        "second00-1",
    ]


class Aged(Dying):
    """A store whose requests were written two days ago."""

    def times(self, prefix: str) -> dict[str, datetime]:
        return {
            key: at - timedelta(days=2) if key.startswith("requests/") else at
            for key, at in self._store.times(prefix).items()
        }


def test_a_request_that_was_named_is_not_named_for_ever(bucket: EvidenceStore) -> None:
    bucket.put("requests/killed00-1/run-1.json", b"{}", content_type="application/json")
    now = to_text(datetime.now(UTC))
    assert len(seal_one(bucket, ended_at=now)["withoutReport"]) == 1
    aged: Any = Aged(bucket, "never")
    assert seal_one(aged, collection_id="second00-1", ended_at=now)["withoutReport"] == []


def test_a_last_link_that_says_it_is_of_the_future_hides_no_request(bucket: EvidenceStore) -> None:
    """Its time is the word of whoever wrote it; S3 knows, too, when that was."""
    seal_one(bucket, ended_at="2099-01-15T15:00:00Z")
    bucket.put("requests/killed00-1/run-1.json", b"{}", content_type="application/json")
    assert [item["collectionId"] for item in seal_one(bucket)["withoutReport"]] == ["killed00-1"]


@pytest.mark.parametrize("planted", ["nothing", "a manifest", "another collection's"])
def test_what_only_looks_like_a_report_hides_no_request(bucket: EvidenceStore, planted: str) -> None:
    """Who killed a run that looked bad lays something where its report would be."""
    bucket.put("requests/c0ffee00-2/run-1.json", b"{}", content_type="application/json")
    seal_one(bucket, collection_id="c0ffee00-1")
    forged = Evidence("x").manifest | {"collectionId": "c0ffee00-2", "sequence": 1}
    data = {"nothing": b"{}", "a manifest": canonical_json(forged), "another collection's": None}[planted]
    if data is not None:
        key = "reports/2026/01/16/20260116T000000Z-c0ffee00/manifest.json"
        bucket.put(key, data, content_type="application/json")
    made = seal_one(bucket, collection_id="second00-1")
    assert [item["collectionId"] for item in made["withoutReport"]] == ["c0ffee00-2"]


@pytest.mark.parametrize("head", [b"{}", b"not json", b'{"endedAt": "yesterday"}'])
def test_nothing_is_chained_to_what_is_no_manifest(bucket: EvidenceStore, head: bytes) -> None:
    bucket.put("chain/1.json", head, content_type="application/json")
    with pytest.raises(EvidenceError, match=r"chain/1\.json is no manifest"):
        seal_one(bucket)
    assert bucket.keys("reports/") == []


def test_a_write_that_was_repeated_is_no_overwriting(bucket: EvidenceStore) -> None:
    bucket.put("reports/x", b"the same", content_type="text/plain")
    bucket.put("reports/x", b"the same", content_type="text/plain")
    with pytest.raises(AlreadyThereError):
        bucket.put("reports/x", b"another", content_type="text/plain")
    assert bucket.read("reports/x") == b"the same"


def test_a_pointer_that_others_change_at_the_same_moment_loses_no_change(bucket: EvidenceStore) -> None:
    def count(_: int) -> None:
        bucket.replace("reports/counter", lambda before: str(int(before or b"0") + 1).encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(24)))
    assert bucket.read("reports/counter") == b"24"


WRONG_KEYS: list[tuple[Callable[[Any], str], str]] = [
    (lambda kms: kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"], "RSA_2048"),
    (lambda kms: "alias/there-is-none", "cannot be asked for its public half"),
]


@pytest.mark.parametrize(("make", "says"), WRONG_KEYS)
def test_a_key_that_cannot_sign_is_refused_before_anything_is_signed(
    local_aws: LocalAws, session: boto3.Session, make: Callable[[Any], str], says: str
) -> None:
    key = make(local_aws.client("kms", CENTRAL, REGION))
    with pytest.raises(SigningError, match=says):
        KmsSigner(session, key, REGION)


def test_a_key_that_was_disabled_seals_nothing(bucket: EvidenceStore, signer: KmsSigner, local_aws: LocalAws) -> None:
    local_aws.client("kms", CENTRAL, REGION).disable_key(KeyId=signer.key_arn)
    with pytest.raises(SigningError, match="cannot be used"):
        seal_one(bucket, signer)
    assert bucket.keys("chain/") == []
