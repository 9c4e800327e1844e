"""Every IAM policy, as pure functions of an Estate that return JSON-ready dicts.

The Pulumi program and the sandbox use the same functions. Why each action is there stands in reasons.py, of which
docs/iam-actions.md is made. A trust policy may hold 2,048 characters by default (IAM quota), so none of them lists
the accounts.
"""

from infra.policies.bucket import bucket_policy
from infra.policies.estate import EVIDENCE_PREFIXES, ORCHESTRATOR_WRITES, SECRET_PATH, Estate
from infra.policies.orchestrator import orchestrator_identity, orchestrator_trust
from infra.policies.roles import log_deletion_deny, service_trust
from infra.policies.statements import Policy, Statement, allow, deny, policy
from infra.policies.workers import (
    invoker_identity,
    invoker_trust,
    worker_identity,
    worker_trust,
    writer_identity,
    writer_trust,
)

__all__ = [
    "EVIDENCE_PREFIXES",
    "ORCHESTRATOR_WRITES",
    "SECRET_PATH",
    "Estate",
    "Policy",
    "Statement",
    "allow",
    "bucket_policy",
    "deny",
    "invoker_identity",
    "invoker_trust",
    "log_deletion_deny",
    "orchestrator_identity",
    "orchestrator_trust",
    "policy",
    "service_trust",
    "worker_identity",
    "worker_trust",
    "writer_identity",
    "writer_trust",
]
