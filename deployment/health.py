"""The image's health check: asks the one process of Dagster that this container runs whether it works.

Webserver: an HTTP answer. Code location: gRPC health. Daemon: the heartbeats it has written. Anything else is a run or
a command, which is well as long as it lives. ECS does not read it; this one is for `docker run` and Compose.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterable
from pathlib import Path

WEB = "http://127.0.0.1:3000/server_info"
CHECKS = {
    "dagster-webserver": ["web"],
    "code-server": ["dagster", "api", "grpc-health-check", "-p", "4000"],
    "dagster-daemon": ["dagster-daemon", "liveness-check"],
}


def command_lines(proc: Path = Path("/proc")) -> list[list[str]]:
    """The arguments of every process of this container; one that ends meanwhile has none."""
    found = []
    for path in proc.glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().decode(errors="replace").split("\0"))
        except OSError:
            continue
    return found


def check_for(lines: Iterable[list[str]]) -> list[str] | None:
    """How this container is asked, by what it runs; None where there is nothing to ask."""
    for arguments in lines:
        names = {Path(argument).name for argument in arguments[:4]}
        for name, check in CHECKS.items():
            if name in names:
                return check
    return None


def healthy(check: list[str] | None) -> bool:
    """Ask."""
    if check is None:
        return True
    if check == ["web"]:
        try:
            with urllib.request.urlopen(WEB, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
    return subprocess.run(check, capture_output=True, check=False, timeout=20).returncode == 0


if __name__ == "__main__":
    sys.exit(0 if healthy(check_for(command_lines())) else 1)
