"""`db-admin-report reader-grants`: the worker's own program that prints the least-privilege script."""

from __future__ import annotations

import click

from dbadmin_assets.cli.worker_program import SETTINGS, hand_on


@click.command("reader-grants", context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def reader_grants_command(arguments: tuple[str, ...]) -> None:
    """Print the SQL that makes a least-privilege reader; nothing is connected to or changed."""
    hand_on("worker_lambda.reader_grants", arguments)
