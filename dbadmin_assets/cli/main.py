"""The entry point: the group of commands, loaded when asked for, and the end of every error.

Nothing heavy is imported here or at the top of a command's module, so that help and usage errors are quick.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from dbadmin_assets import __version__
from dbadmin_assets.cli.output import print_json, safe
from dbadmin_assets.errors import EXIT_INTERRUPTED, EXIT_REPORT_FAILED, EXIT_USAGE, DbAdminReportError

_COMMANDS = {
    "generate": "Collect from every database and make a report.",
    "status": "How a run is going, or how it ended.",
    "history": "The reports there are, newest first.",
    "download": "Copy a report to this machine, or make links to it.",
    "diff": "What changed between two reports.",
    "verify": "Check that a report still says what was sealed in it.",
    "retention": "Until when evidence is kept, and to keep it longer.",
    "review": "Have each administrator confirmed, removed or changed, and attest it.",
    "cancel": "Stop a run.",
    "inventory": "Look at the inventory, check it, or draft what it misses.",
    "doctor": "Check everything that a report needs.",
    "config": "Look at the settings.",
    "probe": "Collect from one database from here, without AWS.",
    "reader-grants": "Print the SQL that makes a least-privilege reader.",
}


class LazyGroup(click.Group):
    """Loads a command's module when the command is asked for; the list needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a person meets them."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where there is no such one."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"dbadmin_assets.cli.{name}")
        command = getattr(module, f"{name}_command")
        assert isinstance(command, click.Command)  # noqa: S101 - a module of ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in the help text."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> NoReturn:
        """Run, and end with the exit code that docs/cli.md promises for every kind of error."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")  # a name must not end the program in a C locale
        try:
            code = super().main(args=arguments, **extra)
        except click.ClickException as error:
            error.show()
            if "--json" in arguments:
                _tell_json(type(error).__name__, error.format_message(), _where_to_look(error))
            code = EXIT_USAGE
        except (click.Abort, KeyboardInterrupt):
            click.echo("Interrupted.", err=True)
            if "--json" in arguments:
                _tell_json("Interrupted", "interrupted", None)
            code = EXIT_INTERRUPTED
        except DbAdminReportError as error:
            _tell(error, arguments)
            code = error.exit_code
        except BrokenPipeError:
            code = EXIT_REPORT_FAILED
        except Exception as error:  # noqa: BLE001 - the end of the program: told, with an exit code
            _tell(error, arguments)
            code = EXIT_REPORT_FAILED
        sys.exit(code if isinstance(code, int) else 0)


def _tell(error: Exception, arguments: list[str]) -> None:
    if "--verbose" in arguments or "-v" in arguments:
        traceback.print_exception(error)
    known = isinstance(error, DbAdminReportError)
    message = error.message if isinstance(error, DbAdminReportError) else f"{type(error).__name__}: {error}"
    hint = error.hint if isinstance(error, DbAdminReportError) else "run it again with --verbose to see where"
    click.echo(f"{'Error' if known else 'Unexpected error'}: {safe(message, lines=True)}", err=True)
    if hint:
        click.echo(f"Fix: {safe(hint, lines=True)}", err=True)
    if "--json" in arguments:
        problems = getattr(error, "problems", None)
        _tell_json(type(error).__name__, message, hint, **({"problems": problems} if problems else {}))


def _tell_json(kind: str, message: str, hint: str | None, **more: object) -> None:
    with contextlib.suppress(OSError):  # standard output may be what failed: then standard error has said it
        print_json({"error": {"type": kind, "message": message, "hint": hint, **more}})


def _where_to_look(error: click.ClickException) -> str | None:
    context = getattr(error, "ctx", None)
    return f"`{context.command_path} --help` explains the usage" if context else None


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 complete; 1 the report could not be made; 2 usage, configuration or credentials; "
    "3 made, but incomplete; 4 evidence does not hold. Every command explains itself: db-admin-report COMMAND --help",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Who has administrator access to which SQL Server and MySQL database, as audit evidence.

    \b
    Example:
      db-admin-report generate --accounts 123456789012 --regions us-east-1
    """


def main() -> NoReturn:
    """The console script."""
    cli.main(prog_name="db-admin-report")


if __name__ == "__main__":
    main()
