"""Attempts by what runs beside the pipeline: Dagster's roles on ECS, and what forwards alarms.

AWS alone becomes these roles. A stand-in has the same two policies, and a trust policy of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sandbox.organization import BUCKET
from sandbox.plan import CENTRAL_ACCOUNT
from sandbox.stack import Sandbox
from tests.sandbox.acting import client, stand_in
from tests.sandbox.denied.attempt import EVIDENCE, ONE, Attempt
from tests.sandbox.denied.entering import become_orchestrator, become_writer, enter
from tests.sandbox.denied.evidence import put, stored
from tests.sandbox.denied.inside import read_secret, sign

ROLES = {
    "Dagster's code location": "db-admin-report-dagster-code",
    "its webserver and daemon": "db-admin-report-dagster-services",
    "what starts its containers": "db-admin-report-dagster-execution",
    "what restarts it": "db-admin-report-dagster-services-restart",
}
ALARMS = "db-admin-report-alarms-us-east-1"
Act = Callable[[Sandbox, dict[str, Any]], object]


def attempts() -> list[Attempt]:
    own = "its identity policy"
    trust = f"{own}, and the trust policy of the role"
    things: dict[str, tuple[str, Act]] = {
        "sign a manifest": ("key policy: the orchestrator only", sign),
        "enter an account": (trust, enter),
        "become the orchestrator": (trust, become_orchestrator),
        "read evidence": (own, _read),
        "write evidence": (own, partial(put, key=EVIDENCE)),
    }
    tried = [
        Attempt(who, what, refused_by, partial(_as, CENTRAL_ACCOUNT, role, act))
        for what, (refused_by, act) in things.items()
        for who, role in ROLES.items()
    ]
    forwards = "what forwards an account's alarms"
    return [
        *tried,
        Attempt(forwards, "read a database's secret", own, partial(_as, ONE, ALARMS, read_secret)),
        Attempt(forwards, "become its account's writer", trust, partial(_as, ONE, ALARMS, become_writer)),
    ]


def _as(account_id: str, role: str, act: Act, sandbox: Sandbox) -> object:
    return act(sandbox, stand_in(sandbox, account_id, role))


def _read(sandbox: Sandbox, credentials: dict[str, Any]) -> object:
    stored(sandbox)
    return client(sandbox, "s3", credentials).get_object(Bucket=BUCKET, Key=EVIDENCE)
