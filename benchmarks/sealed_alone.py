"""A manifest that is sealed without a bucket: the first of its chain, unsigned. For benchmarks and tests."""

from __future__ import annotations

from typing import Any


def sealed_alone(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest of `build_manifest`, sealed."""
    from dbadmin_assets.review.manifest import sealed
    from dbadmin_assets.review.signature import unsigned_section

    return sealed(
        manifest, sequence=1, previous_sha256=None, without_report=[],
        retention={"mode": "COMPLIANCE", "days": 400, "reason": None}, signature=unsigned_section("no key"),
    )  # fmt: skip
