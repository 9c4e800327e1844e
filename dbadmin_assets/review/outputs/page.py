"""report.html: one self-contained page. Here, what it shows and how much of it; how it looks is in templates/."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dbadmin_assets.review.csv_cells import visible
from dbadmin_assets.review.detail import REPORT_COLUMNS, detail_rows
from dbadmin_assets.review.manifest import NOT_COMPARED
from dbadmin_assets.review.outputs.changes import ChangesTable
from dbadmin_assets.review.outputs.overview import (
    ACCOUNT_COLUMNS,
    ENGINE_COLUMNS,
    FINDING_COLUMNS,
    TITLE,
    TYPE_COLUMNS,
    Facts,
    Row,
    make_overview,
    title_of,
)
from dbadmin_assets.review.result_check import ADMIN

MOST_ROWS = 20_000
"""Rows of one table: what a browser still sorts and filters at once."""

_ADMIN_COLUMNS = (
    "account_id", "region", "database_name", "database_type", "username", "role_name", "last_login_date",
    "user_status", "principal_class", "rule_id", "access_path", "owner",
)  # fmt: skip
_EXCLUDED_COLUMNS = (
    "account_id", "region", "database_name", "database_type", "username", "role_name", "permission_level",
    "user_status", "excluded_by_policy",
)  # fmt: skip
_TEMPLATE = "page.html.j2"


@dataclass(frozen=True, slots=True)
class _Rows:
    """A table of detail rows, read while it is written."""

    titles: tuple[str, ...]
    rows: Iterator[tuple[str | None, ...]]
    count: int


def left_out_of_page(facts: Facts, changes: ChangesTable | None) -> list[str]:
    """What a page of this report does not show, and why; the manifest says the same."""
    counts = facts["counts"]
    reasons = []
    if counts["users"] > MOST_ROWS:
        users = f"{counts['users']:,} users"
        reasons.append(f"of {users} it lists the administrators only, for it shows {MOST_ROWS:,} rows of a kind")
    limited = {
        "administrators": counts["admins"],
        "excluded principals": counts["excludedPrincipals"],
        "changes": len(changes.rows) if changes else 0,
    }
    for name, found in limited.items():
        if found > MOST_ROWS:
            reasons.append(f"of {found:,} {name} it lists the first {MOST_ROWS:,}")
    return reasons


def write_page(path: Path, facts: Facts, parquet: Path, changes: ChangesTable | None) -> list[str]:
    """Make the page; equal input gives equal bytes. Rows are read while it is written.

    Args:
        path: the file to make.
        parquet: the detail rows.
        changes: since an earlier report; None where it was not compared.

    Returns:
        What it does not show (`left_out_of_page`).
    """
    counts, limits = facts["counts"], left_out_of_page(facts, changes)
    environment = Environment(
        loader=PackageLoader("dbadmin_assets.review.outputs"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, finalize=_shown,
    )  # fmt: skip
    style, script = _text(environment, "page.css"), _text(environment, "page.js")
    stream = environment.get_template(_TEMPLATE).stream(
        facts=facts, view=make_overview(facts, parquet), changes=changes, limits=limits,
        title=TITLE, most_rows=MOST_ROWS, not_compared=NOT_COMPARED.capitalize(), finding_columns=FINDING_COLUMNS,
        account_columns=ACCOUNT_COLUMNS, type_columns=TYPE_COLUMNS, engine_columns=ENGINE_COLUMNS,
        admins=_rows(parquet, _ADMIN_COLUMNS, counts["admins"], lambda level, gone: level == ADMIN and gone is None),
        users=None if counts["users"] > MOST_ROWS
        else _rows(parquet, REPORT_COLUMNS, counts["users"], lambda _, gone: gone is None),
        excluded=_rows(
            parquet, _EXCLUDED_COLUMNS, counts["excludedPrincipals"], lambda _, gone: gone is not None
        ),
        style=style, style_hash=_hash(style), script=script, script_hash=_hash(script),
        number=lambda value: f"{value:,}", share=_share,
    )  # fmt: skip
    stream.enable_buffering(1024)
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(stream)
    return limits


def _rows(parquet: Path, columns: Sequence[str], count: int, keep: Callable[[str | None, str | None], bool]) -> _Rows:
    """The rows to keep by their permission level and why policy leaves them out; no more than a page shows."""
    found = detail_rows(parquet, (*columns, "permission_level", "excluded_by_policy"))
    kept = (row[:-2] for row in found if keep(row[-2], row[-1]))
    return _Rows(tuple(map(title_of, columns)), islice(kept, MOST_ROWS), min(count, MOST_ROWS))


def _shown(value: object) -> object:
    """Every value of the template goes through this, before it is escaped."""
    if value is None:
        return ""
    return visible(value) if type(value) is str else value


def _text(environment: Environment, name: str) -> Markup:
    """A file of ours beside the template: no value of a report is in it."""
    assert environment.loader is not None  # noqa: S101 - given above
    return Markup(environment.loader.get_source(environment, name)[0])  # noqa: S704 - ours


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _share(admins: int, rows: Sequence[Row]) -> int:
    """Per cent of the largest count in the table."""
    most = max(int(row[-1] or 0) for row in rows)
    return round(100 * admins / most) if most else 0
