"""Whether the evidence bucket is there, and where: S3 says so to a caller who may not list it, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dbadmin_assets.errors import ConfigurationError, ReportError

if TYPE_CHECKING:
    import boto3


def check_bucket(session: boto3.Session, bucket: str, region: str) -> str:
    """The region of the bucket, which is the configured one.

    A 403 is no refusal: the orchestrator may list some prefixes only, so HEAD is denied, but names the region
    (API_HeadBucket: `x-amz-bucket-region`). What may be written, the run finds out at its start.

    Raises:
        ConfigurationError: there is no such bucket, or it is in another region: every worker would be told to
            write to the wrong place, and the report would be nothing but failures.
        CredentialsError: AWS does not accept the credentials.
        ReportError: S3 could not be asked.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from dbadmin_assets.resources.credentials import credentials_error

    doing = f"looking at the bucket {bucket}"
    try:
        answer: Mapping[str, Any] = dict(session.client("s3", region_name=region).head_bucket(Bucket=bucket))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("404", "NoSuchBucket"):
            raise ConfigurationError(
                [f"there is no bucket {bucket}"], hint="check DBADMIN_BUCKET or --bucket"
            ) from error
        answer = dict(error.response)
        if answer["ResponseMetadata"]["HTTPStatusCode"] not in (301, 403):
            raise credentials_error(error, doing) or ReportError(f"{doing}: {error}") from error
    except BotoCoreError as error:
        raise credentials_error(error, doing) or ReportError(
            f"the bucket {bucket} cannot be reached: {error}", hint="check the network, the proxy and DBADMIN_REGION"
        ) from error
    found = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region", region)
    if found != region:
        raise ConfigurationError(
            [f"the bucket {bucket} is in {found}, not in {region}"], hint=f"set DBADMIN_REGION={found}"
        )
    return region
