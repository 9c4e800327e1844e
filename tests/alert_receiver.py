"""Endpoints that a test can look into: an HTTPS webhook with a CA of its own, and an SNS topic with a queue behind."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from sandbox.aws import LocalAws

CENTRAL, REGION = "209371858707", "us-east-1"
SECRET_PATH = "/services/T0/B0/very-secret"


class Receiver:
    """What arrived, in order; `statuses` are what it answers, the last one for ever."""

    def __init__(self, port: int, ca_file: Path) -> None:
        self.url = f"https://localhost:{port}{SECRET_PATH}"
        self.ca_file = str(ca_file)
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.statuses = [200]
        self.location: str | None = None

    def answer(self, path: str, body: bytes) -> int:
        """Keep what came; the status to send."""
        self.paths.append(path)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status < 300:
            self.bodies.append(json.loads(body))
        return status


@contextlib.contextmanager
def alert_receiver(folder: Path) -> Iterator[Receiver]:
    """A receiver until the end of the block."""
    ca = trustme.CA()
    ca_file = folder / "receiver-ca.pem"
    ca.cert_pem.write_to_path(str(ca_file))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = receiver.answer(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(tls)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_address[1], ca_file)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


class Topic:
    """A topic of the local AWS; `environment` leads SNS of another process there, and nothing but SNS."""

    def __init__(self, aws: LocalAws) -> None:
        sns, self._sqs = aws.client("sns", CENTRAL, REGION), aws.client("sqs", CENTRAL, REGION)
        self.arn = sns.create_topic(Name="alerts")["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName="alerts")["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                     "Resource": arn}  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=arn)
        self.environment = {
            "AWS_ENDPOINT_URL_SNS": aws.endpoint,
            "AWS_ACCESS_KEY_ID": CENTRAL,
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def received(self) -> list[dict[str, Any]]:
        """Notifications since the last call, as SNS puts them into a queue."""
        got = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in got.get("Messages", []):
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in got.get("Messages", [])]
