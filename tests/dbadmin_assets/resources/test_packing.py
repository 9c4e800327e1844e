"""Large text files travel compressed, and nobody who reads them through this program sees it; damage is named."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from dbadmin_assets.cli.report_place import BucketFolder
from dbadmin_assets.errors import BrokenEvidenceError
from dbadmin_assets.resources.evidence import EvidenceStore
from dbadmin_assets.review.manifest import ReportFile
from dbadmin_assets.review.verification import verify
from sandbox.aws import LocalAws
from tests.dbadmin_assets.conftest import CENTRAL, REGION
from tests.dbadmin_assets.review.test_verification import CSV, Evidence

LARGE = ("".join(f"{n},some text that repeats\r\n" for n in range(400_000))).encode()


@pytest.fixture
def store(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> EvidenceStore:
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.endpoint)
    session = boto3.Session(aws_access_key_id=CENTRAL, aws_secret_access_key="test", region_name=REGION)
    store = EvidenceStore(session, bucket=f"packing-{uuid4().hex[:12]}", region=REGION)
    store.s3.create_bucket(Bucket=store.bucket)
    return store


def put(store: EvidenceStore, tmp_path: Path, name: str, data: bytes) -> str:
    path = tmp_path / name
    path.write_bytes(data)
    key = f"reports/2024/01/15/20240115T150000Z-c0ffee00/{name}"
    store.put_file(key, path, content_type="text/csv", sha256=hashlib.sha256(data).hexdigest())
    return key


def test_a_large_csv_is_stored_small_and_comes_back_as_it_was(store: EvidenceStore, tmp_path: Path) -> None:
    key = put(store, tmp_path, CSV, LARGE)
    stored = store.s3.get_object(Bucket=store.bucket, Key=key)
    packed = stored["Body"].read()
    assert (stored["ContentEncoding"], stored["ContentType"]) == ("gzip", "text/csv")
    assert len(packed) < len(LARGE) / 4
    assert gzip.decompress(packed) == LARGE
    came: list[int] = []
    store.download(key, tmp_path / "came", came.append)
    assert (tmp_path / "came").read_bytes() == LARGE
    assert sum(came) == len(packed)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["came", CSV]
    with store.open(key) or pytest.fail("it is not there") as stream:
        assert hashlib.sha256(stream.read()).digest() == hashlib.sha256(LARGE).digest()
    put(store, tmp_path, CSV, LARGE)  # the same again: an answer that got lost


@pytest.mark.parametrize(("name", "data"), [
    (CSV, LARGE[:1000]), ("report.parquet", random.Random(1).randbytes(9 << 20)),
])  # fmt: skip
def test_what_is_small_or_compressed_already_is_stored_as_it_is(
    store: EvidenceStore, tmp_path: Path, name: str, data: bytes
) -> None:
    key = put(store, tmp_path, name, data)
    stored = store.s3.get_object(Bucket=store.bucket, Key=key)
    assert (stored.get("ContentEncoding"), stored["Body"].read()) == (None, data)


DAMAGE: list[Callable[[bytes], bytes]] = [
    lambda data: data[: len(data) // 2],
    lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
    lambda data: b"no gzip at all",
    lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
]


@pytest.mark.parametrize("damage", DAMAGE, ids=["cut", "flipped", "another", "length"])
def test_a_damaged_packed_file_is_broken_and_named(
    store: EvidenceStore, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    evidence = Evidence("x")
    evidence.files[CSV] = LARGE
    sealed = ReportFile(CSV, hashlib.sha256(LARGE).hexdigest(), len(LARGE))
    evidence.manifest["files"] = [{"name": CSV, "sha256": sealed.sha256, "sizeBytes": sealed.size_bytes}]
    evidence.reseal()
    key = put(store, tmp_path, CSV, LARGE)
    folder = key.removesuffix(CSV)
    store.put(f"{folder}manifest.json", evidence.files["manifest.json"], content_type="application/json")

    def broken() -> dict[str, Any]:
        found = verify(BucketFolder(store, folder), evidence.fetch)
        return {f.subject: f.detail for f in found if f.verdict == "broken"}

    assert broken() == {}
    data = store.s3.get_object(Bucket=store.bucket, Key=key)["Body"].read()
    store.s3.put_object(Bucket=store.bucket, Key=key, Body=damage(data), ContentEncoding="gzip")
    assert list(broken()) == [CSV]
    with pytest.raises(BrokenEvidenceError, match=r"cannot be unpacked"):
        store.download(key, tmp_path / "came", lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == [CSV]
