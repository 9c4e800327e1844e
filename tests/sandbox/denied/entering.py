"""Attempts to become a role that is somebody else's."""

from __future__ import annotations

from typing import Any

from sandbox.plan import CENTRAL_ACCOUNT
from sandbox.stack import Sandbox
from tests.sandbox.acting import administrator, client, invoker, root, worker, writer
from tests.sandbox.denied.attempt import ONE, OTHER, Attempt

STRANGER = "999999999999"


def attempts() -> list[Attempt]:
    trust, own = "trust policy of the invoker role", "trust policy of the writer role"
    run = "trust policy of the orchestrator role"
    namesake = "a role of the orchestrator's name, of an account outside the organization"
    return [
        Attempt("orchestrator", "enter an account without the ExternalId", trust, lambda s: invoker(s, ONE, None)),
        Attempt("orchestrator", "enter an account with another ExternalId", trust, lambda s: invoker(s, ONE, "other")),
        Attempt("a worker", "enter another account", trust, lambda s: enter(s, worker(s, ONE), OTHER)),
        Attempt("root of the central account", "enter an account", trust, lambda s: enter(s, root(CENTRAL_ACCOUNT))),
        Attempt("an administrator of the central account", "enter an account", trust,
                lambda s: enter(s, administrator(s))),
        Attempt(namesake, "enter an account", trust,
                lambda s: enter(s, administrator(s, STRANGER, "db-admin-report-orchestrator"))),
        Attempt("a worker", "become another account's writer", own, lambda s: writer(s, ONE, of=OTHER)),
        Attempt("a worker", "become its writer with another ExternalId", own,
                lambda s: writer(s, ONE, of=ONE, external_id="other")),
        Attempt("an administrator of a worker's account", "become its writer", own,
                lambda s: become_writer(s, administrator(s, ONE))),
        Attempt("an administrator of the central account", "become the orchestrator", run,
                lambda s: become_orchestrator(s, administrator(s))),
        Attempt("root of the central account", "become the orchestrator", run,
                lambda s: become_orchestrator(s, root(CENTRAL_ACCOUNT))),
        Attempt("a worker", "become the orchestrator", run, lambda s: become_orchestrator(s, worker(s, ONE))),
    ]  # fmt: skip


def enter(sandbox: Sandbox, credentials: dict[str, Any], account_id: str = ONE) -> object:
    """Become the invoker of an account, knowing the ExternalId."""
    estate = sandbox.organization.estate
    arn = estate.role_arn(account_id, estate.invoker_role)
    sts = client(sandbox, "sts", credentials)
    return sts.assume_role(RoleArn=arn, RoleSessionName="denied", ExternalId=estate.external_id)


def become_orchestrator(sandbox: Sandbox, credentials: dict[str, Any]) -> object:
    """Become what a run is."""
    estate = sandbox.organization.estate
    arn = estate.role_arn(CENTRAL_ACCOUNT, estate.orchestrator_role)
    return client(sandbox, "sts", credentials).assume_role(RoleArn=arn, RoleSessionName="denied")


def become_writer(sandbox: Sandbox, credentials: dict[str, Any]) -> object:
    """Become the first account's writer, knowing the ExternalId."""
    estate = sandbox.organization.estate
    arn = estate.role_arn(CENTRAL_ACCOUNT, estate.writer_role_for(ONE))
    sts = client(sandbox, "sts", credentials)
    return sts.assume_role(RoleArn=arn, RoleSessionName="denied", ExternalId=estate.external_id)
