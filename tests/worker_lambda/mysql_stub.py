"""A server that speaks just enough of MySQL to misbehave: silent, trickling, garbage, asking for clear text."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from worker_lambda.credentials import Credentials

PASSWORD = "stub-secret-83f1"

# Protocol 41, secure connection, plugin auth, connect attributes; no TLS.
_TLS = 0x00000800
_CAPABILITIES = 0x00000200 | 0x00008000 | 0x00080000 | 0x00100000 | 0x00002000 | 0x00000008
OK = b"\x00\x00\x00\x02\x00\x00\x00"


@dataclass(slots=True)
class Stub:
    """A listening stub; `received` is everything clients sent, `connected` and `closed` tell of the client."""

    port: int
    received: bytearray = field(default_factory=bytearray)
    token: bytes = b""
    connected: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def credentials(self) -> Credentials:
        """A login to it."""
        return Credentials("127.0.0.1", self.port, "reader", PASSWORD)


Behaviour = Callable[[socket.socket, Stub], None]


@contextlib.contextmanager
def stub(behaviour: Behaviour) -> Iterator[Stub]:
    """Listen on a free loopback port and treat the first client as told."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        server = Stub(listener.getsockname()[1])

        def serve() -> None:
            with contextlib.suppress(OSError):
                client, _ = listener.accept()
                server.connected.set()
                with client, contextlib.suppress(OSError):
                    behaviour(client, server)
            server.closed.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def packet(sequence: int, payload: bytes) -> bytes:
    """One protocol packet."""
    return struct.pack("<I", len(payload))[:3] + bytes([sequence]) + payload


def greeting(version: bytes = b"8.4.0", more: int = 0) -> bytes:
    """The server's first packet; `more` are capabilities beyond the usual."""
    low, high = (_CAPABILITIES | more) & 0xFFFF, (_CAPABILITIES | more) >> 16
    return packet(
        0,
        b"\x0a" + version + b"\0" + struct.pack("<I", 7) + b"saltsalt\0" + struct.pack("<HBHH", low, 45, 2, high)
        + bytes([21]) + b"\0" * 10 + b"saltsaltsalt\0" + b"mysql_native_password\0",
    )  # fmt: skip


def read_until_gone(client: socket.socket, server: Stub) -> None:
    """Take everything and answer nothing until the client hangs up."""
    while data := client.recv(65_536):
        server.received += data


def silent(client: socket.socket, server: Stub) -> None:
    """Accept, say nothing."""
    read_until_gone(client, server)


def garbage(client: socket.socket, server: Stub) -> None:
    """Another protocol lives here."""
    client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    read_until_gone(client, server)


def trickle(client: socket.socket, server: Stub) -> None:
    """A byte now and then of a packet that never ends: no single recv ever times out."""
    client.sendall(b"\xff\xff\x00\x00")
    while True:
        client.sendall(b"x")
        time.sleep(0.02)


def clear_text(client: socket.socket, server: Stub) -> None:
    """Ask for the password in clear text."""
    client.sendall(greeting())
    server.received += client.recv(65_536)
    client.sendall(packet(2, b"\xfemysql_clear_password\0"))
    read_until_gone(client, server)


def asks_for_a_token(context: ssl.SSLContext) -> Behaviour:
    """As RDS does for IAM authentication: TLS first, then the token in clear text inside it; answers no query."""

    def behaviour(client: socket.socket, server: Stub) -> None:
        client.sendall(greeting(more=_TLS))
        server.received += client.recv(36)  # the request for TLS: a login packet that ends before the name
        with context.wrap_socket(client, server_side=True) as secure:
            server.received += secure.recv(65_536)
            secure.sendall(packet(3, b"\xfemysql_clear_password\0"))
            server.token = bytes(secure.recv(65_536)[4:])
            secure.sendall(packet(5, OK))
            for _ in ("SET NAMES", "SET SESSION"):
                server.received += secure.recv(65_536)
                secure.sendall(packet(1, OK))
            read_until_gone(secure, server)

    return behaviour


def _logged_in(client: socket.socket, server: Stub) -> None:
    client.sendall(greeting())
    server.received += client.recv(65_536)
    client.sendall(packet(2, OK))
    for _ in ("SET NAMES", "SET SESSION"):
        server.received += client.recv(65_536)
        client.sendall(packet(1, OK))
    server.received += client.recv(65_536)  # the probe


def silent_after_login(client: socket.socket, server: Stub) -> None:
    """Log in, then never answer the query."""
    _logged_in(client, server)
    read_until_gone(client, server)


def trickle_after_login(client: socket.socket, server: Stub) -> None:
    """Log in, then answer the query a byte now and then."""
    _logged_in(client, server)
    client.sendall(b"\xff\xff\x00\x01")
    while True:
        client.sendall(b"\x01")
        time.sleep(0.02)


def hang_up_after_login(client: socket.socket, server: Stub) -> None:
    """Log in, then close."""
    _logged_in(client, server)


def nonsense_after_login(client: socket.socket, server: Stub) -> None:
    """Log in, then answer the query with something that is no result."""
    _logged_in(client, server)
    client.sendall(packet(1, b"\x05") + packet(2, b"no column"))
    read_until_gone(client, server)
