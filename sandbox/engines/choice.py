"""Which MySQL or MariaDB a test or the sandbox gets: a DSN, Docker, the private prefix, or none, and why.

The order is the order of trust: what a person named in the environment, then official images, then Debian's packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Kind = Literal["mysql", "mariadb", "mariadb-10.11"]
Source = Literal["dsn", "docker", "prefix", "none"]

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".sandbox" / "tools"
DSN_VARIABLES: dict[str, str] = {
    "mysql": "DBADMIN_TEST_MYSQL_DSN",
    "mariadb": "DBADMIN_TEST_MARIADB_DSN",
    "mariadb-10.11": "DBADMIN_TEST_MARIADB_10_11_DSN",
}
IMAGES: dict[str, str] = {"mysql": "mysql:8.4", "mariadb": "mariadb:11.8", "mariadb-10.11": "mariadb:10.11"}
_FETCH_WITHIN_SECONDS = 600
_CANNOT_BE_HAD = 3


class EngineUnavailable(Exception):
    """This machine has no such server and cannot get one; the message says what to install or set."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What was chosen.

    Attributes:
        detail: a DSN variable's name, an image, the server's path, or what to do about `none`. Never a password.
    """

    kind: Kind
    source: Source
    detail: str
    executable: Path | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.source} ({self.detail})"


@cache
def available(kind: Kind) -> Engine:
    """Choose, and fetch where that is what it takes (10-15 s and 170 MB, once per checkout). Never raises for none."""
    variable = DSN_VARIABLES[kind]
    if os.environ.get(variable):
        return Engine(kind, "dsn", variable)
    if _docker_answers():
        return Engine(kind, "docker", IMAGES[kind])
    try:
        executable = fetch(kind)
    except EngineUnavailable as error:
        return Engine(kind, "none", str(error))
    version = (executable.parents[1] / ".version").read_text().split("-")[0].removeprefix("Ver ").strip()
    return Engine(kind, "prefix", version.split(" ")[0], executable)


def fetch(kind: Kind, tools: Path = TOOLS) -> Path:
    """Get a server into `tools/KIND` without installing anything; the path of its launcher.

    Raises:
        EngineUnavailable: no apt here, no mirror, or the package is gone.
    """
    script = Path(__file__).with_name("fetch.sh")
    hint = f"install Docker, or set {DSN_VARIABLES[kind]}=mysql://root:password@host:port"
    try:
        done = subprocess.run(
            ["bash", str(script), kind, str(tools / kind)],
            capture_output=True,
            text=True,
            timeout=_FETCH_WITHIN_SECONDS,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise EngineUnavailable(f"{type(error).__name__} while fetching {kind}; {hint}") from error
    if done.returncode == 0:
        return Path(done.stdout.strip().splitlines()[-1])
    said = done.stderr.strip().splitlines()[-1:] or ["no message"]
    if done.returncode == _CANNOT_BE_HAD:
        raise EngineUnavailable(f"{said[0]}; {hint}")
    raise RuntimeError(f"fetch.sh {kind} failed with {done.returncode}: {done.stderr[-2000:]}")


@cache
def _docker_answers() -> bool:
    """Whether a Docker engine runs here; asked once, since a dead daemon takes seconds to say so."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        return subprocess.run([docker, "info"], capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
