"""Acting as the members of a sandbox's organization, and asking what they are refused."""

from __future__ import annotations

import contextlib
import json
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


def worker(sandbox: Sandbox, account_id: str, region: str = HOME_REGION) -> dict[str, Any]:
    """Credentials of an account's worker execution role."""
    functions = sandbox.organization.functions
    function = next(f for f in functions if (f.account_id, f.region) == (account_id, region))
    return sandbox.organization.execution_role(function)


def writer(sandbox: Sandbox, account_id: str, of: str, external_id: str = EXTERNAL_ID) -> dict[str, Any]:
    """Credentials of the writer role `of` one account, assumed by the worker of `account_id`."""
    estate = sandbox.organization.estate
    sts = sandbox.organization.aws.client_as("sts", HOME_REGION, worker(sandbox, account_id))
    arn = estate.role_arn(CENTRAL_ACCOUNT, estate.writer_role_for(of))
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="worker", ExternalId=external_id)
    credentials: dict[str, Any] = answer["Credentials"]
    return credentials


def root(account_id: str) -> dict[str, Any]:
    """Credentials of an account's root user, whom no identity policy limits."""
    return {"AccessKeyId": account_id, "SecretAccessKey": "test"}


def administrator(
    sandbox: Sandbox, account_id: str = CENTRAL_ACCOUNT, name: str = "Everything", but: str | None = None
) -> dict[str, Any]:
    """Credentials of a role that may do everything, but for what a second policy denies."""
    everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    documents = {"everything": json.dumps(everything)} | ({"but": but} if but else {})
    return _role(sandbox, account_id, name, documents)


def documents_of(sandbox: Sandbox, account_id: str, role: str) -> dict[str, str]:
    """The inline policies of a role, by name."""
    iam = sandbox.organization.aws.client("iam", account_id, HOME_REGION)
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {n: json.dumps(iam.get_role_policy(RoleName=role, PolicyName=n)["PolicyDocument"]) for n in names}


def stand_in(sandbox: Sandbox, account_id: str, role: str) -> dict[str, Any]:
    """Credentials of a role with the policies of one that only a service of AWS may become."""
    return _role(sandbox, account_id, f"{role}-stand-in"[:64], documents_of(sandbox, account_id, role))


def _role(sandbox: Sandbox, account_id: str, name: str, documents: dict[str, str]) -> dict[str, Any]:
    iam = sandbox.organization.aws.client("iam", account_id, HOME_REGION)
    trust = {"Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "sts:AssumeRole"}
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):  # from the attempt before
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    for policy_name, document in documents.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=document)
    sts = sandbox.organization.aws.client("sts", account_id, HOME_REGION)
    arn = sandbox.organization.estate.role_arn(account_id, name)
    credentials: dict[str, Any] = sts.assume_role(RoleArn=arn, RoleSessionName="acting")["Credentials"]
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
