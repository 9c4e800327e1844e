"""Which certificates vouch for a database server, and how old a TLS may be.

A given `ca_file` is the only trust. Without one an RDS endpoint is trusted by the RDS roots that lie beside this file,
for no system's store has them; every other server by the system's store, or what SSL_CERT_FILE names.
"""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path

from worker_lambda.contract import DatabaseTarget, Reason
from worker_lambda.errors import ConnectionFailed

RDS_ROOTS = Path(__file__).with_name("rds_roots.pem")
_RDS_HOST = re.compile(r".+\.rds\.amazonaws\.com\.?", re.IGNORECASE)
_PROXY = ".proxy-"  # RDS Proxy shows a certificate of Amazon's public CA (AWS, Using TLS/SSL with RDS Proxy)


def is_rds(host: str) -> bool:
    """Whether the host is an endpoint of an RDS instance or Aurora cluster, no proxy."""
    return _RDS_HOST.fullmatch(host) is not None and _PROXY not in host.lower()


def ssl_context(target: DatabaseTarget, host: str) -> ssl.SSLContext | None:
    """A TLS 1.2+ context for the target's `tls`: verify-full, require (encrypted, anybody's certificate); None for off.

    Args:
        host: the one that is connected to; it may come from the secret.

    Raises:
        ConnectionFailed: TLS_FAILED when the bundle cannot be read.
    """
    if target.tls == "off":
        return None
    try:
        context = ssl.create_default_context(cafile=target.ca_file or (str(RDS_ROOTS) if is_rds(host) else None))
    except OSError as error:
        raise ConnectionFailed(Reason.TLS_FAILED, f"cannot read the CA file ({type(error).__name__})") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if target.tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def trust_file(host: str, ca_file: str | None) -> str:
    """The CA bundle to verify with, for a driver that takes a path.

    Raises:
        ConnectionFailed: TLS_FAILED when there is none that can be read, or its name would break FreeTDS's file.
    """
    system = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    path = ca_file or (str(RDS_ROOTS) if is_rds(host) else system)
    if not path or not os.access(path, os.R_OK) or not Path(path).is_file():
        raise ConnectionFailed(Reason.TLS_FAILED, f"no readable CA file: {path or 'none configured'}")
    if any(character in path for character in "\r\n;#"):
        raise ConnectionFailed(Reason.TLS_FAILED, "the CA file's name has a character that FreeTDS cannot take")
    return path
