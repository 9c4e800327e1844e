"""Logins from Secrets Manager: what wins, what is refused, and that no part of a secret is ever repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber
from moto import mock_aws

from worker_lambda.contract import DatabaseTarget, Reason
from worker_lambda.credentials import Credentials, load, merge
from worker_lambda.errors import CredentialsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SECRET = {"username": "audit", "password": "hidden-8841", "host": "db.example.com", "port": 3307, "dbname": "app"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManagerClient]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="us-east-1")


def target(**changes: Any) -> DatabaseTarget:
    values: dict[str, Any] = {"name": "db", "engine": "mysql", "secret": "the-secret"}
    return DatabaseTarget(**(values | changes))


def loaded(client: SecretsManagerClient, secret: object, **changes: Any) -> Credentials:
    text = secret if isinstance(secret, str) else json.dumps(secret)
    client.create_secret(Name="the-secret", SecretString=text)
    return load(target(**changes), "us-east-1", client)


def refused(client: SecretsManagerClient, secret: object, **changes: Any) -> CredentialsError:
    with pytest.raises(CredentialsError) as caught:
        loaded(client, secret, **changes)
    assert "hidden-8841" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def test_a_secret_of_rds_shape_is_enough(client: SecretsManagerClient) -> None:
    assert loaded(client, SECRET) == Credentials("db.example.com", 3307, "audit", "hidden-8841", "app")


def test_the_inventory_wins_over_the_secret(client: SecretsManagerClient) -> None:
    found = loaded(client, SECRET, host="other.example.com", port=3399, username="me", database="mine")
    assert found == Credentials("other.example.com", 3399, "me", "hidden-8841", "mine")


def test_a_port_may_be_text_or_absent(client: SecretsManagerClient) -> None:
    assert merge(target(), {**SECRET, "port": "3310"}, "us-east-1").port == 3310
    assert merge(target(), {**SECRET, "port": None}, "us-east-1").port == 3306
    assert merge(target(engine="mssql"), {**SECRET, "port": ""}, "us-east-1").port == 1433


@pytest.mark.parametrize(
    "secret",
    [
        "hidden-8841 is not JSON",
        '["hidden-8841"]',
        {"username": "audit"},
        {**SECRET, "password": ""},
        {**SECRET, "password": {"hidden-8841": 1}},
        {**SECRET, "username": None},
        {**SECRET, "port": "many"},
        {**SECRET, "port": 70000},
        {**SECRET, "port": True},
        {**SECRET, "host": "a host; with more"},
        {**SECRET, "host": None},
        {**SECRET, "host": 5},
    ],
)
def test_what_is_no_login_is_malformed(client: SecretsManagerClient, secret: object) -> None:
    assert refused(client, secret).reason is Reason.SECRET_MALFORMED


def test_a_binary_secret_is_malformed(client: SecretsManagerClient) -> None:
    client.create_secret(Name="the-secret", SecretBinary=b"hidden-8841")
    with pytest.raises(CredentialsError) as caught:
        load(target(), "us-east-1", client)
    assert caught.value.reason is Reason.SECRET_MALFORMED


def test_a_secret_that_is_not_there_or_not_named_is_not_found(client: SecretsManagerClient) -> None:
    for missing in (target(secret="nope"), target(secret=None)):
        with pytest.raises(CredentialsError) as caught:
            load(missing, "us-east-1", client)
        assert caught.value.reason is Reason.SECRET_NOT_FOUND


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccessDeniedException", Reason.SECRET_ACCESS_DENIED),
        ("DecryptionFailure", Reason.SECRET_ACCESS_DENIED),
        ("InvalidRequestException", Reason.SECRET_NOT_FOUND),
        ("ValidationException", Reason.SECRET_MALFORMED),
        ("InternalServiceError", Reason.CONNECT_TIMED_OUT),
    ],
)
def test_what_secrets_manager_refuses_has_its_reason(code: str, reason: Reason) -> None:
    client = boto3.client("secretsmanager", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_client_error("get_secret_value", code)
        with pytest.raises(CredentialsError) as caught:
            load(target(), "us-east-1", client)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (EndpointConnectionError(endpoint_url="https://secrets"), Reason.CONNECT_TIMED_OUT),
        (NoCredentialsError(), Reason.SECRET_ACCESS_DENIED),
    ],
)
def test_an_unreachable_or_unusable_secrets_manager_has_its_reason(error: Exception, reason: Reason) -> None:
    class Broken:
        def get_secret_value(self, **_: Any) -> Any:
            raise error

    broken: Any = Broken()
    with pytest.raises(CredentialsError) as caught:
        load(target(), "us-east-1", broken)
    assert caught.value.reason is reason


def test_the_password_is_in_no_repr() -> None:
    assert "hidden-8841" not in repr(merge(target(), SECRET, "us-east-1"))


def test_an_iam_login_gets_a_token_for_its_host_and_needs_no_secret(client: SecretsManagerClient) -> None:
    found = load(target(auth="iam", secret=None, username="audit", host="db.example.com"), "eu-central-1", client)
    assert found.iam
    assert found.password.startswith("db.example.com:3306/?Action=connect&DBUser=audit")
    assert "eu-central-1" in found.password


def test_an_iam_login_for_sql_server_is_refused(client: SecretsManagerClient) -> None:
    with pytest.raises(CredentialsError) as caught:
        load(target(auth="iam", engine="mssql"), "us-east-1", client)
    assert caught.value.reason is Reason.SECRET_MALFORMED
