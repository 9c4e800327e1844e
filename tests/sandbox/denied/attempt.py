"""What an attempt is, and the names that attempts speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSRequest

from sandbox.plan import LEDGER, PAYMENTS
from sandbox.stack import Sandbox

ONE, OTHER = PAYMENTS, LEDGER
RESULT = f"collections/denied/{ONE}/us-east-1/1.json"
EVIDENCE = "reports/2024/01/15/20240115T142233Z-denied00/manifest.json"
SECRET, OTHER_SECRET = "db-admin-report/payments-mysql-01", "db-admin-report/ledger-mssql-rds"
LOG_GROUP = f"/aws/security-ops/{ONE}/us-east-1/db-admin-report/worker"

Call = Callable[[Sandbox], object]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt.

    Attributes:
        refused_by: what refuses it, as a reader of docs/security.md looks for it.
        call: makes it; raises where it is refused.
        codes: error codes that count as that refusal.
    """

    who: str
    what: str
    refused_by: str
    call: Call
    codes: tuple[str, ...] = ("AccessDenied", "AccessDeniedException", "AuthorizationError")


def over_plain_http(client: Any) -> Any:
    """The same client, whose requests say that they came over plain HTTP.

    The local AWS speaks TLS only; it takes this header, as from a proxy that ends TLS, for how the caller came.
    """

    def say_so(request: AWSRequest, **_: Any) -> None:
        request.headers.add_header("X-Forwarded-Proto", "http")

    client.meta.events.register("before-sign", say_so)
    return client
