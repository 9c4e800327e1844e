"""Which events are worth a message: refused access to what is ours, and changes to what protects the evidence.

Patterns of EventBridge, as pure functions. Events of API calls reach EventBridge only where a CloudTrail trail
records them: management events by the organization's trail, objects of the evidence bucket by our own.
"""

from __future__ import annotations

from typing import Any

from infra.policies import SECRET_PATH

Pattern = dict[str, Any]

ALARM_PREFIX = "db-admin-report/"
_CALL = "AWS API Call via CloudTrail"
_ALARM = "CloudWatch Alarm State Change"
_REFUSED = [{"prefix": "AccessDenied"}, {"prefix": "Client.Unauthorized"}, {"prefix": "UnauthorizedOperation"}]
_BUCKET_CHANGES = [
    "DeleteBucket",
    "DeleteBucketEncryption",
    "DeleteBucketLifecycle",
    "DeleteBucketPolicy",
    "DeleteBucketPublicAccessBlock",
    "PutBucketAcl",
    "PutBucketEncryption",
    "PutBucketLifecycle",
    "PutBucketLogging",
    "PutBucketObjectLockConfiguration",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketVersioning",
]
_KEY_CHANGES = ["DisableKey", "DisableKeyRotation", "PutKeyPolicy", "ScheduleKeyDeletion", "CreateGrant"]
_LOG_CHANGES = ["DeleteLogGroup", "DeleteLogStream", "DeleteRetentionPolicy", "PutRetentionPolicy"]


def forwarded() -> Pattern:
    """What arrives on the central bus; its policy already says from whom."""
    return {"detail-type": [_ALARM, _CALL]}


def own_alarms() -> Pattern:
    """A worker account's alarms of ours, when they go off and when they end."""
    states = ["ALARM", "OK"]
    detail = {"alarmName": [{"prefix": ALARM_PREFIX}], "state": {"value": states}}
    return {"source": ["aws.cloudwatch"], "detail-type": [_ALARM], "detail": detail}


def refused_roles(role_prefix: str) -> Pattern:
    """Somebody tried to assume a role of ours and may not (wrong role, no ExternalId, not of the organization)."""
    arn = {"wildcard": f"arn:*:iam::*:role/{role_prefix}*"}
    return _call("sts.amazonaws.com", errorCode=_REFUSED, requestParameters={"roleArn": [arn]})


def refused_secrets() -> Pattern:
    """Somebody tried to read a reader's password and may not."""
    secret = {"wildcard": f"*{SECRET_PATH}*"}
    return _call("secretsmanager.amazonaws.com", errorCode=_REFUSED, requestParameters={"secretId": [secret]})


def refused_evidence(bucket: str) -> Pattern:
    """Somebody tried to read, write or delete evidence and may not."""
    return _call("s3.amazonaws.com", errorCode=_REFUSED, requestParameters={"bucketName": [bucket]})


def refused_keys(key_arns: list[str]) -> Pattern:
    """Somebody tried to sign or decrypt with a key of ours and may not."""
    return _call("kms.amazonaws.com", errorCode=_REFUSED, resources={"ARN": key_arns})


def changed_bucket(*buckets: str) -> Pattern:
    """What protects a bucket of ours was changed, or somebody tried."""
    return _call("s3.amazonaws.com", eventName=_BUCKET_CHANGES, requestParameters={"bucketName": list(buckets)})


def changed_keys(key_arns: list[str]) -> Pattern:
    """A key of ours was disabled, given away or is to be deleted."""
    return _call("kms.amazonaws.com", eventName=_KEY_CHANGES, resources={"ARN": key_arns})


def changed_logs(path: str) -> Pattern:
    """A security log was deleted or shortened, or somebody tried."""
    group = {"prefix": path}
    return _call("logs.amazonaws.com", eventName=_LOG_CHANGES, requestParameters={"logGroupName": [group]})


def _call(source: str, **detail: Any) -> Pattern:
    return {"detail-type": [_CALL], "detail": {"eventSource": [source], **detail}}
