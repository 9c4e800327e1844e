"""TDS packets over one socket: framing, and TLS whose handshake travels inside PRELOGIN packets."""

from __future__ import annotations

import socket
import ssl
import struct
import time

from sandbox.tds import wire


class Gone(ConnectionError):
    """The client left, or TLS with it failed."""


class Transport:
    """One accepted connection.

    Args:
        connection: the socket; its time-out is the longest a client may idle.
        trickle_seconds: when positive, every byte is sent alone after this pause (a misbehaving server).
    """

    def __init__(self, connection: socket.socket, trickle_seconds: float = 0) -> None:
        self._socket = connection
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.trickle_seconds = trickle_seconds
        self.packet_size = 4096

    def receive(self) -> tuple[int, bytes]:
        """One whole message: packet type and body. Raises Gone."""
        body = b""
        while True:
            kind, status, size = struct.unpack(">BBH4x", self._read(8))
            body += self._read(size - 8)
            if status & 1:
                return kind, body

    def send(self, body: bytes, kind: int = wire.PACKET_RESPONSE) -> None:
        """One message, cut into packets."""
        room = self.packet_size - 8
        for number, at in enumerate(range(0, max(len(body), 1), room)):
            part = body[at : at + room]
            last = at + room >= len(body)
            header = struct.pack(">BBHHBB", kind, last, len(part) + 8, 53, (number + 1) & 255, 0)
            self._write(header + part)

    def send_raw(self, data: bytes) -> None:
        """Bytes that are no packet."""
        self._write(data)

    def start_tls(self, context: ssl.SSLContext) -> str:
        """Shake hands. Returns the TLS version.

        Raises:
            Gone: with the reason, also when the client does not trust the certificate.
        """
        server = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                server.do_handshake()
                finished = True
            except ssl.SSLWantReadError:
                finished = False
            except ssl.SSLError as error:
                raise Gone(error.reason or "TLS failed") from error
            if flight := self._outgoing.read():
                self.send(flight, wire.PACKET_PRELOGIN)
            if finished:
                break
            self._incoming.write(self.receive()[1])
        self._tls = server
        return server.version() or "unknown"

    def stop_tls(self) -> None:
        """Back to clear text, as after a LOGIN7 of which only the login packet is encrypted."""
        self._tls = None

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            missing = count - len(data)
            chunk = self._socket.recv(missing) if self._tls is None else self._read_tls(missing)
            if not chunk:
                raise Gone("closed by the client")
            data += chunk
        return data

    def _read_tls(self, count: int) -> bytes:
        assert self._tls is not None
        while True:
            try:
                return self._tls.read(count)
            except ssl.SSLWantReadError:
                chunk = self._socket.recv(65536)
                if not chunk:
                    raise Gone("closed by the client") from None
                self._incoming.write(chunk)
            except ssl.SSLError as error:
                raise Gone(error.reason or "TLS failed") from error

    def _write(self, data: bytes) -> None:
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        if self.trickle_seconds <= 0:
            self._socket.sendall(data)
            return
        for at in range(len(data)):
            self._socket.sendall(data[at : at + 1])
            time.sleep(self.trickle_seconds)
