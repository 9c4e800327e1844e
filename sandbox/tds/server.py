"""The SQL Server stand-in as a thing to start and stop: `with TdsServer(catalogue, users) as server`.

What it proves: the real driver's way (pymssql, FreeTDS, OpenSSL) through TDS 7.4, verified TLS, LOGIN7, error numbers,
result sets and their types; time-outs, broken and hostile servers; and the rules, on given catalogue rows.
What it does not prove: that a query is valid T-SQL, that a catalogue view has such a column, who may see what. It
answers by the name in a query's first comment, from prepared rows, and anything it does not know with error 208.
"""

from __future__ import annotations

import socket
import socketserver
import ssl
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import trustme

from sandbox.tds.catalogue import Catalogue
from sandbox.tds.session import Fault, Session
from sandbox.tds.transport import Transport


class TdsServer:
    """A stand-in on a free loopback port; everything it makes goes when it stops.

    Args:
        catalogue: what it answers.
        users: login name to password, those that may log in.
        tls: True offers TLS 1.2 with a certificate of its own CA for 127.0.0.1 and localhost; False offers none.
        certificate_names: other names for the certificate, to test one that does not match.
        login_only_tls: like a SQL Server without Force Encryption, for a client that does not insist.
        fault, fault_query: how it misbehaves, and on which query only.
        delay_seconds: pause before each query's answer.
        port: 0 takes a free one.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        catalogue: Catalogue,
        users: Mapping[str, str],
        *,
        tls: bool = True,
        certificate_names: tuple[str, ...] = ("127.0.0.1", "localhost"),
        login_only_tls: bool = False,
        fault: Fault = Fault.NONE,
        fault_query: str | None = None,
        delay_seconds: float = 0,
        trickle_seconds: float = 0.2,
        port: int = 0,
    ) -> None:
        self.catalogue, self.users = catalogue, dict(users)
        self.fault, self.fault_query = fault, fault_query
        self.delay_seconds, self.trickle_seconds = delay_seconds, trickle_seconds
        self.login_only_tls = login_only_tls
        self.port = port
        self.tls_context: ssl.SSLContext | None = None
        self._names = certificate_names if tls else ()
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._listener: socketserver.ThreadingTCPServer | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._log: list[tuple[str, ...]] = []

    @property
    def ca_file(self) -> Path:
        """PEM of the CA that signed the certificate. Raises RuntimeError while stopped."""
        if self._directory is None:
            raise RuntimeError("the stand-in is not running")
        return Path(self._directory.name) / "ca.pem"

    @property
    def log(self) -> list[tuple[str, ...]]:
        """What clients did, a copy: (tls, version), (login, user, application, database, version), (batch, name, …)."""
        with self._lock:
            return list(self._log)

    def note(self, *what: str) -> None:
        """Add to the log; never a password."""
        with self._lock:
            self._log.append(what)

    def start(self) -> TdsServer:
        """Listen, in background threads that end with the process."""
        self._directory = tempfile.TemporaryDirectory(prefix="tds-standin-")
        try:
            authority = trustme.CA()
            authority.cert_pem.write_to_path(str(self.ca_file))
            if self._names:
                self.tls_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self.tls_context.minimum_version = ssl.TLSVersion.TLSv1_2
                self.tls_context.maximum_version = ssl.TLSVersion.TLSv1_2  # TDS 7.4 knows no TLS 1.3
                authority.issue_cert(*self._names).configure_cert(self.tls_context)
            self._listener = _Listener((self.host, self.port), _handler_of(self, self._stopping))
        except BaseException:
            self._directory.cleanup()
            raise
        self.port = int(self._listener.server_address[1])
        threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="tds-standin"
        ).start()
        return self

    def stop(self) -> None:
        """Close the port, wake whoever is silent on purpose, remove the certificate."""
        self._stopping.set()
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
        if self._directory is not None:
            self._directory.cleanup()

    def __enter__(self) -> TdsServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256


def _handler_of(server: TdsServer, stopping: threading.Event) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        request: socket.socket

        def handle(self) -> None:
            self.request.settimeout(120)
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Session(server, Transport(self.request), stopping).serve()

    return Handler
