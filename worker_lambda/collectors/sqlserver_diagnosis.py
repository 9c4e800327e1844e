"""Why a connection failed, found with plain sockets: FreeTDS says 20009 or 20002 for causes that need telling apart."""

from __future__ import annotations

import socket
import struct


def diagnose(host: str, port: int, timeout_seconds: float) -> str:
    """Why a connection could not be made, found with a plain socket: FreeTDS says 20009 for all of it.

    Returns:
        host_not_found, refused, timed_out, unreachable or connected.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return "host_not_found"
    verdict = "unreachable"
    for family, kind, protocol, _, address in addresses:
        with socket.socket(family, kind, protocol) as plain:
            plain.settimeout(timeout_seconds)
            try:
                plain.connect(address)
            except ConnectionRefusedError:
                verdict = "refused"
            except TimeoutError:
                verdict = "timed_out"
            except OSError:
                continue
            else:
                return "connected"
    return verdict


def asks_for_tls(host: str, port: int, timeout_seconds: float) -> str:
    """What a server that accepts connections answers to a PRELOGIN: FreeTDS says 20002 for every end of a handshake.

    Returns:
        tls (it would shake hands, so trust or names failed), no_tls, or closed (no TDS answer at all).
    """
    options = struct.pack(">BHH", 0, 11, 6) + struct.pack(">BHH", 1, 17, 1) + b"\xff"
    body = options + b"\x10\0\0\0\0\0" + b"\x01"
    try:
        with socket.create_connection((host, port), timeout_seconds) as plain:
            plain.sendall(struct.pack(">BBHHBB", 18, 1, len(body) + 8, 0, 1, 0) + body)
            with plain.makefile("rb") as answer:
                kind, size = struct.unpack(">BxH4x", answer.read(8))
                data = answer.read(size - 8)
        at = 0
        while kind == 4 and data[at] != 0xFF:
            option, offset = struct.unpack_from(">BH", data, at)
            if option == 1:
                return "no_tls" if data[offset] == 2 else "tls"
            at += 5
    except (OSError, struct.error, IndexError):
        return "closed"
    return "closed"
