"""The probe as a DBA runs it: a process, its exit code and what it prints."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.engines import KnownServer
from worker_lambda.credentials import Credentials


def probe(server: KnownServer, login: Credentials, *more: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable, "-m", "worker_lambda.probe", "--engine", "mysql", "--host", login.host,
        "--port", str(login.port), "--username", login.username, "--password-env", "PROBE_PASSWORD",
        "--ca-file", str(server.server.ca_file), *more,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, env={"PROBE_PASSWORD": login.password}, timeout=60)


def test_a_complete_server_is_0_and_lists_its_accounts(mysql_server: KnownServer) -> None:
    done = probe(mysql_server, mysql_server.reader(), "--database-name", "prod")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("prod: complete, MySQL ")
    alice = next(line for line in done.stdout.splitlines() if line.startswith("alice@%"))
    assert re.split(r"  +", alice)[1:] == [
        "Full Admin (ALL on *.* WITH GRANT OPTION)", "Admin", "Active", "alice@%: ALL on *.* WITH GRANT OPTION",
    ]  # fmt: skip


def test_json_has_the_workers_items(mysql_server: KnownServer) -> None:
    login = mysql_server.reader()
    answer = json.loads(probe(mysql_server, login, "--json").stdout)
    assert set(answer) == {"database", "adminUsers", "warnings", "errors"}
    assert answer["database"]["status"] == "complete"
    assert "=cmd|' /C calc'!A0@%" in {user["username"] for user in answer["adminUsers"]}
    assert login.password not in json.dumps(answer)


def test_a_server_seen_in_part_is_3_and_what_the_probe_prints_cures_it(any_server: KnownServer) -> None:
    any_server.execute("DROP USER IF EXISTS poor@'%'", "CREATE USER poor@'%' IDENTIFIED BY 'poor-secret-1'")
    poor = any_server.login("poor", "poor-secret-1")
    try:
        first = probe(any_server, poor)
        assert first.returncode == 3
        assert "WARNING  Incomplete: login lacks SELECT" in first.stdout
        cures = [line.strip() for line in first.stdout.splitlines() if line.startswith("  ") and line.endswith(";")]
        assert cures
        any_server.execute(*cures)
        second = probe(any_server, poor)
        assert second.returncode == 0, second.stdout
    finally:
        any_server.execute("DROP USER poor@'%'")


def test_a_refused_login_is_1_and_says_why(mysql_server: KnownServer) -> None:
    done = probe(mysql_server, mysql_server.login("nobody", "wrong-password-9"), "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert answer["errors"][0]["reason"] == "Connection Failed: Authentication failed"
    assert answer["database"]["status"] == "failed"
    assert "wrong-password-9" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--engine", "oracle", "--host", "h", "--username", "u", "--password-env", "HOME"],
        ["--engine", "mysql", "--host", "h", "--username", "u", "--password-env", "NOT_SET_ANYWHERE"],
        ["--engine", "mysql", "--host", "h; x", "--username", "u", "--password-env", "HOME"],
        ["--engine", "mysql", "--host", "h", "--port", "0", "--username", "u", "--password-env", "HOME"],
        ["--engine", "mysql", "--host", "h", "--port", "70000", "--username", "u", "--password-env", "HOME"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "worker_lambda.probe", *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr


def test_control_characters_in_a_name_are_shown_and_not_sent_to_the_terminal(mysql_server: KnownServer) -> None:
    mysql_server.execute("CREATE USER `esc\x1b[31m\u202e`@'%' IDENTIFIED BY 'any-secret-2'")
    try:
        done = probe(mysql_server, mysql_server.reader())
    finally:
        mysql_server.execute("DROP USER `esc\x1b[31m\u202e`@'%'")
    assert "esc\\u001b[31m\\u202e@%" in done.stdout
    assert "\x1b" not in done.stdout
