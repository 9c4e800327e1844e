"""Which certificates vouch for a database server."""

from __future__ import annotations

import os
import ssl

from worker_lambda.contract import DatabaseTarget, Reason
from worker_lambda.errors import ConnectionFailed

CA_FILE_VARIABLE = "DBADMIN_CA_FILE"


def ca_file_for(target: DatabaseTarget) -> str | None:
    """The inventory's `ca_file`, else the function's own bundle (RDS roots are in no system store), else None: system."""
    return target.ca_file or os.environ.get(CA_FILE_VARIABLE) or None


def ssl_context(target: DatabaseTarget) -> ssl.SSLContext | None:
    """A TLS 1.2+ context for the target's `tls`: verify-full, require (encrypted, anybody's certificate); None for off.

    Raises:
        ConnectionFailed: TLS_FAILED when the bundle cannot be read.
    """
    if target.tls == "off":
        return None
    try:
        context = ssl.create_default_context(cafile=ca_file_for(target))
    except OSError as error:
        raise ConnectionFailed(Reason.TLS_FAILED, f"cannot read the CA file ({type(error).__name__})") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if target.tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
