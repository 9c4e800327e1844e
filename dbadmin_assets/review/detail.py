"""The detail rows: one per principal and database, raw values, excluded principals too; as Parquet.

Every other output but the CSV is made from this file, so that none of them can say something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from dbadmin_assets.review.records import DatabaseOutcome, TargetRecord
from dbadmin_assets.review.settle import ResultConnection, ResultUser
from worker_lambda.contract import DATABASE_TYPES

# What is the same in every row of one database; the names are those of the CSV's columns, then docs/formats.md.
_OF_DATABASE = (
    "account_id", "region", "database_name", "database_type", "report_timestamp",
    "account_name", "host", "engine", "engine_version", "server_name", "server_identity", "owner",
)  # fmt: skip
_OF_PRINCIPAL = (
    "username", "role_name", "permission_level", "last_login_date", "user_status", "principal_type",
    "principal_class", "tier", "rule_id", "access_path", "last_login_source", "password_changed_at", "auth_plugin",
    "excluded_by_policy",
)  # fmt: skip
REPORT_COLUMNS = (
    "account_id", "region", "database_name", "database_type", "username",
    "role_name", "permission_level", "last_login_date", "user_status", "report_timestamp",
)  # fmt: skip
"""The CSV's ten columns, in its order."""

COLUMNS = (
    *REPORT_COLUMNS,
    "account_name", "host", "engine", "engine_version", "server_name", "server_identity", "principal_type",
    "principal_class", "tier", "rule_id", "access_path", "last_login_source", "password_changed_at", "auth_plugin",
    "excluded_by_policy", "principal_id", "owner",
)  # fmt: skip
"""All of them. `principal_id` is what a principal keeps when it is renamed: the sid on SQL Server, else user@host."""

SCHEMA = pa.schema([pa.field(name, pa.string()) for name in COLUMNS])

_ROWS_PER_GROUP = 1 << 16
_PRINCIPAL_FIELDS = ResultUser.__struct_fields__

Detail = tuple[ResultUser, int]
"""A principal, and the place of its database in the list that goes with it."""


def database_values(record: TargetRecord, outcome: DatabaseOutcome, connection: ResultConnection) -> tuple[Any, ...]:
    """What every row of one database has in common, in the order that `DetailFile.add` expects."""
    owner = next((d.owner for d in record.declared if d.name == outcome.name), None)
    return (
        record.account_id, record.region, outcome.name, DATABASE_TYPES[outcome.engine], outcome.reported_at,
        record.account_name, connection.host, connection.product, connection.engine_version, connection.server_name,
        connection.server_identity, owner,
    )  # fmt: skip


class DetailFile:
    """Writes `report.parquet`, account by account; no more than one row group is held.

    Args:
        path: the file to make.
    """

    def __init__(self, path: Path) -> None:
        self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd")
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def __enter__(self) -> DetailFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, details: Sequence[Detail], databases: Sequence[tuple[Any, ...]]) -> None:
        """Take the rows of one account, in the order of the report.

        Args:
            databases: `database_values` of each, where the details' numbers point.
        """
        if not details:
            return
        self._waiting.append(_table(details, databases))
        self._rows += len(details)
        if self._rows >= _ROWS_PER_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what waits, and the file's end."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=_ROWS_PER_GROUP)
        self._waiting, self._rows = [], 0


def _table(details: Sequence[Detail], databases: Sequence[tuple[Any, ...]]) -> pa.Table:
    users, places = zip(*details, strict=True)
    of_user = dict(zip(_PRINCIPAL_FIELDS, zip(*map(msgspec.structs.astuple, users), strict=True), strict=True))
    columns = {name: pa.array(of_user[name], pa.string()) for name in _OF_PRINCIPAL}
    columns["principal_id"] = pa.array([user.principal_id() for user in users], pa.string())
    indices = pa.array(places, pa.int32())
    for name, values in zip(_OF_DATABASE, zip(*databases, strict=True), strict=True):
        columns[name] = pa.array(values, pa.string()).take(indices)
    return pa.table([columns[name] for name in COLUMNS], schema=SCHEMA)


def detail_rows(path: Path, columns: Sequence[str] = COLUMNS, *, at_once: int = 8192) -> Iterator[tuple[Any, ...]]:
    """The rows of a detail file, in the order of the report, each a tuple of text or None.

    Args:
        columns: which of them, in this order.
        at_once: how many rows are held.
    """
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(at_once, columns=list(columns)):
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
