"""The access file that compliance tools import: one row per principal, columns as docs/grc.md tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dbadmin_assets.review.access_review.cells import shown
from dbadmin_assets.review.access_review.principals import Principal
from dbadmin_assets.review.csv_cells import LINE_END, quoted

COLUMNS = (
    "Account name", "Account owner", "Role", "Status", "System", "Is admin", "Permission level", "Tier",
    "Last login", "User status", "Access path", "AWS account ID", "AWS account name", "Region", "Database",
    "Database type", "Report time",
)  # fmt: skip
"""The first four under the names of the simplest template there is."""


def grc_lines(rows: Iterable[Principal], owner: Callable[[Principal], str | None]) -> Iterator[bytes]:
    """The file, line by line: UTF-8 with BOM, CRLF, no cell a formula.

    Args:
        owner: who answers for a principal; None or empty where nobody is named.
    """
    yield ("\ufeff" + ",".join(COLUMNS) + LINE_END).encode()
    for row in rows:
        yield (",".join(quoted(shown(cell)) for cell in _cells(row, owner(row))) + LINE_END).encode()


def _cells(row: Principal, owner: str | None) -> tuple[str | None, ...]:
    return (
        row.username, owner, row.role_name, account_status(row.user_status, row.database_type),
        f"{row.account_id}/{row.region}/{row.database_name}", "Yes" if row.is_admin else "No", row.permission_level,
        row.tier, row.last_login_date, row.user_status, row.access_path, row.account_id, row.account_name,
        row.region, row.database_name, row.database_type, row.report_timestamp,
    )  # fmt: skip


def account_status(user_status: str, database_type: str) -> str:
    """Active, Inactive or Unknown: Inactive only for who cannot log in until somebody allows it.

    A lock of SQL Server ends by itself, and an expired password can be replaced by its owner: both stay Active. What
    could not be read stays Unknown.
    """
    flags = set(user_status.split("; "))
    if "Disabled" in flags or ("Locked" in flags and database_type == "MySQL"):
        return "Inactive"
    return "Active" if flags and flags <= {"Active", "Locked", "Password Expired"} else "Unknown"
