"""`python -m sandbox` keeps a sandbox in the foreground; `run -- COMMAND` runs one command inside, `ui` a Dagster."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from sandbox.engines import EngineUnavailable
from sandbox.history import unbroken_plan
from sandbox.plan import Plan, demo_plan, fleet_plan
from sandbox.processes import SandboxError
from sandbox.reports import copy_newest_report
from sandbox.stack import Sandbox, to_stderr
from sandbox.ui import require_free, serve_ui

EXIT_NO_SANDBOX = 70
"""The sandbox itself could not be started or stopped; none of the product's codes."""


_PLANS: dict[str, Callable[[], Plan]] = {"demo": demo_plan, "small": lambda: fleet_plan(2)}


class _EndedError(Exception):
    """A signal asks to end."""


def main(argv: list[str]) -> int:
    """The exit code of the command, or of the sandbox."""
    options = _parser().parse_args(argv)
    _on_signal(_end)
    try:
        plan = _PLANS[options.plan]()
        if options.mode == "ui":
            require_free(options.port)
            plan = unbroken_plan()
        with Sandbox(plan, progress=to_stderr) as sandbox:
            try:
                if options.mode == "ui":
                    serve_ui(sandbox, options.port, to_stderr)
                if options.mode == "run":
                    code = _run(sandbox, options.command, options.copy_reports)
                    return _against(options.expect_exit, code)
                _serve(sandbox)
            finally:
                _on_signal(signal.SIG_IGN)  # a second Ctrl-C must not interrupt the stopping
    except _EndedError as ended:
        return int(str(ended))
    except (SandboxError, EngineUnavailable) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return EXIT_NO_SANDBOX
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument(
        "--plan",
        choices=sorted(_PLANS),
        default="demo",
        help="demo: real MySQL and MariaDB, SQL Server stand-ins, two planted failures; "
        "small: two accounts with stand-ins only, nothing fails, starts in seconds",
    )
    modes = parser.add_subparsers(dest="mode")
    run = modes.add_parser("run", help="run a command inside a sandbox and exit with its code")
    run.add_argument("--copy-reports", type=Path, metavar="DIR", help="afterwards copy the newest evidence folder here")
    run.add_argument(
        "--expect-exit", type=int, metavar="CODE", help="exit 0 if the command exits with CODE, else 1: for the demo, "
        "whose planted failures make its report incomplete",
    )  # fmt: skip
    ui = modes.add_parser("ui", help="a Dagster with three reports in it; always with the demo's databases")
    ui.add_argument("--port", type=int, default=3000, help="of 127.0.0.1; %(default)s by default")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    return parser


def _serve(sandbox: Sandbox) -> None:
    print("\n".join(sandbox.exports()), flush=True)
    try:
        to_stderr("ready; Ctrl-C ends it")
        signal.pause()
    except _EndedError:
        to_stderr("stopping")


def _against(expected: int | None, code: int) -> int:
    if expected is None:
        return code
    if code != expected:
        to_stderr(f"the command exited with {code}, expected was {expected}")
        return 1
    return 0


def _run(sandbox: Sandbox, command: list[str], copy_to: Path | None) -> int:
    words = command[1:] if command[:1] == ["--"] else command
    if not words:
        print("sandbox: there is no command after --", file=sys.stderr)
        return 2
    try:
        child = subprocess.Popen(words, env=sandbox.command_environment())
    except OSError as error:
        print(f"sandbox: cannot run {words[0]}: {error.strerror}", file=sys.stderr)
        return 127
    code = _wait(child)
    if copy_to is not None:
        for path in copy_newest_report(sandbox.s3(), sandbox.bucket, copy_to):
            to_stderr(f"copied {path}")
    return code


def _wait(child: subprocess.Popen[bytes]) -> int:
    """The child's exit code; a signal goes on to it, and it decides how to end."""
    while True:
        try:
            code = child.wait()
            return code if code >= 0 else 128 - code
        except _EndedError as ended:
            if int(str(ended)) != 128 + signal.SIGINT:  # the terminal sent Ctrl-C to the child as well
                child.send_signal(int(str(ended)) - 128)


def _on_signal(action: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, action)


def _end(number: int, _frame: FrameType | None) -> None:
    raise _EndedError(str(128 + number))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
