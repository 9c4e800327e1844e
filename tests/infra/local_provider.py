"""Makes rendered resources in the sandbox's local AWS as they are registered, every policy document unchanged.

It stands in for Pulumi's engine and AWS provider as far as access goes. What is left out is on two lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.aws import LocalAws

Inputs = dict[str, Any]

# What carries a policy and is not loaded all the same, by the start of its type; tests evaluate the policy instead.
NOT_LOADED = {
    "aws:cloudwatch/eventBusPolicy:": "of a bus's policy the local AWS makes one statement of its own, for everybody",
}
# What is recorded only and carries no policy, which a test holds.
NOT_MADE = {
    "aws:cloudwatch/eventBus:": "nobody sends events there",
    "aws:cloudwatch/eventRule:": "nothing there raises events",
    "aws:cloudwatch/eventTarget:": "as above",
    "aws:cloudwatch/metricAlarm:": "nothing there measures",
    "aws:cloudwatch/dashboard:": "as above",
    "aws:sns/topicSubscription:": "nobody reads mail there",
    "aws:cloudtrail/": "the local AWS keeps no trail of ours",
    "aws:s3/bucketOwnershipControls:": "the local AWS has no ACLs to switch off",
    "aws:s3/bucketLifecycleConfiguration:": "no day passes",
    "aws:s3/bucketLogging:": "no access log is delivered",
    "aws:lambda/": "the sandbox's Lambda host runs the functions, with their rendered settings",
    "aws:ec2/": "there is no network",
    "aws:vpc/": "as above",
    "aws:ecs/": "Dagster does not run there: the command starts an embedded one",
    "aws:servicediscovery/": "as above",
    "aws:lb/": "as above",
    "aws:rds/": "as above",
    "aws:secretsmanager/": "as above",
    "aws:scheduler/": "as above",
}


class LocalProvider:
    """Makes the resources of one stack with the root rights of its account."""

    def __init__(self, aws: LocalAws, account_id: str, region: str) -> None:
        self._aws, self._account_id, self._region = aws, account_id, region

    def make(self, type_: str, inputs: Inputs) -> Inputs:
        """Make one resource; what AWS would answer, where it differs from what the mocks make up.

        Raises:
            KeyError: the type is neither made nor on a list.
        """
        if type_.startswith((*NOT_LOADED, *NOT_MADE)):
            return {}
        service, make = _MAKERS[type_]
        return make(self._aws.client(service, self._account_id, self._region), inputs) or {}


def _role(iam: Any, inputs: Inputs) -> Inputs:
    role = iam.create_role(
        RoleName=inputs["name"],
        Description=inputs["description"],
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        MaxSessionDuration=int(inputs["maxSessionDuration"]),
    )["Role"]
    return {"arn": role["Arn"]}


def _role_policy(iam: Any, inputs: Inputs) -> None:
    iam.put_role_policy(RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"])


def _key(kms: Any, inputs: Inputs) -> Inputs:
    key = kms.create_key(Policy=inputs["policy"], KeySpec=inputs["customerMasterKeySpec"], KeyUsage=inputs["keyUsage"])[
        "KeyMetadata"
    ]
    return {"arn": key["Arn"], "keyId": key["KeyId"]}


def _alias(kms: Any, inputs: Inputs) -> None:
    kms.create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])


def _bucket(s3: Any, inputs: Inputs) -> None:
    s3.create_bucket(Bucket=inputs["bucket"], ObjectLockEnabledForBucket=inputs["objectLockEnabled"])


def _versioning(s3: Any, inputs: Inputs) -> None:
    status = inputs["versioningConfiguration"]["status"]
    s3.put_bucket_versioning(Bucket=inputs["bucket"], VersioningConfiguration={"Status": status})


def _lock(s3: Any, inputs: Inputs) -> None:
    kept = inputs["rule"]["defaultRetention"]
    rule = {"DefaultRetention": {"Mode": kept["mode"], "Days": int(kept["days"])}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=inputs["bucket"], ObjectLockConfiguration=lock)


def _encryption(s3: Any, inputs: Inputs) -> None:
    (rule,) = inputs["rules"]
    wanted = rule["applyServerSideEncryptionByDefault"]
    default = {"SSEAlgorithm": wanted["sseAlgorithm"]}
    if "kmsMasterKeyId" in wanted:
        default["KMSMasterKeyID"] = wanted["kmsMasterKeyId"]
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": rule["bucketKeyEnabled"]}]
    s3.put_bucket_encryption(Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules})


def _public_access(s3: Any, inputs: Inputs) -> None:
    flags = {f"{key[0].upper()}{key[1:]}": value for key, value in inputs.items() if key != "bucket"}
    s3.put_public_access_block(Bucket=inputs["bucket"], PublicAccessBlockConfiguration=flags)


def _bucket_policy(s3: Any, inputs: Inputs) -> None:
    s3.put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])


def _object(s3: Any, inputs: Inputs) -> None:
    # Without the headers that name the key: the local AWS tells a policy that there is encryption, but not which key.
    body = inputs["content"].encode()
    s3.put_object(Bucket=inputs["bucket"], Key=inputs["key"], Body=body, ContentType=inputs["contentType"])


def _log_group(logs: Any, inputs: Inputs) -> None:
    logs.create_log_group(logGroupName=inputs["name"], kmsKeyId=inputs["kmsKeyId"])
    logs.put_retention_policy(logGroupName=inputs["name"], retentionInDays=int(inputs["retentionInDays"]))


def _topic(sns: Any, inputs: Inputs) -> Inputs:
    attributes = {"KmsMasterKeyId": inputs["kmsMasterKeyId"]}
    return {"arn": sns.create_topic(Name=inputs["name"], Attributes=attributes)["TopicArn"]}


def _topic_policy(sns: Any, inputs: Inputs) -> None:
    sns.set_topic_attributes(TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"])


_MAKERS: dict[str, tuple[str, Callable[[Any, Inputs], Inputs | None]]] = {
    "aws:iam/role:Role": ("iam", _role),
    "aws:iam/rolePolicy:RolePolicy": ("iam", _role_policy),
    "aws:kms/key:Key": ("kms", _key),
    "aws:kms/alias:Alias": ("kms", _alias),
    "aws:s3/bucket:Bucket": ("s3", _bucket),
    "aws:s3/bucketVersioning:BucketVersioning": ("s3", _versioning),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": ("s3", _lock),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ("s3", _encryption),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("s3", _public_access),
    "aws:s3/bucketPolicy:BucketPolicy": ("s3", _bucket_policy),
    "aws:s3/bucketObjectv2:BucketObjectv2": ("s3", _object),
    "aws:cloudwatch/logGroup:LogGroup": ("logs", _log_group),
    "aws:sns/topic:Topic": ("sns", _topic),
    "aws:sns/topicPolicy:TopicPolicy": ("sns", _topic_policy),
}
