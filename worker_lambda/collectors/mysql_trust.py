"""Which certificates vouch for a MySQL server, and how old a TLS may be."""

from __future__ import annotations

import ssl

from worker_lambda.contract import DatabaseTarget, Reason
from worker_lambda.errors import ConnectionFailed


def ssl_context(target: DatabaseTarget) -> ssl.SSLContext | None:
    """A TLS 1.2+ context for the target's `tls`: verify-full, require (encrypted, anybody's certificate); None for off.

    Without `ca_file` the system's store counts, or what SSL_CERT_FILE names: RDS roots are in no system store.

    Raises:
        ConnectionFailed: TLS_FAILED when the bundle cannot be read.
    """
    if target.tls == "off":
        return None
    try:
        context = ssl.create_default_context(cafile=target.ca_file)
    except OSError as error:
        raise ConnectionFailed(Reason.TLS_FAILED, f"cannot read the CA file ({type(error).__name__})") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if target.tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
