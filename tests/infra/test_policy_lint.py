"""parliament, an independent linter of IAM policies, finds nothing in what the stacks attach."""

from __future__ import annotations

import json

import parliament
import pytest

from tests.infra.recording import Stack

# What parliament calls a finding and is meant: each with its reason.
MEANT = {
    "RESOURCE_MISMATCH": "its table of actions is older than ours; test_rendering_absence holds the wildcards",
    "UNKNOWN_ACTION": "the same",
    "UNKNOWN_CONDITION_FOR_ACTION": "the same",
    "UNKNOWN_PREFIX": "the same",
    "CREDENTIALS_EXPOSURE": "sts:AssumeRole is the worker's and the orchestrator's whole purpose",
    "RESOURCE_STAR": "test_rendering_absence has the allow-list with reasons",
    "PERMISSIONS_MANAGEMENT_ACTIONS": "s3:PutObjectRetention only ever lengthens under Object Lock",
}


@pytest.mark.parametrize("kind", ["identity"])
def test_the_identity_policies_have_no_finding_beyond_those_that_are_meant(every_stack: list[Stack], kind: str) -> None:
    seen: set[str] = set()
    linted = 0
    for stack in every_stack:
        for resource in stack.of("iam/rolePolicy:RolePolicy"):
            text = resource.inputs["policy"]
            if text in seen:
                continue
            seen.add(text)
            linted += 1
            found = parliament.analyze_policy_string(json.dumps(json.loads(text)), include_community_auditors=False)
            unmeant = [f"{f.issue}: {f.detail}" for f in found.findings if f.issue not in MEANT]
            assert unmeant == [], resource.name
    assert linted > 20
