"""The chain of manifests: whatever is taken out, put in or changed in it is named."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dbadmin_assets.errors import EvidenceError
from dbadmin_assets.review.chain import link_key, newest, walk
from dbadmin_assets.review.manifest import canonical_json
from dbadmin_assets.review.manifest_model import Manifest, read_sealed
from dbadmin_assets.review.times import utc_now
from tests.dbadmin_assets.review.test_verification import Evidence


class Chain:
    """As many links as told, each a manifest that names the one before."""

    def __init__(self, length: int, ended_at: str | None = None) -> None:
        self.links: dict[str, bytes] = {}
        previous = None
        for sequence in range(1, length + 1):
            manifest = Evidence("x").manifest
            manifest |= {"sequence": sequence, "previousManifestSha256": previous, "endedAt": ended_at or utc_now()}
            self.links[link_key(sequence)] = data = canonical_json(manifest)
            previous = hashlib.sha256(data).hexdigest()
        self.newest: Manifest = read_sealed(data)
        self.sha256 = previous or ""

    def fetch(self, key: str, version_id: str | None) -> bytes | None:
        return self.links.get(key)

    def findings(self) -> dict[str, tuple[str, str]]:
        return {f.subject: (f.verdict, f.detail) for f in walk(self.newest, self.sha256, self.fetch)}

    def broken(self) -> list[str]:
        return [subject for subject, (verdict, _) in self.findings().items() if verdict == "broken"]


def test_a_chain_that_holds_from_the_newest_to_the_first() -> None:
    assert Chain(5).findings() == {"chain": ("holds", "5 of 5 links, from here back")}


def changed(data: bytes, **fields: Any) -> bytes:
    return canonical_json(msgspec.json.decode(data) | fields)


BREAKS: list[tuple[str, Callable[[dict[str, bytes]], Any], list[str]]] = [
    ("own link gone", lambda links: links.pop("chain/4.json"), ["chain/4.json"]),
    ("own link another", lambda links: links.update({"chain/4.json": links["chain/3.json"]}), ["chain/4.json"]),
    ("middle gone", lambda links: links.pop("chain/3.json"), ["chain/3.json"]),
    ("first gone", lambda links: links.pop("chain/1.json"), ["chain/1.json"]),
    ("middle changed", lambda links: links.update({"chain/2.json": changed(links["chain/2.json"], complete=False)}),
     ["chain/2.json"]),
    ("two swapped", lambda links: links.update(
        {"chain/2.json": links["chain/3.json"], "chain/3.json": links["chain/2.json"]}
    ), ["chain/3.json"]),
    ("no manifest", lambda links: links.update({"chain/2.json": b"{}"}), ["chain/2.json"]),
    ("cut", lambda links: links.update({"chain/3.json": links["chain/3.json"][:-9]}), ["chain/3.json"]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "broken"), [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS])
def test_a_link_that_does_not_hold_is_named(change: Callable[[dict[str, bytes]], Any], broken: list[str]) -> None:
    chain = Chain(4)
    change(chain.links)
    found = chain.broken()
    assert found[:1] == broken
    assert chain.findings()["chain"][0] == "unchecked"


def test_a_chain_that_was_made_anew_from_its_second_link_does_not_fit() -> None:
    """Somebody leaves out the first report and numbers on as if there had been none."""
    chain, other = Chain(3), Chain(2, ended_at="2026-01-01T00:00:00Z")
    chain.links |= {"chain/1.json": other.links["chain/1.json"], "chain/2.json": other.links["chain/2.json"]}
    assert chain.broken()[0] == "chain/2.json"


def test_a_first_link_that_names_one_before_it() -> None:
    chain = Chain(1)
    chain.links["chain/1.json"] = changed(chain.links["chain/1.json"], previousManifestSha256="0" * 64)
    chain.newest = read_sealed(chain.links["chain/1.json"])
    chain.sha256 = hashlib.sha256(chain.links["chain/1.json"]).hexdigest()
    assert chain.broken() == ["chain/1.json"]


def test_a_later_link_that_names_none_before_it() -> None:
    chain = Chain(3)
    chain.links["chain/3.json"] = changed(chain.links["chain/3.json"], previousManifestSha256=None)
    chain.newest = read_sealed(chain.links["chain/3.json"])
    chain.sha256 = hashlib.sha256(chain.links["chain/3.json"]).hexdigest()
    assert chain.broken() == ["chain/3.json"]


def test_links_that_are_older_than_what_a_bucket_keeps_may_be_gone() -> None:
    chain = Chain(3, ended_at="2020-01-15T15:00:00Z")
    del chain.links["chain/1.json"]
    verdict, detail = chain.findings()["chain/1.json"]
    assert verdict == "unchecked"
    assert "days old" in detail
    assert chain.findings()["chain"] == ("unchecked", "2 of 3 links, from here back")


def test_a_link_that_may_not_be_read_is_no_link_that_is_gone() -> None:
    chain = Chain(2)

    def denied(key: str, version_id: str | None) -> bytes | None:
        raise EvidenceError("AccessDenied")

    verdicts = {f.subject: f.verdict for f in walk(chain.newest, chain.sha256, denied)}
    assert verdicts == {"chain/2.json": "unread", "chain": "unchecked"}


def test_only_keys_of_links_count_for_the_newest() -> None:
    assert newest([]) == 0
    assert newest(["chain/2.json", "chain/10.json", "chain/0.json", "chain/99.json.bak", "chain/x/99.json"]) == 10
