"""`db-admin-report probe`: the worker's own program for one database, with the same arguments."""

from __future__ import annotations

import click

from dbadmin_assets.cli.worker_program import SETTINGS, hand_on


@click.command("probe", context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def probe_command(arguments: tuple[str, ...]) -> None:
    """Collect from one database from here, without AWS: do the reader's rights suffice?"""
    # The password comes through the environment variable that --password-env names, never through an argument.
    hand_on("worker_lambda.probe", arguments, needs=("pymysql", "pymssql"))
