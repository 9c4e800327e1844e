"""How long evidence is kept: the bucket's Object Lock, and the date of each object, which only ever moves later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from dbadmin_assets.resources.evidence import EvidenceStore


def bucket_lock(store: EvidenceStore) -> dict[str, Any]:
    """What the bucket keeps new objects for: `mode` and `days` of Object Lock, or the `reason` why there is none."""
    try:
        answer = store.s3.get_object_lock_configuration(Bucket=store.bucket)
    except (ClientError, BotoCoreError) as error:
        code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
        absent = code == "ObjectLockConfigurationNotFoundError"
        reason = "the bucket has no Object Lock" if absent else f"it cannot be read: {code or type(error).__name__}"
        return {"mode": None, "days": None, "reason": reason}
    kept = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
    days = kept.get("Days") or 365 * kept.get("Years", 0)
    if not days:
        return {"mode": None, "days": None, "reason": "the bucket has Object Lock and no default retention"}
    return {"mode": kept.get("Mode"), "days": days, "reason": None}
