"""Whom a worker believes to be a database server: RDS by its own roots, others by the system's store or a file."""

from __future__ import annotations

import datetime
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509

from tests.worker_lambda import mysql_stub
from worker_lambda.collectors import tls_trust
from worker_lambda.collectors.mysql import collect
from worker_lambda.collectors.sqlserver_freetds import configuration
from worker_lambda.contract import DatabaseTarget, Reason
from worker_lambda.credentials import Credentials
from worker_lambda.errors import DatabaseError

RDS_HOST = "payments.c0ffee.eu-west-1.rds.amazonaws.com"
TOKEN = "payments.c0ffee.eu-west-1.rds.amazonaws.com:3306/?Action=connect&X-Amz-Signature=5ec3e7"


@pytest.mark.parametrize(
    ("host", "is_rds"),
    [
        (RDS_HOST, True),
        (RDS_HOST.upper(), True),
        ("mydb.cluster-ro-c0ffee.us-east-1.rds.amazonaws.com.", True),
        ("mydb.proxy-c0ffee.us-east-1.rds.amazonaws.com", False),
        ("rds.amazonaws.com", False),
        (f"{RDS_HOST}.evil.example", False),
        ("xrds.amazonaws.com", False),
        ("10.0.0.1", False),
    ],
)
def test_an_rds_endpoint_is_known_by_its_whole_name(host: str, is_rds: bool) -> None:
    assert tls_trust.is_rds(host) is is_rds


def test_the_bundle_holds_living_roots_of_rds_and_nothing_else() -> None:
    roots = x509.load_pem_x509_certificates(tls_trust.RDS_ROOTS.read_bytes())
    names = [root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for root in roots]
    assert len(set(names)) == len(roots) >= 80
    in_five_years = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=5 * 365)
    for name, root in zip(names, roots, strict=True):
        assert str(name).startswith("Amazon RDS ")
        assert root.issuer == root.subject
        root.verify_directly_issued_by(root)
        assert root.not_valid_after_utc > in_five_years
        assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_an_rds_endpoint_is_trusted_by_the_rds_roots_alone() -> None:
    context = tls_trust.ssl_context(DatabaseTarget("x", "mysql"), RDS_HOST)
    assert context is not None
    assert {dict(pair[0] for pair in c["subject"])["organizationalUnitName"] for c in context.get_ca_certs()} == {
        "Amazon RDS"
    }
    assert context.check_hostname
    assert f"ca file = {tls_trust.RDS_ROOTS}" in configuration(RDS_HOST, 1433, "verify-full", None)


def test_another_server_is_not_trusted_by_the_rds_roots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bundle = tmp_path / "system.pem"
    trustme.CA().cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    for host in ("db.example.com", "mydb.proxy-c0ffee.us-east-1.rds.amazonaws.com"):
        context = tls_trust.ssl_context(DatabaseTarget("x", "mysql"), host)
        assert context is not None
        assert len(context.get_ca_certs()) == 1
        assert f"ca file = {bundle}\n" in configuration(host, 1433, "verify-full", None)


def test_a_given_file_is_the_only_trust_of_an_rds_endpoint_too(tmp_path: Path) -> None:
    bundle = tmp_path / "own.pem"
    trustme.CA().cert_pem.write_to_path(str(bundle))
    context = tls_trust.ssl_context(DatabaseTarget("x", "mysql", ca_file=str(bundle)), RDS_HOST)
    assert context is not None
    assert len(context.get_ca_certs()) == 1
    assert f"ca file = {bundle}\n" in configuration(RDS_HOST, 1433, "verify-full", str(bundle))


@pytest.fixture
def rds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ssl.SSLContext:
    """A server's TLS for RDS_HOST, by a CA that takes the place of the RDS roots; every name leads to loopback."""
    authority, bundle = trustme.CA(), tmp_path / "roots.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setattr(tls_trust, "RDS_ROOTS", bundle)
    connect = socket.create_connection

    def to_loopback(address: tuple[str, int], **options: Any) -> socket.socket:
        return connect(("127.0.0.1", address[1]), **options)

    monkeypatch.setattr(socket, "create_connection", to_loopback)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(RDS_HOST).configure_cert(context)
    return context


def login(server: mysql_stub.Stub, host: str = RDS_HOST) -> DatabaseError:
    """The end of a login with a token: the stub hangs up or is not believed."""
    target = DatabaseTarget("x", "mysql", auth="iam", tls="verify-full")
    credentials = Credentials(host, server.port, "reader", TOKEN, iam=True)
    with pytest.raises(DatabaseError) as caught:
        collect(target, credentials, time.monotonic() + 4, "", "")
    assert TOKEN not in str(caught.value)
    return caught.value


def test_a_token_reaches_the_rds_server_whole_and_only_inside_tls(rds: ssl.SSLContext) -> None:
    with mysql_stub.stub(mysql_stub.asks_for_a_token(rds)) as server:
        error = login(server)
        assert server.closed.wait(10)
    assert error.reason is Reason.DEADLINE_REACHED  # logged in: the stub never answers the query
    assert server.token == TOKEN.encode() + b"\0"
    assert TOKEN.encode() not in server.received


def test_a_token_is_not_sent_to_a_server_of_another_name_or_authority(
    rds: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with mysql_stub.stub(mysql_stub.asks_for_a_token(rds)) as server:
        assert login(server, "other.c0ffee.eu-west-1.rds.amazonaws.com").reason is Reason.TLS_FAILED
        assert server.closed.wait(10)
    assert server.token == b""
    bundle = tmp_path / "another.pem"
    trustme.CA().cert_pem.write_to_path(str(bundle))
    monkeypatch.setattr(tls_trust, "RDS_ROOTS", bundle)
    with mysql_stub.stub(mysql_stub.asks_for_a_token(rds)) as server:
        assert login(server).reason is Reason.TLS_FAILED
        assert server.closed.wait(10)
    assert server.token == b""
