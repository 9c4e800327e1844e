"""One worker, 100 databases that each answer in 200 ms: a real MySQL behind a proxy that delays every connection."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from sandbox.engines import create_reader, start_mysql
from worker_lambda.collect import collect
from worker_lambda.contract import DatabaseTarget, ResultLocation, WorkerRequest

DATABASES = 100
DELAY_SECONDS = 0.2


class Secrets:
    """Secrets Manager, for one login."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        """The same secret for every name."""
        return {"SecretString": self._secret}


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction of a connection, until it closes."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


def delaying_proxy(port: int) -> int:
    """A port that leads to `port`, `DELAY_SECONDS` late; served by a daemon thread."""
    ports: list[int] = []
    ready = threading.Event()

    async def serve() -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(DELAY_SECONDS)
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(relay(reader, back), relay(there, writer))

        server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=256)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    ready.wait()
    return ports[0]


def main() -> None:
    """The time of the collection; what one database costs alone stands beside it."""
    with tempfile.TemporaryDirectory() as directory:
        server = start_mysql(Path(directory))
        try:
            create_reader(server, "audit_reader", "bench-password")
            port = delaying_proxy(server.port)
            for count in (1, DATABASES):
                began = time.monotonic()
                collection = collect(request(count, port, str(server.ca_file)), began + 60, secrets())
                failed = len(collection["errors"])
                print(f"{count} databases: {time.monotonic() - began:.2f} s, {failed} failed ({server.version})")
        finally:
            server.stop()


def secrets() -> Any:
    """The login of the reader."""
    return Secrets('{"username": "audit_reader", "password": "bench-password"}')


def request(count: int, port: int, ca_file: str) -> WorkerRequest:
    """`count` entries that lead to the same server."""
    databases = tuple(
        DatabaseTarget(f"db-{n:03d}", "mysql", "127.0.0.1", port, secret="s", ca_file=ca_file) for n in range(count)
    )
    place = ResultLocation("bucket", "collections/c/111111111111/us-east-1/1.json", "us-east-1", "arn")
    return WorkerRequest("c", "r", 1, "111111111111", "us-east-1", place, databases)


if __name__ == "__main__":
    main()
