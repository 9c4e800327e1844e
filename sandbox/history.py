"""Three reports of an organization that changes between them, the second with a failure: a history to show.

Every report is a real run of the command. Nothing is written into Dagster but what those runs write.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from infra.policies import SECRET_PATH
from sandbox.plan import HOME_REGION, LEDGER, Plan, PlannedDatabase, demo_plan
from sandbox.processes import SandboxError
from sandbox.stack import Sandbox

FAILING = f"{LEDGER}|{HOME_REGION}"
"""The target in which one database refuses its password while the secret is wrong."""

_DATABASE = "ledger-reporting"
_REPORT_SECONDS = 300
_PASSWORD = "Not-a-secret-1"  # of accounts that live as long as the sandbox
_JOINED = [f"CREATE USER 'clerk_{n}'@'%' IDENTIFIED BY '{_PASSWORD}'" for n in range(1, 5)]
_PROMOTED = [
    f"CREATE USER 'night_shift'@'%' IDENTIFIED BY '{_PASSWORD}'",
    "GRANT ALL ON *.* TO 'night_shift'@'%' WITH GRANT OPTION",
    "DROP USER 'clerk_1'@'%'",
]


def unbroken_plan() -> Plan:
    """The demo's organization before anything went wrong in it."""
    plan = demo_plan()
    databases = tuple(replace(item, wrong_password=False) for item in plan.databases)
    return replace(plan, databases=databases, unassumable=frozenset())


def make_history(sandbox: Sandbox, say: Callable[[str], None]) -> None:
    """Three reports. Afterwards the secret is wrong again, so that the next collection has something to show.

    Args:
        sandbox: one of `unbroken_plan`.
        say: gets a line for every report.

    Raises:
        SandboxError: a report could not be made, or was not as complete as it had to be.
    """
    _report(sandbox, 0, "report 1 of 3: complete", say)
    _change(sandbox, _JOINED)
    set_secret(sandbox, right=False)
    _report(sandbox, 3, f"report 2 of 3: four more accounts, and {_DATABASE} refuses the password", say)
    _change(sandbox, _PROMOTED)
    set_secret(sandbox, right=True)
    _report(sandbox, 0, "report 3 of 3: repaired, one more administrator, one account less", say)
    set_secret(sandbox, right=False)


def set_secret(sandbox: Sandbox, *, right: bool) -> None:
    """Put the password of one database's reader, or one that its server refuses, into its secret."""
    database = _planned(sandbox.plan)
    text = sandbox.servers.secret(replace(database, wrong_password=not right))
    secrets = sandbox.organization.aws.client("secretsmanager", database.account_id, database.region)
    secrets.put_secret_value(SecretId=f"{SECRET_PATH}{database.name}", SecretString=text)


def _planned(plan: Plan) -> PlannedDatabase:
    return next(item for item in plan.databases if item.name == _DATABASE)


def _change(sandbox: Sandbox, statements: Sequence[str]) -> None:
    with sandbox.servers.running["mysql", 0].connect() as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _report(sandbox: Sandbox, expected: int, what: str, say: Callable[[str], None]) -> None:
    began = time.monotonic()
    command = [str(Path(sys.executable).with_name("db-admin-report")), "generate", "--json"]
    ran = subprocess.run(
        command, env=sandbox.command_environment(), capture_output=True, text=True, timeout=_REPORT_SECONDS
    )
    if ran.returncode != expected:
        raise SandboxError(f"{what}: it ended with {ran.returncode}, not {expected}:\n{ran.stdout}{ran.stderr}")
    say(f"{what} ({time.monotonic() - began:.1f} s)")
