"""The demo organization of the infrastructure tests: eight accounts in two regions, and its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

CENTRAL_ACCOUNT = "209371858707"
CENTRAL_REGION = "us-east-1"
REGIONS = ("us-east-1", "eu-west-1")
ACCOUNTS = tuple(f"{n}{n}{n}{n}00{n}{n}{n}{n}0{n}" for n in range(1, 9))
IMAGE = f"{CENTRAL_ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/db-admin-report@sha256:" + "a" * 64
CERTIFICATE = f"arn:aws:acm:us-east-1:{CENTRAL_ACCOUNT}:certificate/0000"


def inventory(accounts: tuple[str, ...] = ACCOUNTS, regions: tuple[str, ...] = REGIONS) -> dict[str, Any]:
    """Two databases per account and region, one with IAM authentication on a port of its own."""
    return {
        "version": 1,
        "defaults": {"secret": "db-admin-report/{database}", "username": "db_admin_report"},
        "worker": {"external_id": "a-shared-external-id", "timeout_seconds": 600},
        "network": {
            region: {"vpc_id": f"vpc-0{index}", "subnet_ids": [f"subnet-0{index}a", f"subnet-0{index}b"]}
            for index, region in enumerate(regions)
        },
        "tags": {"cost-center": "42"},
        "accounts": {
            account_id: {"regions": {r: {"databases": _databases(r)} for r in regions}} for account_id in accounts
        },
    }


def _databases(region: str) -> list[dict[str, Any]]:
    return [
        {"name": "orders", "engine": "mssql", "host": f"orders.{region}.example"},
        {"name": "users", "engine": "mysql", "host": f"users.{region}.example", "port": 3307, "auth": "iam"},
    ]


def values(**changed: Any) -> dict[str, Any]:
    """A configuration that is complete; `changed` replaces keys, and takes those away whose value is None."""
    complete: dict[str, Any] = {
        "inventory": "inventory.yaml",
        "organization_id": "o-a1b2c3d4e5",
        "central_account_id": CENTRAL_ACCOUNT,
        "central_region": CENTRAL_REGION,
        "environment": "test",
        "alarm_addresses": ["dba@example.com"],
        "dagster_image": IMAGE,
        "dagster_network": {"vpc_id": "vpc-0c", "subnet_ids": ["subnet-0ca", "subnet-0cb"]},
        "dagster_certificate_arn": CERTIFICATE,
        "dagster_client_cidrs": ["10.1.0.0/16"],
        **changed,
    }
    return {key: value for key, value in complete.items() if value is not None}


def write(folder: Path, document: dict[str, Any]) -> None:
    """Put an inventory where `values` says it is."""
    (folder / "inventory.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
