"""`python -m infra deploy|destroy|outputs`: the stacks of every account over Pulumi's Automation API."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dbadmin_assets.cli.output import print_table
from infra.deployment import display, evidence
from infra.deployment.engine import PulumiEngine, Request
from infra.deployment.errors import DeploymentError, StackError
from infra.deployment.program import Plan, load_plan
from infra.deployment.run import Run
from infra.deployment.stacks import EXIT_INTERRUPTED, EXIT_NOTHING_DONE, EXIT_USAGE, Stack, exit_code

if TYPE_CHECKING:
    from mypy_boto3_sts.client import STSClient

_PARALLEL = 8
_NAMED = 3


def main(
    argv: Sequence[str] | None = None,
    *,
    plan: Callable[[str | None], Plan] = load_plan,
    engine: Callable[[], PulumiEngine] = PulumiEngine,
    sts: Callable[[], STSClient] | None = None,
) -> int:
    """Run one command; the keyword arguments are for tests.

    Returns:
        0 every stack is as it should be; 1 none is; 2 usage, configuration or a missing tool; 3 some are; 130.
    """
    options = _parser().parse_args(argv)
    try:
        return _Command(options, plan(options.configuration), engine(), sts or _sts).run()
    except DeploymentError as error:
        sys.stderr.write(f"error: {error}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    deploy = commands.add_parser("deploy", help="make the stacks what the program says")
    destroy = commands.add_parser("destroy", help="take stacks down; evidence stays")
    outputs = commands.add_parser("outputs", help="what the stacks tell: names and ARNs")
    for command in (deploy, destroy, outputs):
        command.add_argument("--stack", choices=("central", "worker", "all"), required=True)
        command.add_argument("--accounts", default="", help="worker stacks of these accounts, comma-separated")
        command.add_argument("--regions", default="", help="worker stacks of these regions, comma-separated")
        command.add_argument("--configuration", help="file of the infrastructure's configuration")
        command.add_argument("--json", action="store_true", help="one JSON document on standard output")
    for command in (deploy, destroy):
        command.add_argument("--preview", action="store_true", help="say what would be done, and do nothing")
        command.add_argument("--verbose", action="store_true", help="every line of Pulumi's")
    deploy.add_argument("--parallel", type=_count, default=_PARALLEL, help="worker stacks at once (%(default)s)")
    deploy.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError("a number from 1 to 64")
    return int(text)


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


class _Command:
    """One command on the stacks that its options choose."""

    def __init__(
        self, options: argparse.Namespace, plan: Plan, engine: PulumiEngine, sts: Callable[[], STSClient]
    ) -> None:
        self._options = options
        self._plan = plan
        self._engine = engine
        self._open_sts = sts
        self._stacks = plan.chosen(options.stack, _names(options.accounts), _names(options.regions))

    def run(self) -> int:
        self._engine.check()
        command: Callable[[], int] = getattr(self, f"_{self._options.command}")
        return command()

    def _deploy(self) -> int:
        options = self._options
        if not options.preview and not options.yes:
            _confirm(f"Deploy {_count_of(self._stacks)}? Type yes: ", "yes", hint="--yes does not ask")
        act = self._engine.preview if options.preview else self._engine.update
        run = Run(act, self._trial(), display.watcher(verbose=options.verbose), options.parallel)
        results = run.all([self._request(stack) for stack in self._stacks])
        display.show(results, operation="preview" if options.preview else "deploy", as_json=options.json)
        return EXIT_INTERRUPTED if run.interrupted else exit_code(results)

    def _destroy(self) -> int:
        """Workers first: they use what the central stack has. Each stack's name has to be typed."""
        requests = [self._request(stack) for stack in reversed(self._stacks)]
        try:
            self._trial_of_all()
            for request in requests:
                self._agree_to_destroy(request)
        except StackError as error:
            sys.stderr.write(f"error: {error}\nNothing was destroyed.\n")
            return EXIT_NOTHING_DONE
        if self._options.preview:
            return 0
        run = Run(self._engine.destroy, lambda _: None, display.watcher(verbose=self._options.verbose), 1)
        results = [result for request in requests for result in run.all([request])]
        display.show(results, operation="destroy", as_json=self._options.json)
        return EXIT_INTERRUPTED if run.interrupted else exit_code(results)

    def _agree_to_destroy(self, request: Request) -> None:
        name = request.stack.name
        resources = self._engine.resources(request)
        kept, bare = evidence.kept(resources), evidence.unprotected(resources)
        sys.stderr.write(f"{name}: {len(resources) - len(kept)} resources would be deleted, {len(kept)} stay:\n")
        for resource in kept:
            sys.stderr.write(f"  {resource.type}  {resource.name}\n")
        if bare:
            names = ", ".join(resource.name for resource in bare)
            raise StackError(f"{name} holds evidence that its state does not protect: {names}. Deploy the stack first")
        if not self._options.preview:
            _confirm(f"Type the stack's name to destroy it: {name}: ", name, hint="nothing was destroyed")

    def _outputs(self) -> int:
        told: dict[str, Any] = {}
        failed = 0
        for stack in self._stacks:
            try:
                told[stack.name] = self._engine.outputs(self._request(stack))
            except StackError as error:
                failed += 1
                sys.stderr.write(f"{stack.name}: {error}\n")
        if self._options.json:
            sys.stdout.write(json.dumps(told, indent=2) + "\n")
        else:
            rows = [(name, key, _shown(value)) for name, values in told.items() for key, value in values.items()]
            print_table(("Stack", "Output", "Value"), rows)
        return exit_code_of(failed, len(self._stacks))

    def _request(self, stack: Stack) -> Request:
        plan = self._plan
        return Request(
            stack=stack,
            program=plan.program(stack),
            configuration=plan.role.provider_configuration(stack),
            backend=plan.backend,
            secrets_provider=plan.secrets_provider,
        )

    def _trial(self) -> Callable[[Stack], None]:
        sts = self._open_sts()
        return lambda stack: self._plan.role.try_out(sts, stack.account_id)

    def _trial_of_all(self) -> None:
        trial = self._trial()
        for stack in self._stacks:
            trial(stack)


def exit_code_of(failed: int, total: int) -> int:
    """As for deployments: 0, 3 some failed, 1 all did."""
    if not failed:
        return 0
    return 3 if failed < total else EXIT_NOTHING_DONE


def _shown(value: Any) -> str:
    if value is None:
        return "(secret)"
    return value if isinstance(value, str) else json.dumps(value)


def _count_of(stacks: Sequence[Stack]) -> str:
    accounts = len({stack.account_id for stack in stacks})
    more = ", …" if len(stacks) > _NAMED else ""
    return f"{len(stacks)} stacks in {accounts} accounts ({', '.join(s.name for s in stacks[:_NAMED])}{more})"


def _confirm(question: str, wanted: str, *, hint: str) -> None:
    sys.stderr.write(question)
    sys.stderr.flush()
    if sys.stdin.readline().strip() != wanted:
        raise DeploymentError("not confirmed", hint=hint)


def _sts() -> STSClient:
    import boto3

    return boto3.client("sts")
