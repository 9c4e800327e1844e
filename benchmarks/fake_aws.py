"""A fake STS, Lambda and S3 in one process of its own: for load that no real worker here could make.

It checks nothing (the sandbox does, with real IAM and real workers). Each invocation sleeps and then delivers
one made-up result object of the agreed shape.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import urllib.parse
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

USERS_PER_DATABASE = 100
_now = lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: E731


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; with another `announced` length than its body has, the line is cut after the body."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None


def result_object(event: dict[str, Any]) -> bytes:
    """A complete collection of what the event declares."""
    now = _now()
    connections, users = [], []
    for database in event["databases"]:
        common = {"database_name": database["name"], "database_type": "MySQL", "collection_timestamp": now}
        users += [
            {
                "username": f"user{n}@%", "role_name": "User", "permission_level": "User",
                "last_login_date": "Unknown", "user_status": "Active", "account_details": {},
                "tier": "none", "rule_id": "mysql.usage", "access_path": "", "principal_type": "account",
                "principal_class": "human", "last_login_source": "none", "password_changed_at": None,
                "auth_plugin": "caching_sha2_password", "excluded_by_policy": None, **common,
            }
            for n in range(USERS_PER_DATABASE)
        ]  # fmt: skip
        connections.append(
            {
                "name": database["name"], "engine": "mysql", "product": "mysql",
                "database_type": "MySQL", "host": "h", "port": 3306,
                "status": "complete", "engine_version": "8.4.0", "server_name": "s",
                "server_identity": f"{event['account_id']}{event['region']}{database['name']}",
                "server_time": now, "facts_at": now, "duration_ms": 1, "rows_fetched": USERS_PER_DATABASE,
                "users": USERS_PER_DATABASE, "admins": 0, "queries": [],
            }
        )  # fmt: skip
    return json.dumps(
        {
            "schemaVersion": event["schema_version"], "workerVersion": "fake", "collectionId": event["collection_id"],
            "runId": event["run_id"], "attempt": event["attempt"], "accountId": event["account_id"],
            "region": event["region"], "databaseConnections": connections, "adminUsers": users, "warnings": [],
            "errors": [], "queries": {},
            "metadata": {"totalUsers": len(users), "totalDatabases": len(connections),
                         "collectionStartTime": now, "collectionEndTime": now},
        }
    ).encode()  # fmt: skip


class FakeAws:
    """Routes by what the three services' requests look like."""

    def __init__(self, worker_seconds: float) -> None:
        self.worker_seconds = worker_seconds
        self.objects: dict[str, bytes] = {}
        self.running = self.most_running = 0

    async def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Route one request."""
        path = urllib.parse.unquote(target.partition("?")[0])
        if method == "POST" and path == "/":
            return self.sts(urllib.parse.parse_qs(body.decode()))
        if path.startswith("/2015-03-31/functions/") and path.endswith("/configuration"):
            return Answer(json.dumps({"Version": "$LATEST", "CodeSha256": "ZmFrZQ=="}).encode())
        if path.startswith("/2015-03-31/functions/"):
            return await self.invoke(json.loads(body))
        return self.s3(method, path, urllib.parse.parse_qs(target.partition("?")[2]), headers, body)

    def sts(self, form: dict[str, list[str]]) -> Answer:
        """GetCallerIdentity and AssumeRole; any role, any ExternalId."""
        if form["Action"] == ["GetCallerIdentity"]:
            arn = "arn:aws:iam::209371858707:role/orchestrator"
            inner = f"<Arn>{arn}</Arn><UserId>x</UserId><Account>209371858707</Account>"
        else:
            expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            inner = (
                "<Credentials><AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                f"<SessionToken>t</SessionToken><Expiration>{expires}</Expiration></Credentials>"
            )
        name = form["Action"][0]
        return Answer(f"<{name}Response><{name}Result>{inner}</{name}Result></{name}Response>".encode())

    async def invoke(self, event: dict[str, Any]) -> Answer:
        """Sleep, deliver, answer."""
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(self.worker_seconds)
        self.running -= 1
        return Answer(json.dumps(self.deliver(event)).encode())

    def deliver(self, event: dict[str, Any]) -> dict[str, Any]:
        """Put the result object in its place; returns the worker's answer."""
        data = result_object(event)
        self.objects[f"/{event['result']['bucket']}/{event['result']['key']}"] = data
        return {
            "accountId": event["account_id"], "region": event["region"], "status": "success",
            "s3Location": event["result"]["key"], "errorMessage": None, "dataCount": 1,
            "collectionId": event["collection_id"], "attempt": event["attempt"],
            "sha256": hashlib.sha256(data).hexdigest(), "sizeBytes": len(data), "workerVersion": "fake",
        }  # fmt: skip

    def s3(self, method: str, path: str, query: dict[str, list[str]], headers: dict[str, str], body: bytes) -> Answer:
        """PutObject with If-None-Match, GetObject, ListObjectsV2, HeadBucket; path style."""
        if method == "HEAD" and "/" not in path.strip("/"):
            return Answer(b"", headers={"x-amz-bucket-region": "us-east-1"})
        if method == "PUT":
            if headers.get("if-none-match") == "*" and path in self.objects:
                return Answer(b"<Error><Code>PreconditionFailed</Code></Error>", 412)
            self.objects[path] = body
            return Answer(b"")
        if "list-type" in query:
            prefix = query.get("prefix", [""])[0]
            bucket = path.strip("/")
            keys = sorted(k[len(bucket) + 2 :] for k in self.objects if k.startswith(f"/{bucket}/{prefix}"))
            sizes = {k: len(self.objects[f"/{bucket}/{k}"]) for k in keys}
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            items = "".join(
                f"<Contents><Key>{escape(k)}</Key><Size>{n}</Size><LastModified>{now}</LastModified></Contents>"
                for k, n in sizes.items()
            )
            return Answer(f"<ListBucketResult>{items}</ListBucketResult>".encode())
        if path in self.objects:
            data = self.objects[path]
            return Answer(data, headers={"ETag": f'"{hashlib.sha256(data).hexdigest()[:32]}"'})
        return Answer(b"<Error><Code>NoSuchKey</Code></Error>", 404)


async def serve(fake: FakeAws, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One keep-alive connection."""
    try:
        while line := await reader.readline():
            method, target, _ = line.decode().split(" ", 2)
            headers = {}
            while (raw := await reader.readline()) not in (b"\r\n", b""):
                name, _, value = raw.decode("latin1").partition(":")
                headers[name.strip().lower()] = value.strip()
            if headers.get("expect"):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await reader.readexactly(int(headers.get("content-length") or 0))
            answer = await fake.answer(method, target, headers, body)
            lines = [f"HTTP/1.1 {answer.status} X", f"Content-Length: {answer.announced or len(answer.body)}"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + answer.body)
            await writer.drain()
            if answer.announced:
                return
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
        pass  # the client went away, or the server is being stopped
    finally:
        writer.close()


async def main() -> None:
    """Serve until standard input closes; the first line printed is the port."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker-seconds", type=float, default=30)
    fake = FakeAws(parser.parse_args().worker_seconds)
    server = await asyncio.start_server(lambda r, w: serve(fake, r, w), "127.0.0.1", 0, limit=1 << 20, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, input_closed)
    print(fake.most_running, flush=True)


def input_closed() -> None:
    """Block until standard input closes: whoever started this process is gone."""
    sys.stdin.read()


if __name__ == "__main__":
    asyncio.run(main())
