"""Commands that are programs of the worker: in a process of their own, for the pipeline imports only its contract."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from dbadmin_assets.errors import ConfigurationError

# Everything is handed on, --help too.
SETTINGS: dict[str, Any] = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def hand_on(module: str, arguments: Sequence[str]) -> int:
    """Run a module of the worker with these arguments, on our own streams; its exit code.

    Raises:
        ConfigurationError: this installation has no worker.
    """
    if importlib.util.find_spec(module) is None:
        raise ConfigurationError(["this installation has no worker"], hint="install db-admin-report[worker]")
    return subprocess.run([sys.executable, "-m", module, *arguments], env=os.environ, check=False).returncode
