"""Where inventories come from: S3, SSM and files, and what is said when they cannot be read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from dbadmin_assets.errors import CredentialsError, InventoryError
from dbadmin_assets.resources.credentials import verified_caller
from dbadmin_assets.resources.inventory_source import read_inventory

REGION = "us-east-1"
BODY = {"regions": {REGION: {"databases": [{"name": "a", "engine": "mysql", "host": "h"}]}}}
DEFAULTS = {"secret": "db/{database}"}
DOCUMENT = json.dumps({"version": 1, "defaults": DEFAULTS, "accounts": {"012345678901": BODY}})


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield boto3.Session(region_name=REGION)


def put_tree(session: boto3.Session, values: dict[str, str]) -> None:
    for name, value in values.items():
        session.client("ssm").put_parameter(Name=f"/dba/{name}", Value=value, Type="SecureString")


def test_an_s3_object_is_read_with_its_version(session: boto3.Session) -> None:
    s3 = session.client("s3")
    s3.create_bucket(Bucket="inventories")
    s3.put_bucket_versioning(Bucket="inventories", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="inventories", Key="a/b.json", Body=DOCUMENT.encode())["VersionId"]
    inventory = read_inventory("s3://inventories/a/b.json", lambda: session)
    assert (inventory.version, inventory.account_ids) == (version, ("012345678901",))


def test_a_secure_parameter_is_read_decrypted(session: boto3.Session) -> None:
    put_tree(session, {"inventory": DOCUMENT})
    inventory = read_inventory("ssm:/dba/inventory", lambda: session)
    assert (inventory.version, inventory.account_ids) == ("1", ("012345678901",))


def test_a_tree_of_parameters_is_one_inventory_however_many_pages(session: boto3.Session) -> None:
    accounts = {f"accounts/{n:012d}": json.dumps(BODY) for n in range(23)}
    put_tree(session, accounts | {"defaults": json.dumps(DEFAULTS), "worker": "role_name: x", "version": "1"})
    inventory = read_inventory("ssm:/dba", lambda: session)
    assert inventory.account_ids == tuple(f"{n:012d}" for n in range(23))
    assert inventory.targets()[0].worker.role_name == "x"
    before = inventory.version, inventory.sha256
    session.client("ssm").put_parameter(Name="/dba/worker", Value="role_name: y", Type="String", Overwrite=True)
    after = read_inventory("ssm:/dba/", lambda: session)
    assert before[0] != after.version
    assert before[1] != after.sha256


def test_a_tree_names_every_parameter_that_is_wrong(session: boto3.Session) -> None:
    put_tree(session, {"012345678901": "a: [", "x/012345678901": "{}", "defalts": "{}", "defaults": "a: 1\na: 2"})
    with pytest.raises(InventoryError) as error:
        read_inventory("ssm:/dba", lambda: session)
    named = ("/dba/012345678901: it is not", "/dba/x/012345678901: ", "/dba/defalts: ", "/dba/defaults: a: the key")
    assert all(any(p.startswith(name) for p in error.value.problems) for name in named)
    assert len(error.value.problems) == len(named)


@pytest.mark.parametrize(
    ("source", "says", "cure"),
    [
        ("s3://inventories/none.yaml", "NoSuchKey", "check the key"),
        ("s3://no-such-bucket-here/k", "NoSuchBucket", "bucket's name"),
        ("ssm:/nothing/there", "ParameterNotFound", "parameter's name"),
        ("s3://inventories", "not of the form", None),
        ("ssm:name", "not of the form", None),
        ("https://example.com/inventory.yaml", "neither s3://", None),
        ("/no/such/inventory.yaml", "No such file", "DBADMIN_INVENTORY"),
    ],
)
def test_what_is_not_there_is_named_with_the_cure(
    session: boto3.Session, source: str, says: str, cure: str | None
) -> None:
    session.client("s3").create_bucket(Bucket="inventories")
    with pytest.raises(InventoryError, match=says) as error:
        read_inventory(source, lambda: session)
    assert source in error.value.message
    assert cure is None or cure in (error.value.hint or "")


def test_a_file_needs_no_session(tmp_path: Path) -> None:
    (tmp_path / "i.json").write_text(DOCUMENT)

    def no_session() -> Any:
        raise AssertionError("a file needs no AWS")

    assert read_inventory(str(tmp_path / "i.json"), no_session).version is None
    with pytest.raises(InventoryError, match="No such file"):
        read_inventory(str(tmp_path / "none.json"), no_session)
    with pytest.raises(InventoryError, match="directory"):
        read_inventory(str(tmp_path), no_session)


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("ExpiredToken", "log in again"),
        ("InvalidClientTokenId", "session token"),
        ("RequestTimeTooSkewed", "clock"),
        ("SignatureDoesNotMatch", "clock"),
        ("IncompleteSignature", "spaces"),
    ],
)
def test_refused_credentials_are_told_from_other_refusals(session: boto3.Session, code: str, cure: str) -> None:
    s3, sts = session.client("s3"), session.client("sts")

    class Prepared:
        def client(self, service: str, **_: Any) -> Any:
            return {"s3": s3, "sts": sts}[service]

    with Stubber(s3) as s3_stub, Stubber(sts) as sts_stub:
        s3_stub.add_client_error("get_object", code)
        sts_stub.add_client_error("get_caller_identity", code)
        for trial in (
            lambda: read_inventory("s3://bucket/key", lambda: Prepared()),  # type: ignore[arg-type,return-value]
            lambda: verified_caller(Prepared()),  # type: ignore[arg-type]
        ):
            with pytest.raises(CredentialsError, match=code) as error:
                trial()
            assert cure in (error.value.hint or "")
            assert error.value.exit_code == 2
