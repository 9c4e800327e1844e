"""Commands that are programs of the worker: in a process of their own, for the pipeline imports only its contract."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from dbadmin_assets.errors import ConfigurationError

# Everything is handed on, --help too.
SETTINGS: dict[str, Any] = {"ignore_unknown_options": True, "help_option_names": []}


def hand_on(module: str, arguments: Sequence[str], *, needs: Sequence[str] = ()) -> NoReturn:
    """Become a module of the worker with these arguments: streams, signals and exit code are its own.

    Args:
        needs: modules that the worker's extra installs.

    Raises:
        ConfigurationError: one of them is not there.
    """
    if missing := [name for name in needs if importlib.util.find_spec(name) is None]:
        hint = "install db-admin-report[worker]"
        raise ConfigurationError([f"this installation has no {' and no '.join(missing)}"], hint=hint)
    # -P: `python -m` would import from the caller's folder, whose code must not see the password.
    os.execv(sys.executable, [sys.executable, "-P", "-m", module, *arguments])  # noqa: S606 - our own interpreter
