"""One GraphQL request to a deployed Dagster, and what can become of it: an answer, a refusal, or silence."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from dbadmin_assets.cli.output import note
from dbadmin_assets.cli.remote.address import TOKEN_VARIABLE, Address
from dbadmin_assets.errors import EXIT_USAGE, DbAdminReportError, ReportError

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 5.0
_SHOWN = 300


class DagsterSilentError(ReportError):
    """No answer: it may come later, or the request may be repeated if it does no harm twice.

    Attributes:
        sent: whether the request may have arrived all the same.
    """

    def __init__(self, message: str, *, sent: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.sent = sent


class DagsterRefusedError(DbAdminReportError):
    """Refuse to start: what answers there is no Dagster for us, and asking again would change nothing."""

    exit_code = EXIT_USAGE


class Connection:
    """The GraphQL of one deployed Dagster."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._pool = _pool(address)

    def close(self) -> None:
        """Close what is open."""
        self._pool.clear()

    def ask(self, query: str, variables: dict[str, Any], *, patience_seconds: float) -> dict[str, Any]:
        """Answer to a query, which may be sent again.

        Raises:
            DagsterSilentError: no answer for as long as the patience lasts.
            DagsterRefusedError: asking again would change nothing.
        """
        started = time.monotonic()

        def waiting(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            if state.attempt_number == 1 and isinstance(error, DagsterSilentError):
                note(f"{error.message}; trying again for {patience_seconds:g} s")

        retrying = Retrying(
            retry=retry_if_exception_type(DagsterSilentError),
            stop=stop_after_delay(patience_seconds),
            wait=wait_random_exponential(multiplier=0.3, max=_LONGEST_PAUSE_SECONDS),
            before_sleep=waiting,
            reraise=True,
        )
        data: dict[str, Any] = retrying(self.ask_once, query, variables)
        if time.monotonic() - started > READ_SECONDS:
            note(f"{self.address.url} answers again")
        return data

    def ask_once(self, query: str, variables: dict[str, Any], *, read_seconds: float = READ_SECONDS) -> dict[str, Any]:
        """Send one request; its `data`.

        Raises:
            DagsterSilentError, DagsterRefusedError: as for `ask`.
        """
        url = self.address.url
        try:
            answer = self._pool.request(
                "POST",
                self.address.graphql,
                body=json.dumps({"query": query, "variables": variables}).encode(),
                headers={"Content-Type": "application/json", "Accept": "application/json", **self.address.headers},
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
                retries=False,
                redirect=False,  # a token is for this host only
            )
        except SSLError as error:
            raise _tls_error(url, error) from error
        except HTTPError as error:
            sent = not isinstance(error, NewConnectionError | ConnectTimeoutError | ProxyError)
            raise DagsterSilentError(
                f"{url} does not answer: {_short(error)}",
                sent=sent,
                hint="check DBADMIN_DAGSTER_URL, the network and that the webserver runs",
            ) from error
        return self._data(answer.status, answer.data, answer.headers.get("Location"))

    def _data(self, status: int, body: bytes, location: str | None) -> dict[str, Any]:
        url = self.address.url
        if status == 429 or status >= 500:
            raise DagsterSilentError(f"{url} answers with HTTP {status}", sent=True, hint="look at its webserver's log")
        if status in (401, 403):
            had = self.address.has_token
            raise DagsterRefusedError(
                f"{url} {'does not accept the token' if had else 'asks for a token'} (HTTP {status})",
                hint=f"{'check' if had else 'set'} {TOKEN_VARIABLE}: a user or agent token that may launch runs",
            )
        if 300 <= status < 400:
            raise DagsterRefusedError(
                f"{url} sends us elsewhere (HTTP {status}, to {ascii(location or '-')[:200]}): a log-in page, perhaps",
                hint=f"name the webserver itself, with https:// where it wants that, and set {TOKEN_VARIABLE}",
            )
        try:
            said = json.loads(body)
        except ValueError:
            said = None
        if isinstance(said, dict) and said.get("errors"):
            first = said["errors"][0]
            text = first.get("message") if isinstance(first, dict) else first
            raise DagsterRefusedError(
                f"{url} does not understand this program's GraphQL: {str(text)[:_SHOWN]}",
                hint="deploy the Dagster version that this db-admin-report is pinned to",
            )
        if status != 200 or not isinstance(said, dict) or not isinstance(said.get("data"), dict):
            raise DagsterRefusedError(
                f"{url} is not a Dagster webserver (HTTP {status} and no GraphQL answer at /graphql)",
                hint="DBADMIN_DAGSTER_URL is the address of Dagster's UI, with its path prefix if it has one",
            )
        data: dict[str, Any] = said["data"]
        return data


def _pool(address: Address) -> urllib3.PoolManager:
    """By the proxy of the environment, as other programs; never on this machine."""
    scheme = address.url.partition(":")[0]
    proxy = urllib.request.getproxies().get(scheme)
    if proxy and not address.is_loopback and not urllib.request.proxy_bypass(address.host):
        return urllib3.ProxyManager(proxy, ssl_context=address.tls)
    return urllib3.PoolManager(ssl_context=address.tls)


def _tls_error(url: str, error: SSLError) -> DbAdminReportError:
    text = _short(error)
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate" in text.lower():
        return DagsterRefusedError(
            f"the certificate of {url} is not trusted: {text}",
            hint="set DBADMIN_DAGSTER_CA_FILE to the PEM file of the authority that signed it, or check the host name",
        )
    if "WRONG_VERSION_NUMBER" in text or "record layer failure" in text.lower():
        return DagsterRefusedError(
            f"{url} does not speak TLS", hint="is it an http:// address? Then the port, or the URL, is another one"
        )
    return DagsterSilentError(f"{url} ended the TLS connection: {text}", sent=True, hint="look at its proxy's log")


def _short(error: Exception) -> str:
    """The innermost reason; urllib3 puts the whole connection object in front."""
    text = str(error)
    return f"{type(error).__name__}: {text.rpartition('>: ')[2] or text}"[:_SHOWN]
