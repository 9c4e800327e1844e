"""Run by the Pulumi engine: the program of the stack's kind. With arguments: `python -m infra deploy …`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_stack() -> None:
    """Declare the stack that the engine is at, by its name: `central` or `worker-ACCOUNT-REGION`.

    Raises:
        ConfigurationError: the name or the configuration is not valid.
    """
    import pulumi

    from infra import program
    from infra.configuration import configuration_from_pulumi, target_of

    target = target_of(pulumi.get_stack())
    configuration = configuration_from_pulumi()
    if target is None:
        program.central(configuration)
    else:
        program.worker(configuration, *target)


def main(arguments: list[str]) -> int:
    """The commands of infra/deploy.py, which loads only when one is asked for."""
    try:
        deploy = importlib.import_module("infra.deploy")
    except ModuleNotFoundError as error:
        if error.name != "infra.deploy":
            raise
        sys.stderr.write("error: infra/deploy.py is missing: use `pulumi up --cwd infra --stack STACK`\n")
        return 2
    return int(deploy.main(arguments))


def _under_engine() -> bool:
    from pulumi.runtime.settings import SETTINGS

    return SETTINGS.monitor is not None


if __name__ == "__main__":
    if str(ROOT) not in sys.path:  # the engine starts this folder as a script
        sys.path.insert(0, str(ROOT))
    if len(sys.argv) > 1 or not _under_engine():
        sys.exit(main(sys.argv[1:]))
    run_stack()
