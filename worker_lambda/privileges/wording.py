"""How rights are written in Role Name and Permission Level: quoting, ordering by the caller, cutting. Any engine."""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_REASONS = 3
MAX_RIGHTS = 10

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.$#@\-]+")


def quoted(name: str) -> str:
    """A name as it may stand among our own words: other characters bring `"…"` around it, quotes doubled."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def cut(texts: Sequence[str], limit: int) -> str:
    """The first `limit` distinct texts joined with `, `, then `, +N more` for the rest."""
    distinct = list(dict.fromkeys(texts))
    shown = ", ".join(distinct[:limit])
    rest = len(distinct) - limit
    return f"{shown}, +{rest} more" if rest > 0 else shown


def role_name(label: str, reasons: Sequence[str], suffix: str = "") -> str:
    """`Label (reason, reason, reason, +N more; suffix)`; the suffix, if any, is never cut."""
    inside = "; ".join(part for part in (cut(reasons, MAX_REASONS), suffix) if part)
    return f"{label} ({inside})" if inside else label


def permission_level(rights: Sequence[str]) -> str:
    """Permission Level of tiers 1 and 2: tier-1 rights, then tier-2 rights, as the caller ordered them."""
    return cut(rights, MAX_RIGHTS)


def printable(text: str) -> str:
    """Text for a terminal or a comment: what cannot be printed, or would reorder it, is shown as `\\uXXXX`."""
    return "".join(
        c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) <= 0xFFFF else f"\\U{ord(c):08x}" for c in text
    )
