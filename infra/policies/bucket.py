"""The evidence bucket's own policy."""

from __future__ import annotations

from infra.policies.estate import EVIDENCE_PREFIXES, Estate
from infra.policies.statements import Policy, deny, policy


def bucket_policy(estate: Estate) -> Policy:
    """What holds for the evidence bucket whatever an identity policy allows; it grants nothing.

    TLS 1.2 or newer only. Nobody from outside the organization, AWS's own services excepted (log delivery).
    Only writer roles put results: neither the pipeline nor an administrator can make up a worker's word. Results,
    requests, links and reports (all but the pointer `reports/latest.json`) are written with If-None-Match, hence
    once. Versions are never deleted by hand, in addition to Object Lock.
    """
    everything = [estate.bucket_arn(), estate.bucket_arn("*")]
    writers = estate.principal_arns(estate.central_account_id, estate.writer_role_for("*"))
    unconditional = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    once = [estate.bucket_arn(path) for path in ("collections/*", "requests/*", "chain/*", "reports/????/*")]
    outside = {
        "StringNotEquals": {"aws:PrincipalOrgID": estate.organization_id},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    statements = [
        deny("DenyInsecureTransport", "s3:*", everything, {"Bool": {"aws:SecureTransport": "false"}}),
        deny("DenyOldTls", "s3:*", everything, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        deny("DenyOutsideOrganization", "s3:*", everything, outside),
        deny(
            "DenyResultsFromOthers",
            "s3:PutObject",
            estate.bucket_arn("collections/*"),
            {"ArnNotLike": {"aws:PrincipalArn": writers}},
        ),
        deny("DenyOverwriting", "s3:PutObject", once, unconditional),
        deny(
            "DenyRemovingEvidence",
            ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"],
            [estate.bucket_arn(f"{p}/*") for p in EVIDENCE_PREFIXES],
        ),
    ]
    if estate.bucket_key_arn:
        # A request without the header gets the bucket's key; S3 asks the policy before it adds that.
        other_key = {
            "Null": {"s3:x-amz-server-side-encryption": "false"},
            "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": estate.bucket_key_arn},
        }
        statements.append(deny("DenyOtherKeys", "s3:PutObject", estate.bucket_arn("*"), other_key))
    return policy(statements)
