"""`config show`: every setting, its value and where it came from. A secret is only said to be set."""

from __future__ import annotations

import os
from typing import Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, print_table, say
from dbadmin_assets.config import config_path
from dbadmin_assets.config_options import OPTIONS, Option


@click.group("config")
def config_command() -> None:
    """Look at the settings.

    \b
    Example:
      db-admin-report config show
    """


@config_command.command("show")
@options.connection
@options.general
def show(as_json: bool, **given: Any) -> None:
    """Every setting, its value and where it came from.

    \b
    Example:
      db-admin-report config show --json
    """
    settings = options.settings_from(given)
    file = config_path(os.environ)
    if as_json:
        rows = {
            option.name: {"value": _value(settings, option), "origin": settings.origins[option.name]}
            for option in OPTIONS
        }
        print_json({"file": str(file), "file_exists": file.exists(), "settings": rows})
        return
    print_table(
        ("Setting", "Value", "From", "Meaning"),
        ([o.name, _value(settings, o) or "", settings.origins[o.name], o.meaning] for o in OPTIONS),
    )
    say(f"Configuration file: {file}{'' if file.exists() else ' (not there)'}")


def _value(settings: object, option: Option) -> str | int | None:
    value = getattr(settings, option.name)
    if option.secret and value is not None:
        return "(set, not shown)"
    return value if value is None or isinstance(value, int) else str(value)
