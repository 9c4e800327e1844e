"""Signatures of sealed documents: what a document says of its own, and whether it holds.

ECDSA on P-256 over SHA-256, DER-encoded as KMS makes it and `openssl dgst -verify` reads it. The key is named in the
document, for who has nothing else to compare; that proves nothing by itself, so a verifier brings a `Trust`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

from dbadmin_assets.review.manifest_model import Signature, Signed

ALGORITHM: Final = "ECDSA_SHA_256"
CURVE = "secp256r1"


class Signer(Protocol):
    """Whoever holds the private key."""

    def section(self) -> dict[str, str]:
        """What a document says of its signature, before it is signed."""

    def sign(self, document: bytes) -> bytes:
        """The signature of these bytes, DER."""


@dataclass(frozen=True, slots=True)
class Trust:
    """A key that the verifier knows from somewhere else than the evidence.

    Attributes:
        source: how it is known, for people.
        fingerprint: of the key, as `fingerprint` makes it.
    """

    source: str
    fingerprint: str


def fingerprint(public_key: bytes) -> str:
    """Hex sha256 of a public key's DER (SubjectPublicKeyInfo), as `openssl pkey -pubin -outform DER | sha256sum`."""
    return hashlib.sha256(public_key).hexdigest()


def signed_section(public_key: bytes, key_arn: str) -> dict[str, str]:
    """The `signature` of a document that will be signed with this key."""
    return {
        "status": "signed",
        "keyArn": key_arn,
        "algorithm": ALGORITHM,
        "publicKey": base64.b64encode(public_key).decode(),
        "fingerprint": fingerprint(public_key),
    }


def unsigned_section(reason: str) -> dict[str, str]:
    """The `signature` of a document that nobody signs."""
    return {"status": "unsigned", "reason": reason}


def signature_problem(document: bytes, said: Signature, signature: bytes | None, trust: Trust | None) -> str:
    """Why a document's signature does not hold; empty where it does.

    Args:
        said: the document's own `signature`.
        signature: bytes of its .sig; None where there is none.
        trust: the key it must be signed with; None where any key will do.
    """
    if not isinstance(said, Signed):
        if trust:
            return f"it is not signed, and it should be, with the key of {trust.source}"
        return "it says that it is not signed, and a signature lies beside it" if signature is not None else ""
    if signature is None:
        return "the signature is not there"
    try:
        public_key = base64.b64decode(said.public_key, validate=True)
    except (binascii.Error, ValueError):
        return "the key that it names is no key"
    if fingerprint(public_key) != said.fingerprint:
        return "the key that it names does not have the fingerprint that it names"
    if trust and trust.fingerprint != said.fingerprint:
        return f"it is signed with another key than that of {trust.source}: its fingerprint is {said.fingerprint}"
    return _mismatch(document, signature, public_key)


def _mismatch(document: bytes, signature: bytes, public_key: bytes) -> str:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm):
        return "the key that it names is no key"
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name != CURVE:
        return "the key that it names is not one of ECDSA on P-256"
    try:
        key.verify(signature, document, ECDSA(SHA256()))
    except InvalidSignature:
        return "the signature is not that of these bytes by the key that it names"
    return ""
