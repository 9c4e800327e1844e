"""Which condition keys of the rendered documents the local AWS fills in, and what stands in for those that it does not.

A key that it does not know is absent there. The documents are loaded unchanged all the same.
"""

from __future__ import annotations

EVALUATED = {
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:SecureTransport",
    "s3:prefix",
    "s3:x-amz-server-side-encryption",
    "sts:ExternalId",
}
"""Each turns an attempt of tests/sandbox/denied, or a request of the pipeline, from one answer to the other."""

DECIDED = "decided by its evaluator"
_SERVICE = "a service of AWS acts there, and none does in the local AWS"

UNEVALUATED = {
    "s3:TlsVersion": DECIDED,
    "s3:if-none-match": DECIDED,
    "s3:ObjectCreationOperation": DECIDED,
    "s3:x-amz-server-side-encryption-aws-kms-key-id": DECIDED,
    "lambda:SourceFunctionArn": DECIDED,
    "ecs:cluster": DECIDED,
    "iam:PassedToService": DECIDED,
    "kms:ViaService": DECIDED + "; its S3 encrypts without asking KMS",
    "kms:CallerAccount": "the same",
    "kms:EncryptionContext:aws:logs:arn": _SERVICE,
    "kms:GrantIsForAWSResource": _SERVICE,
    "ecs:CreateAction": _SERVICE,
    "aws:SourceAccount": _SERVICE,
    "aws:SourceArn": _SERVICE,
    "aws:PrincipalIsAWSService": "absent is as good as the `false` that AWS fills in for everybody else",
}
"""By key: how it is held instead."""
