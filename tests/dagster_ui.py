"""A real Dagster webserver and daemon, and the GraphQL that its UI sends."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.processes import end_group

START_SECONDS = 90
RUN_SECONDS = 180
_COLLECTIONS = {"path": ["account_collections"]}
_REPORT = {"path": ["db_admin_report"]}

LAUNCH_RUN = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
LAUNCH_BACKFILL = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
RUN_STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
BACKFILL_STATUS = (
    "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
)


class DagsterUi:
    """What a person at the UI can do, by the same requests."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send one request; fails on GraphQL errors."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = json.load(answer)
        assert "errors" not in said, said["errors"]
        data: dict[str, Any] = said["data"]
        return data

    def materialize_partition(self, key: str) -> str:
        """The "Materialize" button with one partition chosen; returns the run's id when it has succeeded."""
        return self._run([_COLLECTIONS], [{"key": "dagster/partition", "value": key}])

    def materialize_report(self) -> str:
        """The report asset alone."""
        return self._run([_REPORT], [])

    def backfill(self, keys: list[str]) -> str:
        """Collections of these partitions and the report after them; returns the backfill's id when it is done."""
        params = {"assetSelection": [_COLLECTIONS, _REPORT], "partitionNames": keys, "tags": []}
        said = self.graphql(LAUNCH_BACKFILL, params=params)["launchPartitionBackfill"]
        assert said["__typename"] == "LaunchBackfillSuccess", said
        backfill_id = str(said["backfillId"])

        def status() -> str:
            return str(self.graphql(BACKFILL_STATUS, id=backfill_id)["partitionBackfillOrError"]["status"])

        assert _wait(status, {"COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}) == "COMPLETED_SUCCESS"
        return backfill_id

    def _run(self, assets: list[dict[str, Any]], tags: list[dict[str, str]]) -> str:
        selector = {
            "repositoryName": "__repository__",
            "repositoryLocationName": "dbadmin_assets.definitions",
            "pipelineName": "__ASSET_JOB",
            "assetSelection": assets,
        }
        params = {"selector": selector, "mode": "default", "executionMetadata": {"tags": tags}}
        said = self.graphql(LAUNCH_RUN, params=params)["launchRun"]
        assert said["__typename"] == "LaunchRunSuccess", said
        run_id = str(said["run"]["runId"])

        def status() -> str:
            return str(self.graphql(RUN_STATUS, id=run_id)["runOrError"]["status"])

        assert _wait(status, {"SUCCESS", "FAILURE", "CANCELED"}) == "SUCCESS"
        return run_id


def _wait(status: Callable[[], str], ended: set[str]) -> str:
    give_up = time.monotonic() + RUN_SECONDS
    while (now := status()) not in ended:
        assert time.monotonic() < give_up, f"still {now} after {RUN_SECONDS} s"
        time.sleep(0.5)
    return now


@contextlib.contextmanager
def dagster_ui(environment: Mapping[str, str], log: Path) -> Iterator[DagsterUi]:
    """Webserver, daemon and code server on the instance of `environment`; all stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait_until_served(port, process, log)
            yield DagsterUi(port)
        finally:
            end_group(process)


def _wait_until_served(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < give_up, log.read_text()[-2000:]
            time.sleep(0.3)
