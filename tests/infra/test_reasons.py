"""docs/iam-actions.md leaves nothing out: neither a statement without a reason, nor one that only a stack has."""

from __future__ import annotations

from collections.abc import Iterator

from docs import iam_actions
from infra.policies import Policy
from infra.policies.reasons import REASONS
from tests.infra.recording import Stack, as_list

Granted = tuple[str, str, str]


def actions(document: Policy) -> Iterator[Granted]:
    """Effect, Sid and action of every statement but those of trust, which have no Sid."""
    for statement in document["Statement"]:
        for action in as_list(statement["Action"]):
            if action != "sts:AssumeRole" or "Sid" in statement:
                yield statement["Effect"], statement["Sid"], action


def told() -> set[Granted]:
    return {item for found in iam_actions.documents().values() for document in found for item in actions(document)}


def test_every_statement_has_its_reason_and_every_reason_its_statement() -> None:
    sids = {
        name: {statement["Sid"] for document in found for statement in document["Statement"]}
        for name, found in iam_actions.documents().items()
    }
    assert sids == {name: set(reasons) for name, reasons in REASONS.items()}


def test_every_action_that_any_stack_grants_or_denies_is_told(every_stack: list[Stack]) -> None:
    documents = [d for stack in every_stack for resource in stack.resources for d in resource.documents()]
    rendered = {item for document in documents for item in actions(document)}
    assert len(rendered) > 100
    assert rendered <= told()


def test_every_role_of_every_stack_is_in_the_table_of_trust(every_stack: list[Stack]) -> None:
    services = {
        str(statement["Principal"])
        for stack in every_stack
        for role in stack.of("iam/role:Role")
        for document in role.documents()
        for statement in document["Statement"]
        if "Service" in statement["Principal"]
    }
    known = {str(s["Principal"]) for trust in iam_actions.trusts().values() for s in trust["Statement"]}
    assert services
    assert services <= known
