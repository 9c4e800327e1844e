"""What the worker's command-line programs share: their parser, and an end for every kind of terminal."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
from collections.abc import Callable
from typing import NoReturn

FAILED, USAGE, INTERRUPTED = 1, 2, 130
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Parser(argparse.ArgumentParser):
    """Takes no abbreviated option (a password must not pass for `--password-env`), and answers `--json` in JSON."""

    def __init__(self, prog: str, description: str, example: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"Example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.arguments: list[str] = []

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        if "--json" in self.arguments:
            json.dump(
                {"error": {"type": "UsageError", "message": message, "hint": f"see {self.prog} --help"}}, sys.stdout
            )
            sys.stdout.write("\n")
        super().error(message)

    def read(self, arguments: list[str]) -> argparse.Namespace:
        """Parse; exits with 2 on wrong use."""
        self.arguments = arguments
        return self.parse_args(arguments)


def environment_variable(name: str) -> str:
    """An option's type: the name of a variable. What is none is not repeated, for it may be the secret itself."""
    if not _VARIABLE.fullmatch(name):
        raise argparse.ArgumentTypeError("wants the name of an environment variable")
    return name


def account_name(name: str) -> str:
    """An option's type: a name that is there and holds no control character."""
    if not name or not name.isprintable():
        raise argparse.ArgumentTypeError("must not be empty or hold control characters")
    return name


def run(main: Callable[[list[str]], int]) -> NoReturn:
    """Run a program to its end: in any locale, into a pipe that closes, until Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name must not end the program in a C locale
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        code = INTERRUPTED
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered goes nowhere, in silence
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"cannot write: {error.strerror}\n")
        code = FAILED
    sys.exit(code)
