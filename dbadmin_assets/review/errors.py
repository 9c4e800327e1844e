"""The errors of the rules: each one refuses to make a report, for the report would not be true.

What happened to one target or one database is no error here: it is an outcome and becomes an ERROR row.
"""

from __future__ import annotations

from dbadmin_assets.errors import ReportError


class ReviewError(ReportError):
    """Base: the rules refuse to go on."""


class RecordError(ReviewError):
    """A stored outcome or request cannot be read: damaged, or written by another version of this program."""


class ContradictionError(ReviewError):
    """Requests and outcomes of one collection say things that cannot both be true."""


class OrderError(ReviewError):
    """Targets did not come sorted by account and region, so sections would be torn apart."""


class UnbalancedError(ReviewError):
    """declared = complete + partial + failed + excluded does not hold: a database got lost or was counted twice."""
