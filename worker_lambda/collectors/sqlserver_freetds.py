"""FreeTDS's configuration file for one connection: address, TLS and trust. pymssql has no parameter for these.

Measured with FreeTDS 1.5.19: `encryption = require` alone verifies nothing; `ca file` makes it verify the chain, and
the host name unless `check certificate hostname` is off. A certificate for an IP address must name it.
"""

from __future__ import annotations

from worker_lambda.collectors.sqlserver_child import SERVER_SECTION
from worker_lambda.collectors.tls_trust import trust_file
from worker_lambda.contract import HOST, Reason, Tls
from worker_lambda.errors import ConnectionFailed

ENCRYPTION: dict[Tls, str] = {"verify-full": "require", "require": "require", "off": "off"}


def configuration(host: str, port: int, tls: Tls, ca_file: str | None) -> str:
    """The text of freetds.conf.

    Args:
        host: name or address; checked here again, for a line break would be a new setting.
        ca_file: PEM bundle; None takes the RDS roots or the system's.

    Raises:
        ConnectionFailed: a host that is none, or verification without a readable CA bundle.
    """
    if not HOST.fullmatch(host):
        raise ConnectionFailed(Reason.HOST_NOT_FOUND, "the host has a form that is not allowed")
    lines = [
        f"[{SERVER_SECTION}]",
        f"host = {host}",
        f"port = {port}",
        "tds version = 7.4",
        f"encryption = {ENCRYPTION[tls]}",
        "enable tls v1 = no",
    ]
    if tls == "verify-full":
        lines += [f"ca file = {trust_file(host, ca_file)}", "check certificate hostname = yes"]
    return "\n".join(lines) + "\n"
