"""TDS 7.4 as bytes: what a LOGIN7 or PRELOGIN says, how tokens and rows are written. No sockets, no state.

The source of every layout is Microsoft's MS-TDS; what the driver accepts was tried with pymssql 2.4.6 (FreeTDS 1.5.19).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

PACKET_BATCH, PACKET_RESPONSE, PACKET_ATTENTION, PACKET_LOGIN, PACKET_PRELOGIN = 1, 4, 6, 16, 18
ENCRYPT_OFF, ENCRYPT_ON, ENCRYPT_NOT_SUPPORTED, ENCRYPT_REQUIRED = 0, 1, 2, 3

_COLLATION = b"\x09\x04\xd0\x00\x34"  # SQL_Latin1_General_CP1_CI_AS
_DONE, _DONE_MORE, _DONE_ERROR, _DONE_COUNT, _DONE_ATTENTION = 0, 1, 2, 0x10, 0x20
_TYPE_INFO = {
    "int": b"\x26\x04",
    "nvarchar": b"\xe7" + struct.pack("<H", 8000) + _COLLATION,
    "varbinary": b"\xa5" + struct.pack("<H", 8000),
}

Value = str | int | bytes | None
Column = tuple[str, str]  # name, and int | nvarchar | varbinary


class SqlError(Exception):
    """An error the server answers with.

    Attributes:
        number: as SQL Server numbers it (208, 18456, …).
        severity: 11 and up end the statement.
    """

    def __init__(self, number: int, text: str, severity: int = 16, state: int = 1) -> None:
        super().__init__(text)
        self.number, self.text, self.severity, self.state = number, text, severity, state


@dataclass(frozen=True, slots=True)
class ResultSet:
    """One answer of one statement."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]] = ()


@dataclass(frozen=True, slots=True)
class Login:
    """What a LOGIN7 packet says. The password never shows in a repr."""

    username: str
    app_name: str
    database: str
    tds_version: int
    packet_size: int
    password: str = field(repr=False)


def decode_login(data: bytes) -> Login:
    """Read a LOGIN7 body. Raises struct.error or IndexError for one that is too short."""

    def text(at: int) -> bytes:
        offset, length = struct.unpack_from("<HH", data, at)
        return data[offset : offset + 2 * length]

    password = bytes(((b ^ 0xA5) << 4 | (b ^ 0xA5) >> 4) & 0xFF for b in text(44))
    size = struct.unpack_from("<I", data, 8)[0]
    return Login(
        username=text(40).decode("utf-16-le"),
        app_name=text(48).decode("utf-16-le"),
        database=text(68).decode("utf-16-le"),
        tds_version=struct.unpack_from("<I", data, 4)[0],
        packet_size=size if 512 <= size <= 32767 else 4096,
        password=password.decode("utf-16-le"),
    )


def batch_text(data: bytes) -> str:
    """The statement of an SQL batch, after its ALL_HEADERS (TDS 7.2 and later)."""
    return data[struct.unpack_from("<I", data)[0] :].decode("utf-16-le")


def prelogin_encryption(data: bytes) -> int:
    """What a client's PRELOGIN asks for; not supported where it does not say."""
    at = 0
    while data[at] != 0xFF:
        kind, offset, length = struct.unpack_from(">BHH", data, at)
        if kind == 1 and length:
            return int(data[offset])
        at += 5
    return ENCRYPT_NOT_SUPPORTED


def prelogin_answer(encryption: int) -> bytes:
    """A PRELOGIN answer of SQL Server 2019 (15.0) with the agreed encryption."""
    options = ((0, struct.pack(">BBHH", 15, 0, 4375, 0)), (1, bytes([encryption])), (2, b"\0"), (3, b""), (4, b"\0"))
    head, tail, offset = b"", b"", 5 * len(options) + 1
    for kind, value in options:
        head += struct.pack(">BHH", kind, offset + len(tail), len(value))
        tail += value
    return head + b"\xff" + tail


def error_answer(error: SqlError) -> bytes:
    """An ERROR token and the DONE that ends the answer."""
    return _message(error, 0xAA) + done(_DONE_ERROR)


def login_answer(login: Login, database: str, server_name: str) -> bytes:
    """What follows a login that was accepted, for the protocol version it asked for (at most 7.4)."""
    version = min(max(login.tds_version, 0x70000000), 0x74000004)
    program = struct.pack(">I", version) + _b_varchar("Microsoft SQL Server") + bytes([15, 0, 0x11, 0x17])
    info = [
        SqlError(5701, f"Changed database context to '{database}'.", 0, 2),
        SqlError(5703, "Changed language setting to us_english.", 0, 1),
    ]
    return b"".join(
        [
            database_change(database, "master"),
            _message(info[0], 0xAB, server_name),
            _token(0xE3, b"\x07\x05" + _COLLATION + b"\0"),
            _change(2, "us_english"),
            _message(info[1], 0xAB, server_name),
            _token(0xAD, b"\x01" + program),
            _change(4, str(login.packet_size), str(login.packet_size)),
            done(),
        ]
    )


def database_change(new: str, old: str) -> bytes:
    """ENVCHANGE for the current database."""
    return _change(1, new, old)


def done(status: int = _DONE, rows: int = 0) -> bytes:
    """A DONE token."""
    return struct.pack("<BHHQ", 0xFD, status, 0xC1 if status & _DONE_COUNT else 0, rows)


def attention_answer() -> bytes:
    """The answer to a client that cancels."""
    return done(_DONE_ATTENTION)


def result_answer(result: ResultSet) -> bytes:
    """Column metadata, rows and DONE."""
    head = b"\x81" + struct.pack("<H", len(result.columns))
    for name, kind in result.columns:
        head += b"\0\0\0\0\x09\x00" + _TYPE_INFO[kind] + _b_varchar(name)
    rows = [
        b"\xd1" + b"".join(_value(kind, value) for (_, kind), value in zip(result.columns, row, strict=True))
        for row in result.rows
    ]
    return head + b"".join(rows) + done(_DONE_COUNT, len(result.rows))


def _value(kind: str, value: Value) -> bytes:
    if kind == "int":
        return b"\0" if value is None else b"\x04" + struct.pack("<i", int(value))
    if value is None:
        return b"\xff\xff"
    data = str(value).encode("utf-16-le", "surrogatepass") if kind == "nvarchar" else value
    if not isinstance(data, bytes):
        raise TypeError(f"{kind} wants bytes, not {type(value).__name__}")
    return struct.pack("<H", len(data)) + data


def _b_varchar(text: str) -> bytes:
    data = text.encode("utf-16-le")
    return bytes([len(data) // 2]) + data


def _token(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + struct.pack("<H", len(body)) + body


def _change(kind: int, new: str, old: str = "") -> bytes:
    return _token(0xE3, bytes([kind]) + _b_varchar(new) + _b_varchar(old))


def _message(error: SqlError, token: int, server_name: str = "STANDIN") -> bytes:
    text = error.text.encode("utf-16-le")
    body = struct.pack("<IBBH", error.number, error.state, error.severity, len(text) // 2) + text
    return _token(token, body + _b_varchar(server_name) + _b_varchar("") + struct.pack("<I", 1))
