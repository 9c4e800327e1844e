"""Each forbidden thing is tried under the rendered policies and refused; docs/security.md lists just what was tried."""

from __future__ import annotations

import itertools

import pytest
from botocore.exceptions import ClientError

from sandbox.stack import Sandbox
from tests.sandbox.acting import administrator, client
from tests.sandbox.denied import Attempt, attempts
from tests.sandbox.denied.attempt import LOG_GROUP, ONE
from tests.sandbox.security_document import has, table

ATTEMPTS = attempts()


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: f"{attempt.who}: {attempt.what}")
def test_a_forbidden_thing_is_refused(rendered_sandbox: Sandbox, attempt: Attempt) -> None:
    with pytest.raises(ClientError) as refused:
        attempt.call(rendered_sandbox)
    assert refused.value.response["Error"]["Code"] in attempt.codes


def test_what_refuses_an_administrator_is_the_policy_and_not_a_missing_right(rendered_sandbox: Sandbox) -> None:
    """The control: the same role deletes a log group that is not protected, and signs with a key of its own."""
    credentials = administrator(rendered_sandbox, ONE)
    logs = client(rendered_sandbox, "logs", credentials)
    logs.create_log_group(logGroupName=f"{LOG_GROUP}-unprotected")
    logs.delete_log_group(logGroupName=f"{LOG_GROUP}-unprotected")
    kms = client(rendered_sandbox, "kms", administrator(rendered_sandbox))
    own = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    assert kms.sign(KeyId=own, Message=b"0" * 32, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")["Signature"]


def test_the_security_document_lists_every_attempt() -> None:
    alike = itertools.groupby(ATTEMPTS, key=lambda a: (a.what, a.refused_by))
    rows = [("; ".join(a.who for a in group), what, by) for (what, by), group in alike]
    assert has("denied-attempts", table("Who", "Tried to", "Refused by", rows=rows))
