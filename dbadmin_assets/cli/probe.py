"""`db-admin-report probe`: the worker's own program for one database, with the same arguments."""

from __future__ import annotations

import click

from dbadmin_assets.cli.worker_program import SETTINGS, hand_on


@click.command("probe", context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def probe_command(ctx: click.Context, /, arguments: tuple[str, ...]) -> None:
    """Collect from one database from here, without AWS: do the reader's rights suffice?

    \b
    Example:
      db-admin-report probe --engine mysql --host db.example.com --port 3306 --username reader --password-env PW
    """
    # The password comes through the environment variable that --password-env names, never through an argument.
    ctx.exit(hand_on("worker_lambda.probe", arguments))
