"""Fixtures of the pipeline's tests: the fakes (`fakes` says what they are), and a local AWS with an evidence bucket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.aws import LocalAws
from sandbox.processes import Processes, SandboxError
from tests.dbadmin_assets.fakes import accounts, fake_aws, inventory, store, worker

__all__ = ["CENTRAL", "REGION", "accounts", "fake_aws", "inventory", "store", "worker"]

CENTRAL = "209371858707"
REGION = "us-east-1"


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    try:
        processes = Processes()
        aws = LocalAws(processes)
    except SandboxError as error:
        pytest.skip(f"no local AWS: {error}")
    try:
        s3 = aws.client("s3", CENTRAL, REGION)
        s3.create_bucket(Bucket="evidence", ObjectLockEnabledForBucket=True)
        rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 400}}
        lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        s3.put_object_lock_configuration(Bucket="evidence", ObjectLockConfiguration=lock)
        yield aws
    finally:
        processes.stop()
