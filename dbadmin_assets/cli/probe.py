"""`probe`: the worker's own program for one database, with the same arguments, in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import click

from dbadmin_assets.errors import ConfigurationError


@click.command(
    "probe",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def probe_command(ctx: click.Context, /, arguments: tuple[str, ...]) -> None:
    """Collect from one database from here, without AWS: do the reader's rights suffice?

    \b
    Example:
      db-admin-report probe --engine mysql --host db.example.com --port 3306 --username reader --password-env PW
    """
    if importlib.util.find_spec("worker_lambda.probe") is None:
        raise ConfigurationError(["this installation has no worker"], hint="install db-admin-report[worker]")
    # The password comes through the environment variable that --password-env names, never through an argument.
    command = [sys.executable, "-m", "worker_lambda.probe", *arguments]
    ctx.exit(subprocess.run(command, env=os.environ, check=False).returncode)
