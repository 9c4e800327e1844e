"""Secrets in files: detect-secrets over what git tracks. What it finds is told by place and kind, never by text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from audit.part import Part, ToolError, run

PLANTED = ("tests/", "sandbox/", "benchmarks/")
"""Here passwords of servers that live for a minute stand in the code: `password = …` says nothing, the rest is told."""

ALLOWED: Mapping[tuple[str, str], str] = {
    ("audit/secrets.py", "db-admin-report/012345678901/us-east-1/ledger"): "the entry for it, below",
    ("docs/iam_actions.py", "SECRET"): "a placeholder",
    ("infra/components/dagster_services.py", "password"): "the key of a secret's JSON",
    ("infra/components/worker_network.py", "SECRETS_MANAGER"): "part of a variable's name",
    ("infra/deployment_role.yaml", "CreateSecret"): "an IAM action",
    ("infra/deployment_role.yaml", "rds!*"): "a secret's name, as RDS gives it",
    ("infra/policies/estate.py", "db-admin-report/"): "the path under which secrets stand",
    ("infra/policies/reasons.py", "its key, through Secrets Manager only"): "a sentence",
    ("infra/policies/reasons.py", "secrets under a customer key, through Secrets Manager only"): "a sentence",
    ("sandbox/engines/choice.py", "password"): "the form of a DSN, in a hint",
    ("tests/dbadmin_assets/cli/remote/test_connection.py", "hunter2"): "an address that must be refused",
    ("tests/dbadmin_assets/test_inventory.py", "db-admin-report/012345678901/us-east-1/ledger"): "a secret's name",
    ("tests/sandbox/test_engines.py", "dsn-secret"): "planted, must not be printed",
    ("worker_lambda/contract.py", "Connection Failed: Password expired"): "a reason",
    ("worker_lambda/contract.py", "Credentials Failed: Secret not found"): "a reason",
    ("worker_lambda/contract.py", "Credentials Failed: Access denied"): "a reason",
    ("worker_lambda/contract.py", "Credentials Failed: Secret malformed"): "a reason",
    ("worker_lambda/credentials.py", "dbname"): "the key of a secret's JSON",
    ("worker_lambda/privileges/sqlserver_accounts.py", "Unknown"): "a user's status",
    ("worker_lambda/reader_grants.py", "READER_PASSWORD"): "the name of a variable",
}
"""By file and text, why it is none. An entry that nothing matches is a finding: it would hide the next one."""


def secrets(root: Path, tools: Path, allowed: Mapping[tuple[str, str], str] = ALLOWED) -> Part:
    """Every tracked file of a checkout."""
    try:
        files = run(["git", "ls-files", "-z"], root, allowed=(0,)).split("\0")[:-1]
        planted = [name for name in files if name.startswith(PLANTED)]
        others = [name for name in files if not name.startswith(PLANTED)]
        found = _scan(root, tools, others) + _scan(root, tools, planted, "--disable-plugin", "KeywordDetector")
    except (ToolError, ValueError) as error:
        return Part("secrets", "not run", "", problem=str(error))
    hashes = {(name, hashlib.sha1(text.encode()).hexdigest()): (name, text) for name, text in allowed}
    findings = [f"{name}:{line}: {kind}" for name, line, kind, digest in found if (name, digest) not in hashes]
    used = {hashes[name, digest] for name, _, _, digest in found if (name, digest) in hashes}
    findings += [f"{name}: nothing is there that audit/secrets.py allows ({allowed[name, text]})"
                 for name, text in sorted(set(allowed) - used)]  # fmt: skip
    return Part("secrets", "findings" if findings else "clean", f"{len(files)} files", tuple(findings))


def _scan(root: Path, tools: Path, files: Sequence[str], *options: str) -> list[tuple[str, int, str, str]]:
    """File, line, kind and SHA-1 of every find. Nothing is verified: a secret would be sent to who issued it."""
    if not files:
        return []
    argv: list[str | Path] = [tools / "detect-secrets", "scan", "--no-verify", "--all-files", *options, *files]
    said = json.loads(run(argv, root, allowed=(0,)))
    return [
        (name, item["line_number"], item["type"], item["hashed_secret"])
        for name, items in sorted(said["results"].items())
        for item in items
    ]
