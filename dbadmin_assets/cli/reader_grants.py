"""`db-admin-report reader-grants`: the worker's own program that prints the least-privilege script."""

from __future__ import annotations

import click

from dbadmin_assets.cli.worker_program import SETTINGS, hand_on


@click.command("reader-grants", context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def reader_grants_command(ctx: click.Context, /, arguments: tuple[str, ...]) -> None:
    """Print the SQL that makes a least-privilege reader; nothing is connected to or changed.

    \b
    Example:
      db-admin-report reader-grants --engine mysql --version 8.0 --platform rds > reader.sql
    """
    ctx.exit(hand_on("worker_lambda.reader_grants", arguments))
