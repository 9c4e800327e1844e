"""Two reports between which something of most kinds changed, and a bucket of a test's own that holds such."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from dbadmin_assets.review.chain import link_key
from sandbox.aws import LocalAws
from tests.dbadmin_assets.cli.conftest import CENTRAL, REGION, Machine
from tests.dbadmin_assets.review.diff.reports import Db, build, folder_of, who

HERE = ("123456789012", "us-east-1")
BEFORE = {(*HERE, "db"): Db([who("ann"), who("bob", "0"), who("eve", "2")]), (*HERE, "gone"): Db([who("x", "0")])}
AFTER = {(*HERE, "db"): Db([who("ann", "0", user_status="Locked"), who("eve", "2"), who("joe")]),
         (*HERE, "gone"): Db(failed="Connection Failed: Timed out")}  # fmt: skip
PART = {"accounts": (HERE[0],), "full_scope": False}


class Bucket:
    """A bucket of the test's own."""

    def __init__(self, local_aws: LocalAws, machine: Machine, work: Path) -> None:
        self.s3 = local_aws.client("s3", CENTRAL, REGION)
        self.name = f"diff-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=self.name)
        self._machine, self._work = machine, work
        self._made = 0

    def put(self, databases: Any, ended_at: str, collection: str, *, latest: bool = False, **request: Any) -> str:
        """A report; its key prefix."""
        folder = self._work / uuid.uuid4().hex
        self._made += 1
        manifest = build(folder, databases, ended_at=ended_at, sequence=self._made, collection_id=collection, **request)
        place, data = folder_of(manifest), (folder / "manifest.json").read_bytes()
        self.s3.put_object(Bucket=self.name, Key=link_key(self._made), Body=data)
        for path in folder.iterdir():
            self.s3.put_object(Bucket=self.name, Key=place + path.name, Body=path.read_bytes())
        if latest:
            pinned = hashlib.sha256(data).hexdigest()
            pointer = json.dumps({"folder": place, "manifestSha256": pinned}).encode()
            self.s3.put_object(Bucket=self.name, Key="reports/latest.json", Body=pointer)
        return place

    def run(self, *arguments: str) -> tuple[int, Any, str]:
        """Exit code, JSON, standard error."""
        code, out, err = self._machine.run(*arguments, "--bucket", self.name, "--json")
        return code, json.loads(out), err


@pytest.fixture
def bucket(local_aws: LocalAws, machine: Machine, tmp_path_factory: Any) -> Bucket:
    return Bucket(local_aws, machine, tmp_path_factory.mktemp("reports"))
