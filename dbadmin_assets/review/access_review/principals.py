"""The principals of a report, as the access review sees them: rows of report.parquet, and what tells them apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dbadmin_assets.review.access_review.row_ids import Key
from dbadmin_assets.review.detail import detail_rows

ADMIN = "Admin"


class Principal(NamedTuple):
    """One detail row, raw. `account_name` and `owner` are None where the inventory does not say."""

    account_id: str
    account_name: str | None
    region: str
    database_name: str
    database_type: str
    username: str
    role_name: str
    permission_level: str
    tier: str
    access_path: str | None
    user_status: str
    last_login_date: str
    report_timestamp: str
    principal_id: str
    owner: str | None

    @property
    def key(self) -> Key:
        """What it keeps from report to report."""
        return (self.account_id, self.region, self.database_name, self.principal_id)

    @property
    def is_admin(self) -> bool:
        """Whether its permission level is exactly Admin."""
        return self.permission_level == ADMIN

    @property
    def place(self) -> str:
        """How a person finds it: account, region, database, name."""
        return f"{self.account_id} {self.region} {self.database_name} {self.username}"


def principals(path: Path) -> Iterator[Principal]:
    """The rows of a report in its order, without those that a policy excludes.

    Args:
        path: its report.parquet.
    """
    for *values, excluded in detail_rows(path, (*Principal._fields, "excluded_by_policy")):
        if excluded is None:
            yield Principal(*values)
