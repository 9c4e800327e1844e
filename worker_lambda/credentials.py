"""The login for one database: read from Secrets Manager, checked, merged with what the inventory declares.

A secret's text never leaves this module: no message, log or repr carries any part of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from worker_lambda.contract import DEFAULT_PORTS, HOST, DatabaseTarget, Reason
from worker_lambda.errors import CredentialsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 5

_NOT_FOUND = {"ResourceNotFoundException", "InvalidRequestException"}  # the latter: marked for deletion
_DENIED = {
    "AccessDeniedException",
    "AccessDenied",
    "DecryptionFailure",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidSignatureException",
}
_MALFORMED = {"ValidationException", "InvalidParameterException"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where to connect and as whom.

    Attributes:
        database: the inventory's, else the secret's `dbname`; None lets the server choose.
        iam: the password is an RDS authentication token, which the server takes in clear text over TLS.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    database: str | None = None
    iam: bool = False


def secrets_client(region: str) -> SecretsManagerClient:
    """A Secrets Manager client with short timeouts; clients are thread-safe, so one serves a whole invocation."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        max_pool_connections=50,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    return boto3.client("secretsmanager", region_name=region, config=config)


def load(target: DatabaseTarget, region: str, client: SecretsManagerClient) -> Credentials:
    """The login for a target; what the inventory says wins over what the secret says.

    Args:
        target: needs `secret`, or with `auth: iam` a `username`.
        region: of the database, for an IAM token.
        client: see `secrets_client`; injected by tests.

    Raises:
        CredentialsError: SECRET_NOT_FOUND, SECRET_ACCESS_DENIED, SECRET_MALFORMED, or CONNECT_TIMED_OUT when
            Secrets Manager itself did not answer.
    """
    if target.auth == "iam" and target.engine != "mysql":
        raise CredentialsError(Reason.SECRET_MALFORMED, "auth: iam is for MySQL and MariaDB only")
    if target.secret is None:
        if target.auth != "iam":
            raise CredentialsError(Reason.SECRET_NOT_FOUND, "the inventory names no secret")
        secret: dict[str, Any] = {}
    else:
        secret = _parse(_fetch(target.secret, client))
    return merge(target, secret, region)


def merge(target: DatabaseTarget, secret: dict[str, Any], region: str) -> Credentials:
    """Combine the inventory's and the secret's values (RDS shape: username, password, host, port, dbname).

    Raises:
        CredentialsError: SECRET_MALFORMED, naming the key at fault, never its value.
    """
    host = target.host or _text(secret, "host")
    if host is None:
        raise _malformed("neither the inventory nor the secret has a host")
    if not HOST.fullmatch(host):
        raise _malformed("host has a form that is not allowed")
    username = target.username or _text(secret, "username")
    if username is None:
        raise _malformed("neither the inventory nor the secret has a username")
    port = target.port or _port(secret) or DEFAULT_PORTS[target.engine]
    database = target.database or _text(secret, "dbname")
    if target.auth == "iam":
        token = _iam_token(host, port, username, region)
        return Credentials(host, port, username, token, database, iam=True)
    password = _text(secret, "password")
    if password is None:
        raise _malformed("the secret has no password")
    return Credentials(host, port, username, password, database)


def _fetch(secret_id: str, client: SecretsManagerClient) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = client.get_secret_value(SecretId=secret_id)
    except ClientError as error:
        raise _refused(secret_id, error.response.get("Error", {}).get("Code", "")) from None
    except BotoCoreError as error:
        kind = type(error).__name__
        if "Credentials" in kind or "Token" in kind:
            raise CredentialsError(Reason.SECRET_ACCESS_DENIED, f"no usable AWS credentials ({kind})") from error
        detail = f"Secrets Manager did not answer for {secret_id} ({kind})"
        raise CredentialsError(Reason.CONNECT_TIMED_OUT, detail) from error
    text = answer.get("SecretString")
    if text is None:
        raise _malformed("the secret is binary, not JSON text")
    return text


def _refused(secret_id: str, code: str) -> CredentialsError:
    detail = f"{secret_id}: {code or 'no error code'}"
    if code in _NOT_FOUND:
        return CredentialsError(Reason.SECRET_NOT_FOUND, detail)
    if code in _DENIED:
        return CredentialsError(Reason.SECRET_ACCESS_DENIED, detail)
    if code in _MALFORMED:
        return CredentialsError(Reason.SECRET_MALFORMED, detail)
    return CredentialsError(Reason.CONNECT_TIMED_OUT, f"Secrets Manager did not serve {detail}")


def _parse(text: str) -> dict[str, Any]:
    try:
        secret = json.loads(text)
    except ValueError:
        # `from None`: the decoder's exception holds the document.
        raise _malformed("the secret is not JSON") from None
    if not isinstance(secret, dict):
        raise _malformed("the secret is JSON, but not an object")
    return secret


def _text(secret: dict[str, Any], key: str) -> str | None:
    value = secret.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _malformed(f"the secret's {key} is {type(value).__name__}, not a string")
    return value


def _port(secret: dict[str, Any]) -> int | None:
    value = secret.get("port")
    if value is None or value == "":
        return None
    # RDS writes a number; people write a string.
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:6])
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
        raise _malformed("the secret's port is not a port number")
    return value


def _iam_token(host: str, port: int, username: str, region: str) -> str:
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        # Signed locally from the role's own credentials; nothing is asked of RDS.
        token: str = boto3.client("rds", region_name=region).generate_db_auth_token(
            DBHostname=host, Port=port, DBUsername=username, Region=region
        )
    except BotoCoreError as error:
        detail = f"no token for IAM authentication ({type(error).__name__})"
        raise CredentialsError(Reason.SECRET_ACCESS_DENIED, detail) from error
    return token


def _malformed(detail: str) -> CredentialsError:
    return CredentialsError(Reason.SECRET_MALFORMED, detail)
