"""Objects of one bucket: listed, read, written once, replaced; every failure says what and where."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dbadmin_assets.errors import AlreadyThereError, EvidenceError
from dbadmin_assets.resources.packing import ENCODING, Stream, is_worth_packing, pack, unpack
from dbadmin_assets.review.records import CollectionObject

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

_MOST_TRIES = 100


class ObjectStore:
    """One bucket. Every write is a single PUT, so nothing half-written is ever visible.

    Args:
        session: the orchestrator's session.
        bucket: name of the evidence bucket.
        region: the bucket's region.
    """

    def __init__(self, session: boto3.Session, *, bucket: str, region: str) -> None:
        self.bucket = bucket
        self.s3: S3Client = session.client(
            "s3",
            region_name=region,
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                max_pool_connections=64,
                retries={"mode": "standard", "total_max_attempts": 5},
                signature_version="s3v4",  # links: the older signature is refused where the bucket uses KMS
            ),
        )

    def url(self, key: str) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{key}"

    def keys(self, prefix: str) -> list[str]:
        """Every key below a prefix, in S3's order."""
        return list(self.sizes(prefix))

    def sizes(self, prefix: str) -> dict[str, int]:
        """The same, with the bytes of each object."""
        return {item["Key"]: item["Size"] for item in self._listed(prefix)}

    def times(self, prefix: str) -> dict[str, datetime]:
        """The same, with when each was written (UTC)."""
        return {item["Key"]: item["LastModified"] for item in self._listed(prefix)}

    def _listed(self, prefix: str) -> Iterator[ObjectTypeDef]:
        try:
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            yield from (item for page in pages for item in page.get("Contents", []))
        except (ClientError, BotoCoreError) as error:
            raise self._error("list", prefix, error) from error

    def read(self, key: str) -> bytes | None:
        """The object's bytes; None where there is no such key."""
        found = self.fetch(key)
        return found[0] if found else None

    def fetch(self, key: str, version_id: str | None = None) -> tuple[bytes, CollectionObject] | None:
        """The object's bytes and what identifies it; None where there is no such key (or version)."""
        try:
            if version_id:
                answer = self.s3.get_object(Bucket=self.bucket, Key=key, VersionId=version_id)
            else:
                answer = self.s3.get_object(Bucket=self.bucket, Key=key)
            with contextlib.closing(answer["Body"]) as body:
                data = body.read()
        except ClientError as error:
            gone = ("NoSuchKey", "NoSuchVersion", "MethodNotAllowed")  # the last: that version is a delete marker
            if error.response.get("Error", {}).get("Code") in gone:
                return None
            raise self._error("read", key, error) from error
        except BotoCoreError as error:
            raise self._error("read", key, error) from error
        return data, CollectionObject(
            key=key,
            version_id=answer.get("VersionId"),
            sha256=hashlib.sha256(data).hexdigest(),
            size_bytes=len(data),
        )

    def open(self, key: str) -> Stream | None:
        """An object to read piece by piece and close, unpacked; None where there is no such key."""
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise self._error("read", key, error) from error
        except BotoCoreError as error:
            raise self._error("read", key, error) from error
        return Stream(answer["Body"], self.url(key), answer.get("ContentEncoding"))

    def download(self, key: str, path: Path, on_bytes: Callable[[int], None]) -> None:
        """Copy an object into a file, unpacked; there is no file under that name before all of it is there.

        Args:
            on_bytes: told how many more bytes have come, from several threads.

        Raises:
            EvidenceError: it cannot be read. BrokenEvidenceError: it is damaged.
            OSError: the file cannot be written.
        """
        try:
            encoding = self.s3.head_object(Bucket=self.bucket, Key=key).get("ContentEncoding")
            packed = path.with_name(f"{path.name}.packed") if encoding == ENCODING else path
            self.s3.download_file(self.bucket, key, str(packed), Callback=on_bytes)
        except (ClientError, BotoCoreError, Boto3Error) as error:
            raise self._error("read", key, error) from error
        if packed != path:
            try:
                unpack(packed, path)
            finally:
                packed.unlink()

    def link(self, key: str, seconds: int) -> str:
        """An address under which whoever has it can read this object for so long. Treat it as a secret."""
        return self.s3.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=seconds
        )

    def put_file(self, key: str, path: Path, *, content_type: str, sha256: str) -> None:
        """Write one file, once; a large text file packed.

        Args:
            sha256: of the file.

        Raises:
            AlreadyThereError: the key exists already, with other bytes.
            EvidenceError: the bucket cannot be written.
        """
        if not is_worth_packing(path):
            with path.open("rb") as data:
                self.put(key, data, content_type=content_type, sha256=sha256)
            return
        with tempfile.NamedTemporaryFile(prefix="db-admin-report-") as packed:
            pack(path, Path(packed.name))
            sha256 = hashlib.file_digest(packed, "sha256").hexdigest()
            packed.seek(0)
            self.put(key, packed, content_type=content_type, sha256=sha256, encoding=ENCODING)

    def put(
        self,
        key: str,
        data: bytes | IO[bytes],
        *,
        content_type: str,
        once: bool = True,
        sha256: str = "",
        encoding: str | None = None,
    ) -> None:
        """Write one object.

        Args:
            once: refuse where the key exists already (If-None-Match), unless it holds these very bytes: then an
                answer got lost, and the write was repeated.
            sha256: hex digest of `data`, so that S3 refuses what was damaged on the way; made here if empty.
            encoding: its Content-Encoding.

        Raises:
            AlreadyThereError: the key exists already, with other bytes.
            EvidenceError: the bucket cannot be written.
        """
        if isinstance(data, bytes):
            sha256 = hashlib.sha256(data).hexdigest()
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        put = partial(
            self.s3.put_object,
            Bucket=self.bucket,
            Key=key,
            Body=data,
            ContentType=content_type,
            ChecksumSHA256=checksum,
        )
        if encoding:
            put = partial(put, ContentEncoding=encoding)
        try:
            put(IfNoneMatch="*") if once else put()
        except ClientError as error:
            if not _refused_condition(error):
                raise self._error("write", key, error) from error
            if self._checksum(key) != checksum:
                message = f"{self.url(key)} exists already and evidence is never overwritten"
                raise AlreadyThereError(message) from error
        except BotoCoreError as error:
            raise self._error("write", key, error) from error

    def _checksum(self, key: str) -> str | None:
        """The sha256 that S3 keeps of an object, base64; None where it keeps none."""
        try:
            answer = self.s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
        except (ClientError, BotoCoreError) as error:
            raise self._error("read", key, error) from error
        return answer.get("ChecksumSHA256")

    def replace(self, key: str, change: Callable[[bytes | None], bytes | None]) -> None:
        """Put another object in an object's place; if somebody else does between reading and writing, then again.

        Args:
            change: from the bytes there now (None: nothing) to those that should be there; None leaves them.

        Raises:
            EvidenceError: the bucket cannot be read or written, or others were faster every time.
        """
        for _ in range(_MOST_TRIES):
            before, etag = self._read_tagged(key)
            data = change(before)
            if data is None or self._put_if(key, data, etag):
                return
        raise EvidenceError(f"{self.url(key)} was changed by others each of {_MOST_TRIES} times")

    def _read_tagged(self, key: str) -> tuple[bytes | None, str | None]:
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key)
            with contextlib.closing(answer["Body"]) as body:
                return body.read(), answer["ETag"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None, None
            raise self._error("read", key, error) from error
        except BotoCoreError as error:
            raise self._error("read", key, error) from error

    def _put_if(self, key: str, data: bytes, etag: str | None) -> bool:
        """Write where the object is still that of `etag` (None: still absent); whether it was."""
        put = partial(
            self.s3.put_object, Bucket=self.bucket, Key=key, Body=data, ContentType="application/json",
            ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode(),
        )  # fmt: skip
        try:
            if etag is None:
                put(IfNoneMatch="*")
            else:
                put(IfMatch=etag)
        except ClientError as error:
            if _refused_condition(error):
                return False
            raise self._error("write", key, error) from error
        except BotoCoreError as error:
            raise self._error("write", key, error) from error
        return True

    def _error(self, verb: str, key: str, error: Exception) -> EvidenceError:
        if isinstance(error, ClientError):
            said = error.response.get("Error", {})
            what = f"{said.get('Code', 'error')}: {said.get('Message', '')}".strip(": ")
        else:
            what = f"{type(error).__name__}: {error}"
        return EvidenceError(f"cannot {verb} {self.url(key)}: {what}", hint="db-admin-report doctor checks the bucket")


def _refused_condition(error: ClientError) -> bool:
    """If-Match or If-None-Match did not hold, or somebody else was writing at the same moment."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (409, 412)
