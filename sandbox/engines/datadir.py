"""Data directories of private servers: made once per server version, then copied. Also who may read them.

Making one takes seconds, copying it tenths: the template lies beside the server, named for its version.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from pathlib import Path

NOBODY = "nobody"


def unprivileged_ids(*paths: Path) -> tuple[int, int]:
    """User and group for a server: `nobody` when we are root and `nobody` reaches every path, else (-1, -1): ours.

    A checkout below /root is not reachable for anybody else; there the server runs as root, on loopback only.
    """
    if os.geteuid() != 0 or not all(_reachable(path) for path in paths):
        return -1, -1
    entry = pwd.getpwnam(NOBODY)
    return entry.pw_uid, entry.pw_gid


def _reachable(path: Path) -> bool:
    return all(p.stat().st_mode & stat.S_IXOTH for p in (path, *path.parents))


def template(executable: Path) -> Path:
    """A freshly initialised data directory for this server, made at the first call and kept beside it."""
    prefix = executable.parents[1]
    version = (prefix / ".version").read_text()
    name = f"{prefix.name}.data-{hashlib.sha256(version.encode()).hexdigest()[:12]}"
    ready = prefix.parent / name
    if ready.exists():
        return ready
    # Two test runs may make it at once: each makes its own, the first rename wins.
    making = prefix.parent / f"{name}.{secrets.token_hex(4)}"
    try:
        _initialise(executable, making)
        making.rename(ready)
    except OSError:
        if not ready.exists():
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return ready


def _initialise(executable: Path, directory: Path) -> None:
    prefix = executable.parents[1]
    user = ["--user=root"] if os.geteuid() == 0 else []
    common = [str(executable), "--no-defaults", f"--basedir={prefix / 'usr'}", *user]
    if executable.name == "mysqld":
        command = [*common, "--initialize-insecure", f"--datadir={directory}", "--innodb-redo-log-capacity=8M"]
        _run(command, None)
        return
    directory.mkdir()
    share = share_directory(prefix)
    files = [next(share.glob(f"*_{part}.sql")) for part in _MARIADB_TABLES]
    sql = "CREATE DATABASE mysql;\nUSE mysql;\n" + "\n".join(f.read_text() for f in files)
    _run([*common, "--bootstrap", f"--datadir={directory}", *mariadb_options(prefix)], sql)


_MARIADB_TABLES = ("system_tables", "performance_tables", "system_tables_data")


def share_directory(prefix: Path) -> Path:
    """Where MariaDB's messages and SQL lie; the folder's name changed with 11."""
    return next(p for p in (prefix / "usr/share/mariadb", prefix / "usr/share/mysql") if p.exists())


def mariadb_options(prefix: Path) -> list[str]:
    """Options for a small MariaDB whose files lie in a prefix."""
    return [
        f"--lc-messages-dir={share_directory(prefix)}",
        f"--character-sets-dir={share_directory(prefix) / 'charsets'}",
        "--innodb-log-file-size=4M",
        "--innodb-buffer-pool-size=16M",
    ]


def _run(command: list[str], sql: str | None) -> None:
    done = subprocess.run(command, input=sql, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"cannot initialise a data directory: {done.stderr[-2000:]}")


def copy(source: Path, destination: Path, uid: int, gid: int) -> None:
    """Copy a template, with an owner of its own and no server identity of the template's."""
    shutil.copytree(source, destination)
    # auto.cnf holds server_uuid: two copies must not look like one server.
    (destination / "auto.cnf").unlink(missing_ok=True)
    if uid >= 0:
        for path in (destination, *destination.rglob("*")):
            os.chown(path, uid, gid)
