"""Asks the local AWS's own evaluator about a request that it cannot receive, with keys that only AWS fills in.

Run as a program it is the answering half, under the Python that the local AWS is installed for.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def decide(document: str, *, who: str, action: str, resource: str, keys: dict[str, str], of_a_resource: bool) -> str:
    """What the document says to the request: `Allow`, `Deny` with the Sid of what denies, or `ImplicitDeny`.

    Args:
        document: the policy as it was rendered.
        who: ARN of the session that asks.
        keys: condition keys and their values; every other key is absent.
        of_a_resource: whether it is a bucket's or a key's policy, whose statements name principals.
    """
    from sandbox.aws import install

    question = {"document": document, "who": who, "action": action, "resource": resource, "keys": keys}
    asked = json.dumps(question | {"of_a_resource": of_a_resource})
    program = [str(install()), str(Path(__file__))]
    return subprocess.run(program, input=asked, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def _answer(document: str, who: str, action: str, resource: str, keys: dict[str, str], of_a_resource: bool) -> str:
    from ministack.core import iam_evaluator as evaluator

    context: Any = evaluator.EvalContext(
        principal_arn=who,
        principal_type="AssumedRole",
        principal_account=who.split(":")[4],
        action=action,
        resource_arn=resource,
        region="us-east-1",
        secure_transport=keys.pop("aws:SecureTransport", "true") == "true",
        service_context={name.lower(): value for name, value in keys.items()},
    )
    if of_a_resource:
        result = evaluator.evaluate_resource_policy(document, context)
    else:
        result = evaluator.evaluate(context, [evaluator.parse_policy_document(document)])
    return f"{result.decision} {result.matched_sid}" if result.decision == "Deny" else result.decision


if __name__ == "__main__":
    print(_answer(**json.load(sys.stdin)))
