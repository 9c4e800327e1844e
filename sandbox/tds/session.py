"""One client's conversation with the stand-in: prelogin, TLS, login, batches; and going wrong on purpose."""

from __future__ import annotations

import hmac
import re
import struct
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from sandbox.tds import wire
from sandbox.tds.transport import Gone, Transport

if TYPE_CHECKING:
    from sandbox.tds.server import TdsServer

_NAMED = re.compile(r"\s*/\* db-admin-report:([a-z_]+) \*/\s*(.*)", re.DOTALL)
_USE = re.compile(r"USE \[((?:[^\]]|\]\])+)\]\s*", re.DOTALL | re.IGNORECASE)
_GARBAGE = b"HTTP/1.1 400 Bad Request\r\nServer: none\r\n\r\nthis is not TDS\r\n"


class Fault(StrEnum):
    """How the stand-in misbehaves; `none` serves honestly."""

    NONE = "none"
    SILENT = "silent"
    TRICKLE = "trickle"
    GARBAGE = "garbage"
    CLOSE = "close"
    REFUSE_LOGIN = "refuse-login"
    PASSWORD_EXPIRED = "password-expired"
    PASSWORD_MUST_CHANGE = "password-must-change"
    SILENT_AFTER_LOGIN = "silent-after-login"
    TRICKLE_AFTER_LOGIN = "trickle-after-login"
    GARBAGE_AFTER_LOGIN = "garbage-after-login"
    CLOSE_AFTER_LOGIN = "close-after-login"


_LOGIN_ERRORS: dict[Fault, Callable[[str], wire.SqlError]] = {
    Fault.REFUSE_LOGIN: lambda user: wire.SqlError(18456, f"Login failed for user '{user}'.", 14),
    Fault.PASSWORD_EXPIRED: lambda user: wire.SqlError(
        18487, f"Login failed for user '{user}'.  Reason: The password of the account has expired.", 14
    ),
    Fault.PASSWORD_MUST_CHANGE: lambda user: wire.SqlError(
        18488, f"Login failed for user '{user}'.  Reason: The password of the account must be changed.", 14
    ),
}


class Session:
    """Serves one connection until the client leaves or the server stops."""

    def __init__(self, server: TdsServer, transport: Transport, stopping: threading.Event) -> None:
        self._server, self._transport, self._stopping = server, transport, stopping
        self._database = "master"

    def serve(self) -> None:
        """Run the whole conversation; a client that leaves is an ordinary end."""
        fault = self._server.fault
        try:
            if fault is Fault.SILENT:
                self._stopping.wait()
            if fault is Fault.CLOSE or self._stopping.is_set():
                return
            if fault is Fault.TRICKLE:
                self._transport.trickle_seconds = self._server.trickle_seconds
            kind, data = self._transport.receive()
            if fault is Fault.GARBAGE:
                self._transport.send_raw(_GARBAGE)
                return
            if kind == wire.PACKET_PRELOGIN:
                kind, data = self._prelogin(data)
            if kind == wire.PACKET_LOGIN and self._login(wire.decode_login(data)):
                self._batches()
        except (Gone, OSError, struct.error, IndexError) as error:
            self._server.note("ended", type(error).__name__, str(error))

    def _prelogin(self, data: bytes) -> tuple[int, bytes]:
        asked = wire.prelogin_encryption(data)
        agreed = wire.ENCRYPT_NOT_SUPPORTED if self._server.tls_context is None else wire.ENCRYPT_REQUIRED
        if self._server.tls_context is not None and asked == wire.ENCRYPT_OFF and self._server.login_only_tls:
            agreed = wire.ENCRYPT_OFF
        self._transport.send(wire.prelogin_answer(agreed))
        if self._server.tls_context is None:
            return self._transport.receive()
        self._server.note("tls", self._transport.start_tls(self._server.tls_context))
        message = self._transport.receive()
        if agreed == wire.ENCRYPT_OFF:
            self._transport.stop_tls()
        return message

    def _login(self, login: wire.Login) -> bool:
        self._server.note("login", login.username, login.app_name, login.database, f"{login.tds_version:#x}")
        self._transport.packet_size = login.packet_size
        if error := self._refusal(login):
            self._transport.send(wire.error_answer(error))
            return False
        if login.database:
            self._database = login.database
        self._transport.send(wire.login_answer(login, self._database, self._server.catalogue.server_name))
        return True

    def _refusal(self, login: wire.Login) -> wire.SqlError | None:
        if make := _LOGIN_ERRORS.get(self._server.fault):
            return make(login.username)
        known = self._server.users.get(login.username)
        if known is None or not hmac.compare_digest(known.encode(), login.password.encode()):
            return _LOGIN_ERRORS[Fault.REFUSE_LOGIN](login.username)
        if login.database and not self._server.catalogue.accessible(login.database):
            text = f'Cannot open database "{login.database}" requested by the login. The login failed.'
            return wire.SqlError(4060, text, 11)
        return None

    def _batches(self) -> None:
        while True:
            kind, data = self._transport.receive()
            if kind == wire.PACKET_ATTENTION:
                self._transport.send(wire.attention_answer())
            elif kind != wire.PACKET_BATCH:
                text = f"The stand-in does not serve request type {kind}."
                self._transport.send(wire.error_answer(wire.SqlError(50000, text)))
            else:
                self._answer(wire.batch_text(data))

    def _answer(self, text: str) -> None:
        try:
            answer = self._batch(text)
        except wire.SqlError as error:
            answer = wire.error_answer(error)
        self._transport.send(answer)

    def _batch(self, text: str) -> bytes:
        plain_use = _USE.fullmatch(text.strip())  # the driver itself sends one for the database of the login
        match = _NAMED.fullmatch(text)
        name, body = (match[1], match[2]) if match else ("use", text) if plain_use else ("", text)
        self._server.note("batch", name or text[:80], self._database)
        if use := _USE.fullmatch(body.strip()):
            return self._use(use[1].replace("]]", "]"))
        if name != "session":
            self._misbehave(name)
        if name == "session":
            return wire.done()
        return wire.result_answer(self._server.catalogue.answer(name, self._database))

    def _use(self, name: str) -> bytes:
        catalogue = self._server.catalogue
        if not catalogue.exists(name):
            raise wire.SqlError(911, f"Database '{name}' does not exist. Make sure that the name is entered correctly.")
        if not catalogue.accessible(name):
            raise wire.SqlError(
                916,
                f'The server principal is not able to access the database "{name}" under the current security context.',
                14,
            )
        before, self._database = self._database, name
        return wire.database_change(name, before) + wire.done()

    def _misbehave(self, name: str) -> None:
        self._stopping.wait(self._server.delay_seconds)
        if name != (self._server.fault_query or name):
            return
        fault = self._server.fault
        if fault is Fault.SILENT_AFTER_LOGIN:
            self._stopping.wait()
        if fault is Fault.TRICKLE_AFTER_LOGIN:
            self._transport.trickle_seconds = self._server.trickle_seconds
        if fault is Fault.GARBAGE_AFTER_LOGIN:
            self._transport.send_raw(_GARBAGE)
        if fault in (Fault.SILENT_AFTER_LOGIN, Fault.GARBAGE_AFTER_LOGIN, Fault.CLOSE_AFTER_LOGIN):
            raise Gone(f"left on purpose: {fault}")
