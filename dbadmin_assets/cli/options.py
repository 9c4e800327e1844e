"""Options that several commands have, and how their text becomes values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from dbadmin_assets.config import Settings, load_settings
from dbadmin_assets.review.folder import FILE_OF_FORMAT

F = TypeVar("F", bound=Callable[..., Any])


# Generic in the newest click only.
class Names(click.ParamType):  # type: ignore[type-arg]
    """A comma-separated list: `a,b` or `a, b`; each name once."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names in the order given."""
        if not isinstance(value, str):
            return tuple(value)
        names = [part.strip() for part in value.split(",")]
        if not all(names):
            self.fail(f"{value!r} has an empty name; write it as one,two", param, ctx)
        return tuple(dict.fromkeys(names))


def general(function: F) -> F:
    """--json and --verbose."""
    function = click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for machines.")(function)
    return click.option("-v", "--verbose", is_flag=True, help="Detailed messages, tracebacks too.")(function)


def connection(function: F) -> F:
    """--profile, --inventory and --bucket: settings that an option may override."""
    for name, metavar, text in (
        ("--bucket", "NAME", "The evidence bucket. [DBADMIN_BUCKET]"),
        ("--inventory", "SOURCE", "s3://bucket/key, ssm:/name, or a path. [DBADMIN_INVENTORY]"),
        ("--profile", "NAME", "Profile of the AWS configuration. [AWS_PROFILE]"),
    ):
        function = click.option(name, metavar=metavar, help=text)(function)
    return function


def dagster(function: F) -> F:
    """--dagster-url: which Dagster has the runs."""
    text = "A deployed Dagster that has the runs, instead of the one on this machine. [DBADMIN_DAGSTER_URL]"
    return click.option("--dagster-url", metavar="URL", help=text)(function)


def scope(function: F) -> F:
    """--accounts and --regions; given several times, they add up: the last alone would ask for less than was said."""
    for name, what in (("--regions", "regions"), ("--accounts", "account ids")):
        text = f"Only these {what}, comma-separated."
        function = click.option(name, type=Names(), multiple=True, callback=_together, metavar="A,B", help=text)(
            function
        )
    return function


class Formats(Names):
    """A comma-separated list of the forms that a report has."""

    name = "formats"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The formats in the order given."""
        formats = super().convert(value, param, ctx)
        if unknown := [name for name in formats if name not in FILE_OF_FORMAT]:
            self.fail(f"{', '.join(map(repr, unknown))}: choose from {', '.join(FILE_OF_FORMAT)}", param, ctx)
        return formats


def output_format(function: F) -> F:
    """--output-format; given several times, all of them are made."""
    text = "Forms of the report: csv, json, parquet, xlsx, html; comma-separated. [default: csv]"
    return click.option(
        "--output-format", "formats", type=Formats(), multiple=True, default=("csv",), callback=_together,
        metavar="A,B", help=text,
    )(function)  # fmt: skip


def _together(_: click.Context, __: click.Parameter, given: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in given for name in names))


def settings_from(options: dict[str, Any], *required: str) -> Settings:
    """The settings of a command that has the `connection` options.

    Raises:
        ConfigurationError: with everything that is wrong or missing.
    """
    settings = load_settings({name: options.get(name) for name in ("profile", "inventory", "bucket", "dagster_url")})
    settings.required(*required)
    return settings
