"""Acting as the members of a sandbox's organization, and asking what they are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.organization import EXTERNAL_ID
from sandbox.plan import CENTRAL_ACCOUNT, HOME_REGION
from sandbox.stack import Sandbox


def invoker(sandbox: Sandbox, account_id: str, external_id: str | None = EXTERNAL_ID) -> dict[str, Any]:
    """Credentials of an account's invoker role, as the orchestrator gets them."""
    estate = sandbox.organization.estate
    extra = {"ExternalId": external_id} if external_id else {}
    answer = sandbox.as_orchestrator("sts").assume_role(
        RoleArn=estate.role_arn(account_id, estate.invoker_role), RoleSessionName="db-admin-report-test", **extra
    )
    credentials: dict[str, Any] = answer["Credentials"]
    return credentials


def worker(sandbox: Sandbox, account_id: str) -> dict[str, Any]:
    """Credentials of an account's worker execution role."""
    function = next(f for f in sandbox.organization.functions if f.account_id == account_id)
    return sandbox.organization.execution_role(function)


def writer(sandbox: Sandbox, account_id: str, of: str, external_id: str = EXTERNAL_ID) -> dict[str, Any]:
    """Credentials of the writer role `of` one account, assumed by the worker of `account_id`."""
    estate = sandbox.organization.estate
    sts = sandbox.organization.aws.client_as("sts", HOME_REGION, worker(sandbox, account_id))
    arn = estate.role_arn(CENTRAL_ACCOUNT, estate.writer_role_for(of))
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="worker", ExternalId=external_id)
    credentials: dict[str, Any] = answer["Credentials"]
    return credentials


def client(sandbox: Sandbox, service: str, credentials: dict[str, Any], region: str = HOME_REGION) -> Any:
    """A client with these credentials; Lambda goes to the sandbox's own host."""
    endpoint = sandbox.lambda_endpoint if service == "lambda" else None
    return sandbox.organization.aws.client_as(service, region, credentials, endpoint)


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    """(HTTP status, error code) of a call; (200, "") when it is not refused."""
    try:
        call()
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    return 200, ""
