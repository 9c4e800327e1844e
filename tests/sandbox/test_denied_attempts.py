"""Each forbidden thing is tried and refused; docs/security.md lists what was tried, and no more.

`DBADMIN_WRITE_DOCS=1 pytest tests/sandbox/test_denied_attempts.py` writes the table anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sandbox.stack import Sandbox
from tests.sandbox.acting import client
from tests.sandbox.denied import LOG_GROUP, ONE, Attempt, administrator, attempts

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
_TABLE = re.compile(r"(?<=<!-- denied-attempts -->\n).*?(?=<!-- /denied-attempts -->)", re.DOTALL)
ATTEMPTS = attempts()


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: f"{attempt.who}: {attempt.what}")
def test_a_forbidden_thing_is_refused(fault_sandbox: Sandbox, attempt: Attempt) -> None:
    with pytest.raises(ClientError) as refused:
        attempt.call(fault_sandbox)
    assert refused.value.response["Error"]["Code"] in attempt.codes


def test_what_refuses_an_administrator_is_the_policy_and_not_a_missing_right(fault_sandbox: Sandbox) -> None:
    """The control: the same role deletes a log group that is not protected, and signs with a key of its own."""
    credentials = administrator(fault_sandbox, ONE)
    logs = client(fault_sandbox, "logs", credentials)
    logs.create_log_group(logGroupName=f"{LOG_GROUP}-unprotected")
    logs.delete_log_group(logGroupName=f"{LOG_GROUP}-unprotected")
    kms = client(fault_sandbox, "kms", administrator(fault_sandbox))
    own = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    assert kms.sign(KeyId=own, Message=b"0" * 32, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")["Signature"]


def test_the_security_document_lists_every_attempt() -> None:
    rows = [f"| {a.who} | {a.what} | {a.refused_by} |" for a in ATTEMPTS]
    table = "\n".join(["| Who | Tried to | Refused by |", "|---|---|---|", *rows]) + "\n"
    text = DOCUMENT.read_text(encoding="utf-8")
    if os.environ.get("DBADMIN_WRITE_DOCS"):
        DOCUMENT.write_text(_TABLE.sub(lambda _: table, text), encoding="utf-8")
        text = DOCUMENT.read_text(encoding="utf-8")
    found = _TABLE.search(text)
    assert found and found[0] == table
