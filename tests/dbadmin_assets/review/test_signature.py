"""A signature holds for one document, one key, and a key that somebody vouches for; everything else is named."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from dbadmin_assets.review.signature import Trust, fingerprint
from dbadmin_assets.review.verification import verify
from tests.dbadmin_assets.review.samples import LocalSigner
from tests.dbadmin_assets.review.test_verification import CSV, Evidence, flip

SIGNER = LocalSigner()
TRUST = Trust("a friend", fingerprint(SIGNER.public_key))


def signed() -> Evidence:
    evidence = Evidence("x")
    evidence.sign(SIGNER)
    return evidence


def verdicts(evidence: Evidence, trust: Trust | None) -> dict[str, tuple[str, str]]:
    return {f.subject: (f.verdict, f.detail) for f in verify(evidence, evidence.fetch, trust=trust)}


def test_signed_with_the_key_that_is_known() -> None:
    found = verdicts(signed(), TRUST)
    assert found["manifest.sig"] == ("holds", "signed with the key of a friend")
    assert {verdict for verdict, _ in found.values()} == {"holds"}


def test_a_key_that_nobody_vouches_for_proves_nothing() -> None:
    verdict, detail = verdicts(signed(), None)["manifest.sig"]
    assert verdict == "unchecked"
    assert detail.endswith(TRUST.fingerprint)


def reforged(evidence: Evidence) -> None:
    """Everything made anew by somebody who has another key."""
    evidence.sign(LocalSigner())


def another_curve(evidence: Evidence) -> None:
    evidence.sign(LocalSigner(ec.SECP384R1()))


def said(**changes: str) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        evidence.manifest["signature"] |= changes
        evidence.reseal()

    return change


NOT_THESE = "not that of these bytes"
CHANGES: list[tuple[str, Callable[[Evidence], Any], str]] = [
    ("swapped", lambda e: e.files.update({"manifest.sig": SIGNER.sign(b"another document")}), NOT_THESE),
    ("flipped", lambda e: e.files.update({"manifest.sig": flip(e.files["manifest.sig"])}), NOT_THESE),
    ("cut", lambda e: e.files.update({"manifest.sig": e.files["manifest.sig"][:-1]}), NOT_THESE),
    ("emptied", lambda e: e.files.update({"manifest.sig": b""}), NOT_THESE),
    ("removed", lambda e: e.files.pop("manifest.sig"), "the signature is not there"),
    ("another key's", reforged, "signed with another key than that of a friend"),
    ("another curve", another_curve, "another key"),
    ("key swapped", said(publicKey=base64.b64encode(LocalSigner().public_key).decode()),
     "does not have the fingerprint"),
    ("key garbled", said(publicKey="&"), "no key"),
    ("unsigned", lambda e: e.manifest.update(signature={"status": "unsigned", "reason": "x"}) or e.reseal(),
     "it is not signed, and it should be"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "detail"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_a_signature_that_does_not_hold_is_named(change: Callable[[Evidence], Any], detail: str) -> None:
    evidence = signed()
    change(evidence)
    broken = evidence.broken(trust=TRUST)
    assert list(broken) == ["manifest.sig"]
    assert detail in broken["manifest.sig"]


def test_even_without_a_known_key_a_signature_must_be_that_of_its_manifest() -> None:
    evidence = signed()
    evidence.files["manifest.sig"] = SIGNER.sign(b"another document")
    assert list(evidence.broken()) == ["manifest.sig"]
    another_curve(evidence)
    assert evidence.broken() == {"manifest.sig": "the key that it names is not one of ECDSA on P-256"}


def test_a_signature_beside_a_manifest_that_says_it_has_none() -> None:
    evidence = Evidence("x")
    evidence.files["manifest.sig"] = SIGNER.sign(evidence.files["manifest.json"])
    assert list(evidence.broken()) == ["manifest.sig"]


def test_who_changes_a_file_and_its_manifest_cannot_sign_it() -> None:
    evidence = signed()
    evidence.files[CSV] = Evidence("y").files[CSV]
    evidence.manifest["files"] = Evidence("y").manifest["files"]
    signature = evidence.files["manifest.sig"]
    evidence.reseal()
    evidence.files["manifest.sig"] = signature
    assert list(evidence.broken(trust=TRUST)) == ["manifest.sig"]


@settings(max_examples=200)
@given(st.binary(max_size=100))
def test_no_bytes_but_the_signature_pass(data: bytes) -> None:
    evidence = signed()
    evidence.files["manifest.sig"] = data
    assert list(evidence.broken(trust=TRUST)) == ["manifest.sig"]


def test_openssl_comes_to_the_same_verdict(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl here to compare with")
    evidence = signed()
    section = evidence.manifest["signature"]
    (tmp_path / "key.der").write_bytes(base64.b64decode(section["publicKey"]))
    for name in ("manifest.json", "manifest.sig"):
        (tmp_path / name).write_bytes(evidence.files[name])
    command = [openssl, "dgst", "-sha256", "-verify", "key.der", "-keyform", "DER", "-signature", "manifest.sig"]
    done = subprocess.run([*command, "manifest.json"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "Verified OK\n"), done.stderr
    (tmp_path / "manifest.json").write_bytes(flip(evidence.files["manifest.json"]))
    assert subprocess.run([*command, "manifest.json"], cwd=tmp_path, capture_output=True).returncode == 1
