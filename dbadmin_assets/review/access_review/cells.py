"""The sheet's columns, and how a cell is written and read: the same text in xlsx and CSV, harmless in both."""

from __future__ import annotations

import re
from typing import NamedTuple

from dbadmin_assets.review.access_review.principals import Principal
from dbadmin_assets.review.attestation_model import Decision
from dbadmin_assets.review.csv_cells import neutral

SHEET_NAME = "Access review"
DECISIONS: dict[str, Decision] = {"keep": "keep", "remove": "remove", "change": "change"}
ROW_ID = "Row ID"
IDENTITY: dict[str, str] = {
    "Account ID": "account_id",
    "Account Name": "account_name",
    "Region": "region",
    "Database Name": "database_name",
    "Database Type": "database_type",
    "Username": "username",
    "Role Name": "role_name",
    "Access Path": "access_path",
    "User Status": "user_status",
    "Last Login Date": "last_login_date",
}
"""Columns that nobody may change, and the detail column of each."""
TO_FILL_IN = ("Owner", "Decision", "Reviewer", "Review Date", "Comment")
COLUMNS = (ROW_ID, *IDENTITY, *TO_FILL_IN)

MOST_CHARACTERS = 32_767
"""What a cell of a spreadsheet takes."""
_CUT = " … (cut: the report has all of it)"
# The other direction of csv_cells.neutral: the apostrophes that it sets, and no others.
_SET = re.compile(
    r"(?:\A|(?<=;))'(?=')|\A'(?=[=+\-@\uff1d\uff0b\uff0d\uff20])|(?<=;)'(?=[\"\s]*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
# What spreadsheets write for a character that XML cannot hold, ECMA-376 part 1, ST_Xstring: Excel for the text
# `_x0041_` too (as `_x005F_x0041_`), LibreOffice not, so that only a comparison can tell what was meant.
_XML_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LINE_BREAK = re.compile(r"_x00(?:09|0A|0D)_", re.IGNORECASE)


class Prefilled(NamedTuple):
    """What a row says before anybody looked at it."""

    owner: str = ""
    decision: str = ""
    comment: str = ""


class SheetRow(NamedTuple):
    """One row of the sheet as it is handed out."""

    row_id: str
    principal: Principal
    prefilled: Prefilled

    def cells(self) -> list[str]:
        """Its cells, in the order of COLUMNS."""
        owner, decision, comment = map(shown, self.prefilled)
        return [self.row_id, *identity_cells(self.principal), owner, decision, "", "", comment]


def identity_cells(principal: Principal) -> list[str]:
    """The cells that say who it is and what it may do, as they are written."""
    return [shown(getattr(principal, field)) for field in IDENTITY.values()]


def shown(raw: str | None) -> str:
    """A text as a cell, in no context a formula, nothing invisible in it, no longer than a cell may be."""
    cell = neutral(raw or "")
    return cell if len(cell) <= MOST_CHARACTERS else cell[: MOST_CHARACTERS - len(_CUT)] + _CUT


def typed(cell: str) -> str:
    """What a person meant with a cell: without the apostrophes that `shown` set, line breaks and double blanks."""
    return " ".join(_SET.sub("", _LINE_BREAK.sub(" ", cell)).split())


def is_same(cell: str, wanted: str) -> bool:
    """Whether a cell of a file still is the text that was written into it."""
    return wanted in (cell, _XML_ESCAPED.sub(lambda found: chr(int(found[1], 16)), cell))
