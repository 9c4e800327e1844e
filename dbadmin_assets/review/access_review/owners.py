"""Who answers for an account: the owners file, which says more than the inventory's one owner per database."""

from __future__ import annotations

import re

from dbadmin_assets.review.access_review.errors import OwnersError
from dbadmin_assets.review.access_review.principals import Principal
from dbadmin_assets.review.access_review.text_table import Table, TableError, read_table

_COLUMNS = ("account_id", "region", "database", "username", "owner")
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]", re.ASCII)
_MOST_ROWS = 200_000

Selector = tuple[str, str, str, str]
"""username, database, region, account_id: what comes first is more specific; empty is any."""


class Owners:
    """The rows of an owners file.

    Attributes:
        unused: line numbers of the rows that were no administrator's most specific row.
    """

    def __init__(self, rows: dict[Selector, tuple[str, int]]) -> None:
        self._rows = rows
        self.unused = {line for _, line in rows.values()}
        masks = {tuple(bool(cell) for cell in selector) for selector in rows}
        self._masks = sorted(masks, reverse=True)  # username named before database named before …

    def of(self, principal: Principal) -> str | None:
        """The owner of the most specific row that fits; None where none does."""
        values = (principal.username, principal.database_name, principal.region, principal.account_id)
        for mask in self._masks:
            username, database, region, account = (v if named else "" for v, named in zip(values, mask, strict=True))
            if found := self._rows.get((username, database, region, account)):
                self.unused.discard(found[1])
                return found[0]
        return None


def read_owners(data: bytes) -> Owners:
    """An owners file: CSV with the header account_id,region,database,username,owner; an empty cell means any.

    Raises:
        OwnersError: with everything that is wrong, each with its line.
    """
    try:
        table = read_table(data, _COLUMNS, most_rows=_MOST_ROWS)
    except TableError as error:
        raise OwnersError([str(error)]) from error
    problems = _header_problems(table)
    if problems:
        raise OwnersError(problems, hint=f"the first line is {','.join(_COLUMNS)}")
    rows: dict[Selector, tuple[str, int]] = {}
    for line, cells in table.rows:
        if len(cells) != len(table.header):
            problems.append(f"line {line}: it has {len(cells)} cells, not {len(table.header)}")
            continue
        values = dict(zip(table.header, (cell.strip() for cell in cells), strict=True))
        problems += [f"line {line}: {problem}" for problem in _value_problems(values)]
        selector = (values["username"], values["database"], values["region"], values["account_id"])
        if selector in rows:
            problems.append(f"line {line}: it selects the same as line {rows[selector][1]}")
        rows.setdefault(selector, (values["owner"], line))
    if problems:
        raise OwnersError(problems)
    return Owners(rows)


def _header_problems(table: Table) -> list[str]:
    unknown = [f"line 1: there is no column {name!r}" for name in table.header if name not in _COLUMNS]
    missing = [f"line 1: the column {name} is missing" for name in _COLUMNS if name not in table.header]
    twice = [f"line 1: the column {name} is there twice" for name in _COLUMNS if table.header.count(name) > 1]
    return unknown + missing + twice


def _value_problems(values: dict[str, str]) -> list[str]:
    problems = []
    account, region = values["account_id"], values["region"]
    if account and not _ACCOUNT.fullmatch(account):
        why = "; did a spreadsheet take its leading zeros or write it as a number?" if account[0].isdigit() else ""
        problems.append(f"account_id {account[:60]!r} is not twelve digits{why}")
    if region and not _REGION.fullmatch(region):
        problems.append(f"region {region[:60]!r} is not an AWS region, as us-east-1 is")
    if not values["owner"]:
        problems.append("the owner is empty")
    return problems
