"""The same servers from their official images, where Docker runs: a person's laptop, a CI runner."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from sandbox.engines.choice import Kind
from sandbox.engines.server import RunningServer, wait_until_ready


def start_container(kind: Kind, image: str, home: Path) -> RunningServer:
    """Start an image on a random loopback port with the certificates of `home`; removed by `stop()` or by Ryuk."""
    from testcontainers.core.container import DockerContainer

    password = secrets.token_urlsafe(24)
    (home / "server.key").chmod(0o644)  # the container's user is not ours; the folder lets nobody list it
    variable = "MYSQL_ROOT_PASSWORD" if kind == "mysql" else "MARIADB_ROOT_PASSWORD"
    options = "--ssl-ca=/tls/ca.pem --ssl-cert=/tls/server.pem --ssl-key=/tls/server.key --performance-schema=ON"
    container = (
        DockerContainer(image)
        .with_env(variable, password)
        .with_volume_mapping(str(home), "/tls", "ro")
        .with_command(options + (" --mysqlx=OFF" if kind == "mysql" else ""))
        .with_exposed_ports(3306)
        .with_kwargs(ports={"3306/tcp": ("127.0.0.1", None)})
    )
    container.start()
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            container.stop()
            shutil.rmtree(home, ignore_errors=True)

    port = int(container.get_exposed_port(3306))
    server = RunningServer(kind, "127.0.0.1", port, password, home / "ca.pem", "", None, stop)
    try:
        server.version = wait_until_ready(server, lambda: True)
    except BaseException:
        stop()
        raise
    return server
