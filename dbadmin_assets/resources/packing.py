"""Large text files travel compressed: stored with `Content-Encoding: gzip`, which browsers and this program undo.

Sealed is what is inside: size and sha256 of the manifest are those of the file, not of its packed form.
"""

from __future__ import annotations

import gzip
import shutil
import zlib
from pathlib import Path
from typing import IO, cast

from botocore.exceptions import BotoCoreError
from botocore.response import StreamingBody

from dbadmin_assets.errors import BrokenEvidenceError, EvidenceError

ENCODING = "gzip"
_LARGE_BYTES = 8 << 20
_TEXT = frozenset({".csv", ".json", ".html"})  # Parquet and xlsx are compressed themselves
_LEVEL = 6
_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)


def is_worth_packing(path: Path) -> bool:
    """Whether a file is large, and text."""
    return path.suffix in _TEXT and path.stat().st_size >= _LARGE_BYTES


def pack(path: Path, packed: Path) -> None:
    """Write a file's packed form; the same file gives the same bytes."""
    with path.open("rb") as source, packed.open("wb") as out, gzip.GzipFile("", "wb", _LEVEL, out, mtime=0) as target:
        shutil.copyfileobj(source, target, 1 << 20)


def unpack(packed: Path, path: Path) -> None:
    """Write what is inside a packed file.

    Raises:
        BrokenEvidenceError: it is damaged.
    """
    try:
        with gzip.open(packed) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except _DAMAGED as error:
        path.unlink()
        raise BrokenEvidenceError(f"{path.name} cannot be unpacked: {error}") from error


class Stream:
    """An object of the bucket as it is read, unpacked where it is stored packed.

    Args:
        body: botocore's stream of the answer.
        url: for messages.
        encoding: the object's Content-Encoding; None where it has none.
    """

    def __init__(self, body: StreamingBody, url: str, encoding: str | None) -> None:
        self._body, self._url = body, url
        # GzipFile reads on and on, which a StreamingBody can; what it lacks, seeking, is not needed for that.
        packed = encoding == ENCODING
        self._source: StreamingBody | gzip.GzipFile = gzip.GzipFile(fileobj=cast("IO[bytes]", body)) if packed else body

    def read(self, size: int = -1) -> bytes:
        """So many bytes more; all that are left without a number.

        Raises:
            EvidenceError: the connection broke. BrokenEvidenceError: what is stored is damaged.
        """
        try:
            return self._source.read(size) if size >= 0 else self._source.read()
        except _DAMAGED as error:
            raise BrokenEvidenceError(f"{self._url} cannot be unpacked: {error}") from error
        except BotoCoreError as error:
            raise EvidenceError(f"cannot read {self._url}: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Give the connection back."""
        self._body.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
