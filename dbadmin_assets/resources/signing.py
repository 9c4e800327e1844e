"""The key that seals evidence: an asymmetric KMS key whose private half never leaves KMS."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dbadmin_assets.errors import SigningError
from dbadmin_assets.review.signature import ALGORITHM, Trust, fingerprint, signed_section

if TYPE_CHECKING:
    import boto3

    from dbadmin_assets.config import Settings

_KEY_SPEC = "ECC_NIST_P256"


class KmsSigner:
    """Signs with one KMS key.

    Args:
        session: the orchestrator's session.
        key: ARN, id or alias/name of the key.
        region: of the key.

    Raises:
        SigningError: the key cannot be asked, or is not one of ECDSA on P-256 for signing.
    """

    def __init__(self, session: boto3.Session, key: str, region: str) -> None:
        self.key = key
        self._kms = session.client(
            "kms",
            region_name=region,
            config=Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 5}),
        )
        try:
            answer = self._kms.get_public_key(KeyId=key)
        except (ClientError, BotoCoreError) as error:
            raise self._error("asked for its public half", error) from error
        kind = f"{answer.get('KeySpec')} for {answer.get('KeyUsage')}"
        if kind != f"{_KEY_SPEC} for SIGN_VERIFY":
            raise SigningError(f"the signing key {key} is {kind}; it must be {_KEY_SPEC} for SIGN_VERIFY")
        self.key_arn = answer["KeyId"]
        self.public_key = answer["PublicKey"]

    def section(self) -> dict[str, str]:
        """What a document says of its signature, before it is signed."""
        return signed_section(self.public_key, self.key_arn)

    def trust(self) -> Trust:
        """The key as KMS names it, to verify with."""
        return Trust(f"{self.key}, as KMS has it", fingerprint(self.public_key))

    def sign(self, document: bytes) -> bytes:
        """The signature of a document, DER. KMS gets its sha256, not the document.

        Raises:
            SigningError: KMS did not sign.
        """
        digest = hashlib.sha256(document).digest()
        try:
            answer = self._kms.sign(
                KeyId=self.key_arn, Message=digest, MessageType="DIGEST", SigningAlgorithm=ALGORITHM
            )
        except (ClientError, BotoCoreError) as error:
            raise self._error("used", error) from error
        return answer["Signature"]

    def _error(self, what: str, error: ClientError | BotoCoreError) -> SigningError:
        said = error.response.get("Error", {}) if isinstance(error, ClientError) else {}
        text = f"{said.get('Code')}: {said.get('Message')}" if said else f"{type(error).__name__}: {error}"
        return SigningError(
            f"the signing key {self.key} cannot be {what}: {text}",
            hint="check signing_key (DBADMIN_SIGNING_KEY), and that the caller may kms:GetPublicKey and kms:Sign",
        )


def open_signer(session: boto3.Session, settings: Settings) -> KmsSigner | None:
    """The configured key; None where no key is configured, and so nothing is signed.

    Raises:
        SigningError: a key is configured and cannot be used.
        ConfigurationError: it is not named by its ARN, and no region is set.
    """
    key = settings.signing_key
    if key is None:
        return None
    region = key.split(":")[3] if key.startswith("arn:") and key.count(":") >= 5 else None
    return KmsSigner(session, key, region or settings.required("region")["region"])
