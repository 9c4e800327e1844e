"""Starting and stopping one MySQL or MariaDB server with its own certificate authority, on a free loopback port."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
import trustme

from sandbox.engines import datadir
from sandbox.engines.choice import DSN_VARIABLES, IMAGES, ROOT, Engine, EngineUnavailable, Kind, available

START_WITHIN_SECONDS = 60.0


@dataclass(slots=True)
class RunningServer:
    """A server that answers.

    Attributes:
        ca_file: PEM file that its certificate verifies with, for `127.0.0.1` and `localhost`.
        pid: of the server process; None where it is not ours (a DSN, a container).
    """

    kind: Kind
    host: str
    port: int
    root_password: str = field(repr=False)
    ca_file: Path | None
    version: str
    pid: int | None
    _stop: Callable[[], None] = field(repr=False)

    def stop(self) -> None:
        """End it and remove its files. Idempotent."""
        self._stop()

    def connect(self, **options: Any) -> pymysql.Connection[Any]:
        """A connection as root (or as told), autocommit; the caller closes it."""
        settings: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": "root",
            "password": self.root_password,
            "autocommit": True,
            "connect_timeout": 10,
        }
        if self.ca_file:
            settings["ssl"] = {"ca": str(self.ca_file)}
        return pymysql.connect(**(settings | options))


def start_mysql(directory: Path, *, kind: Kind = "mysql", options: tuple[str, ...] = ()) -> RunningServer:
    """Start the server that `available(kind)` chose.

    Args:
        directory: gets a subdirectory with data, certificates and log, removed by `stop()` or at our death.
        options: for the server's command line, after ours, so that these win. Only for a server from the prefix.

    Raises:
        EngineUnavailable: none can be had here, or none that takes options.
        RuntimeError: it did not come up; the message ends with its log.
    """
    engine = available(kind)
    if engine.source == "none":
        raise EngineUnavailable(engine.detail)
    if options and engine.source != "prefix":
        raise EngineUnavailable(f"{engine}: only a server from the prefix takes options")
    if engine.source == "dsn":
        return _from_dsn(kind, os.environ[DSN_VARIABLES[kind]])
    home = directory.resolve() / f"{kind}-{secrets.token_hex(4)}"
    home.mkdir(parents=True)
    try:
        home.chmod(0o711)
        make_certificates(home)
        if engine.source == "docker":
            from sandbox.engines.docker import start_container

            return start_container(kind, IMAGES[kind], home)
        return _start_process(engine, home, options)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise


def make_certificates(home: Path) -> None:
    """Write ca.pem, server.pem and server.key: a CA made now, a certificate for 127.0.0.1 and localhost."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(home / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(home / "server.pem")
    certificate.private_key_pem.write_to_path(home / "server.key")
    (home / "server.key").chmod(0o600)


def _start_process(engine: Engine, home: Path, options: tuple[str, ...]) -> RunningServer:
    assert engine.executable is not None
    prefix = engine.executable.parents[1]
    uid, gid = datadir.unprivileged_ids(home, engine.executable.parent)
    datadir.copy(datadir.template(engine.executable), home / "data", uid, gid)
    password = secrets.token_urlsafe(24)
    port = _free_port()
    for name, text in (("init.sql", _init_sql(engine.kind, password)), ("server.log", "")):
        (home / name).write_text(text)
        (home / name).chmod(0o600)
    if uid >= 0:
        for name in ("init.sql", "server.log", "server.key", "server.pem", "ca.pem"):
            os.chown(home / name, uid, gid)
    command = [str(engine.executable), *_options(engine, prefix, home, port, uid), *options]
    guard = _spawn_guard(command, uid, gid, home)
    assert guard.stdout is not None
    pid = int(guard.stdout.readline())

    def stop() -> None:
        for pipe in (guard.stdin, guard.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()
        guard.wait(30)

    server = RunningServer(engine.kind, "127.0.0.1", port, password, home / "ca.pem", "", pid, stop)
    try:
        server.version = wait_until_ready(server, lambda: _lives(pid))
    except BaseException as error:
        error.add_note((home / "server.log").read_text()[-3000:])
        stop()
        raise
    (home / "init.sql").unlink()
    return server


def _options(engine: Engine, prefix: Path, home: Path, port: int, uid: int) -> list[str]:
    options = [
        "--no-defaults",
        f"--basedir={prefix / 'usr'}",
        f"--datadir={home / 'data'}",
        f"--init-file={home / 'init.sql'}",
        f"--socket={home / 'data' / 's'}",
        f"--pid-file={home / 'data' / 'server.pid'}",
        f"--log-error={home / 'server.log'}",
        f"--ssl-ca={home / 'ca.pem'}",
        f"--ssl-cert={home / 'server.pem'}",
        f"--ssl-key={home / 'server.key'}",
        f"--tmpdir={home / 'data'}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--performance-schema=ON",
        "--skip-log-bin",
    ]
    if uid < 0 and os.geteuid() == 0:
        options.append("--user=root")
    if engine.kind != "mysql":
        return options + datadir.mariadb_options(prefix)
    plugins = next((prefix / "usr/lib").glob("**/plugin/mysql_no_login.so")).parent
    return [
        *options,
        "--mysqlx=OFF",
        f"--secure-file-priv={home / 'data'}",  # the package's default lies outside the prefix
        f"--plugin-dir={plugins}",
        "--innodb-redo-log-capacity=8M",
        "--innodb-buffer-pool-size=16M",
        "--performance-schema-max-table-instances=400",
    ]


def _init_sql(kind: Kind, password: str) -> str:
    """Statements run before the port opens, one a line: no moment with an empty root password."""
    if kind == "mysql":
        return f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';\n"
    return (
        f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';\n"
        "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';\n"
        "DELETE FROM mysql.proxies_priv WHERE User = 'root' AND Host <> 'localhost';\n"
        "FLUSH PRIVILEGES;\n"
    )


def _spawn_guard(command: list[str], uid: int, gid: int, home: Path) -> subprocess.Popen[str]:
    with (home / "server.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "sandbox.engines.guard", str(uid), str(gid), str(home), "--", *command],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; the guard acts when our pipe closes
            text=True,
        )


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_ready(server: RunningServer, alive: Callable[[], bool]) -> str:
    """Poll until root can log in; the server's version.

    Raises:
        RuntimeError: it died or stayed silent.
    """
    give_up_at = time.monotonic() + START_WITHIN_SECONDS
    while True:
        try:
            connection = server.connect()
        except (pymysql.Error, OSError) as error:
            if not alive() or time.monotonic() > give_up_at:
                raise RuntimeError(f"{server.kind} did not come up: {type(error).__name__}") from error
            time.sleep(0.05)
            continue
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            row = cursor.fetchone()
        assert row is not None
        return str(row[0])


def _from_dsn(kind: Kind, dsn: str) -> RunningServer:
    parts = urllib.parse.urlsplit(dsn)
    query = dict(urllib.parse.parse_qsl(parts.query))
    if parts.hostname is None or (parts.username or "root") != "root":
        raise EngineUnavailable(f"{DSN_VARIABLES[kind]} must be mysql://root:password@host:port[?ca_file=…]")
    ca_file = Path(query["ca_file"]) if "ca_file" in query else None
    password = urllib.parse.unquote(parts.password or "")
    server = RunningServer(kind, parts.hostname, parts.port or 3306, password, ca_file, "", None, lambda: None)
    server.version = wait_until_ready(server, lambda: False)
    return server
