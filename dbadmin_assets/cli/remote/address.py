"""Where a deployed Dagster is and what lets us in: URL, token, TLS. All of it checked before anything is sent."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dbadmin_assets.config import Settings
from dbadmin_assets.errors import ConfigurationError

TOKEN_VARIABLE = "DBADMIN_DAGSTER_TOKEN"  # noqa: S105 - its name only
_DAGSTER_PLUS = ".dagster.cloud"
_FORM = "write it as https://dagster.example.com, or https://ORGANIZATION.dagster.cloud/DEPLOYMENT"


@dataclass(frozen=True, slots=True)
class Address:
    """A deployed Dagster.

    Attributes:
        url: without `/graphql` and without a slash at the end; for messages, too.
        headers: those that let us in. A secret: not part of what is printed of this object.
        tls: how the server is verified; None for http.
    """

    url: str
    host: str
    headers: Mapping[str, str] = field(repr=False)
    tls: ssl.SSLContext | None

    @property
    def graphql(self) -> str:
        """Where requests go."""
        return f"{self.url}/graphql"

    @property
    def has_token(self) -> bool:
        """Whether a token is sent."""
        return bool(self.headers)

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine."""
        return _is_loopback(self.host)

    def run_page(self, run_id: str) -> str:
        """The page of a run in Dagster's UI."""
        return f"{self.url}/runs/{run_id}"


def address_of(settings: Settings, environ: Mapping[str, str] | None = None) -> Address:
    """What the settings and the token's variable come to.

    Raises:
        ConfigurationError: the URL, the token or the CA file cannot be used.
    """
    environ = os.environ if environ is None else environ
    text = settings.required("dagster_url")["dagster_url"]
    url, host = _checked_url(text)
    if url.startswith("http:") and not _is_loopback(host) and settings.dagster_allow_http != "yes":
        raise ConfigurationError(
            [f"{url} is not encrypted: anybody on the way could read the token, and answer for Dagster"],
            hint="use https://, or set DBADMIN_DAGSTER_ALLOW_HTTP=yes where the way is protected otherwise",
        )
    token = environ.get(TOKEN_VARIABLE)
    headers = _token_headers(token, host) if token else {}
    tls = _tls(settings.dagster_ca_file) if url.startswith("https:") else None
    return Address(url, host, headers, tls)


def _checked_url(text: str) -> tuple[str, str]:
    problem = None
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError([f"dagster_url is no URL: {error}"], hint=_FORM) from error
    if "@" in parts.netloc:  # not shown: what stands before it may be a password
        raise ConfigurationError(
            ["dagster_url carries a user name or password"], hint=f"put the token into {TOKEN_VARIABLE}"
        )
    if parts.scheme not in ("http", "https") or not host:
        problem = "is not an http or https URL"
    elif parts.query or parts.fragment or re.search(r"[\s\\]", text) or not text.isascii():
        problem = "has more than host, port and path"
    if problem or host is None:
        raise ConfigurationError([f"dagster_url {ascii(text)[:200]} {problem}"], hint=_FORM)
    path = parts.path.rstrip("/").removesuffix("/graphql")
    return f"{parts.scheme}://{parts.netloc}{path}", host


def _token_headers(token: str, host: str) -> dict[str, str]:
    """The header that carries the token; what is wrong with it is said without showing it."""
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigurationError(
            [f"{TOKEN_VARIABLE} has spaces, line breaks or other characters that no token has"],
            hint="set it to the token alone",
        )
    if host == _DAGSTER_PLUS[1:] or host.endswith(_DAGSTER_PLUS):
        return {"Dagster-Cloud-Api-Token": token}
    return {"Authorization": f"Bearer {token}"}


def _tls(ca_file: str | None) -> ssl.SSLContext:
    """Always verified: by the system's store, or by the one file that was named."""
    if ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(Path(ca_file)))
    except (OSError, ssl.SSLError) as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(
            [f"dagster_ca_file {ca_file} cannot be used: {reason}"], hint="DBADMIN_DAGSTER_CA_FILE names a PEM file"
        ) from error


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
