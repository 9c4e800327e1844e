"""Whether AWS accepts the caller: the one place that tells a credential problem from any other, and its cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbadmin_assets.errors import CredentialsError, ReportError

if TYPE_CHECKING:
    import boto3

    from dbadmin_assets.config import Settings

_UNKNOWN_KEY = "AWS does not know this access key or its session token: check the profile, or log in again"
_CLOCK = "this machine's clock is wrong: set it"
_LOG_IN = "log in again (for example `aws sso login`), or set AWS_PROFILE"
_CODES = {
    "ExpiredToken": _LOG_IN,
    "ExpiredTokenException": _LOG_IN,
    "InvalidToken": _LOG_IN,
    "TokenRefreshRequired": _LOG_IN,
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "InvalidAccessKeyId": _UNKNOWN_KEY,
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "MissingAuthenticationToken": "AWS saw no signature: check the credentials, and the proxy",
    "IncompleteSignature": "a key has characters that no key has: check the credentials for spaces and line breaks",
    "AuthFailure": "check the credentials, and this machine's clock",
    "SignatureDoesNotMatch": f"the secret key does not fit the access key, or {_CLOCK}",
    "InvalidSignatureException": f"the secret key does not fit the access key, or {_CLOCK}",
    "RequestTimeTooSkewed": _CLOCK,
    "RequestExpired": _CLOCK,
}
_EXCEPTIONS = {
    "NoCredentialsError": "set AWS_PROFILE or --profile, or log in",
    "PartialCredentialsError": "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a profile",
    "CredentialRetrievalError": _LOG_IN,
    "ProfileNotFound": "`aws configure list-profiles` shows the profiles there are",
    "ConfigParseError": "correct the AWS configuration file",
    "SSOTokenLoadError": _LOG_IN,
    "UnauthorizedSSOTokenError": _LOG_IN,
    "TokenRetrievalError": _LOG_IN,
    "LoginRefreshRequired": _LOG_IN,
}


def credentials_error(error: BaseException, doing: str) -> CredentialsError | None:
    """The CredentialsError that a botocore error amounts to; None where it is about something else.

    Args:
        doing: what was tried, for the message (`reading s3://…`).
    """
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    if code in _CODES:
        return CredentialsError(f"AWS does not accept the credentials ({code}), {doing}", hint=_CODES[code])
    for kind in type(error).__mro__:
        if kind.__name__ in _EXCEPTIONS:
            return CredentialsError(
                f"there are no usable AWS credentials, {doing}: {error}", hint=_EXCEPTIONS[kind.__name__]
            )
    return None


def aws_session(settings: Settings) -> boto3.Session:
    """A session of the configured profile and region, else of the default credential chain.

    Raises:
        CredentialsError: there is no such profile, or the AWS configuration cannot be read.
    """
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.Session(profile_name=settings.profile, region_name=settings.region)
    except BotoCoreError as error:
        raise credentials_error(error, "starting") or ReportError(str(error)) from error


def verified_caller(session: boto3.Session) -> dict[str, str]:
    """`account_id` and `arn` of the caller, as STS says them.

    Raises:
        CredentialsError: none, expired, or not accepted.
        ReportError: STS could not be reached.
    """
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    quick = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    doing = "asking STS who the caller is"
    try:
        identity = session.client("sts", config=quick).get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        raise credentials_error(error, doing) or ReportError(
            f"AWS could not be asked who the caller is: {error}", hint="check the network, the proxy and AWS_REGION"
        ) from error
    return {"account_id": identity["Account"], "arn": identity["Arn"]}
