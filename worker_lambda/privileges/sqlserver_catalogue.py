"""One SQL Server's catalogue as typed facts: what the child process printed, checked and given names. No judgement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SA_SID = "0x01"
PUBLIC_ID = 2
DATABASE_PUBLIC_ID, DBO_ID, GUEST_ID = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Principal:
    """A row of sys.server_principals. `type`: S, U, G, R, C, K, E, X. `is_fixed`: a role that SQL Server makes."""

    id: int
    name: str
    type: str
    type_desc: str
    sid: str | None
    is_disabled: bool
    is_fixed: bool
    owner_id: int | None
    created_at: str | None
    modified_at: str | None


@dataclass(frozen=True, slots=True)
class Permission:
    """A row of sys.server_permissions or sys.database_permissions.

    Attributes:
        on: principal_id of a login or server role (class 101), of a database's user or role (class 4); None for the
            server or database itself.
        state: G granted, W granted with grant option, D denied.
    """

    grantee_id: int
    name: str
    state: str
    on: int | None = None


@dataclass(frozen=True, slots=True)
class LoginState:
    """What LOGINPROPERTY and sys.sql_logins say about one SQL login; None where it could not be read."""

    is_locked: int | None
    is_expired: int | None
    is_must_change: int | None
    is_policy_checked: int | None
    is_expiration_checked: int | None
    password_changed_at: str | None


@dataclass(frozen=True, slots=True)
class DatabasePrincipal:
    """A row of sys.database_principals. `authentication_type`: 0 none, 1 instance, 2 password, 3 Windows, 4 Entra."""

    id: int
    name: str
    type: str
    type_desc: str
    sid: str | None
    authentication_type: int | None
    created_at: str | None


@dataclass(slots=True)
class Database:
    """A row of sys.databases, with its own catalogue where it could be read.

    `error_number`: of the server, where it let the reader in by HAS_DBACCESS and then did not.
    """

    id: int
    name: str
    owner_sid: str | None
    is_trustworthy: bool
    state: str
    is_readable: bool
    error_number: int | None = None
    has_definition_right: bool = False
    principals: dict[int, DatabasePrincipal] = field(default_factory=dict)
    members: list[tuple[int, int]] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)

    @property
    def is_online(self) -> bool:
        """Whether a login with the right to it could read it."""
        return self.state == "ONLINE"


@dataclass(slots=True)
class Server:
    """Everything one collection read. Times are UTC ISO 8601; sessions are (authenticating database, sid or name)."""

    name: str
    version: str
    version_text: str
    reader: str
    server_time: str | None
    rights: dict[str, int | None]
    principals: dict[int, Principal]
    members: list[tuple[int, int]]
    permissions: list[Permission]
    login_states: dict[int, LoginState]
    sessions: dict[tuple[int, str], str]
    databases: list[Database]
    broker_guid: str | None

    @property
    def major(self) -> int:
        """12 is 2014, 13 2016, 14 2017, 15 2019, 16 2022."""
        return int(self.version.split(".")[0])

    @property
    def identity(self) -> str:
        """The same for every way to reach this instance: its name and msdb's broker id, made at its installation."""
        return f"{self.name}|{self.broker_guid or 'unknown'}"


def parse(output: dict[str, Any]) -> Server:
    """Read the child's last line.

    Raises:
        ValueError: a table, a column or a cell that has to be there is not, or has another type.
    """
    try:
        server = _server(output)
    except (KeyError, TypeError, IndexError, StopIteration) as error:
        raise ValueError(f"the catalogue has not the agreed shape: {type(error).__name__} {error}") from error
    if PUBLIC_ID not in server.principals:
        raise ValueError("sys.server_principals does not list public, which everybody may see")
    return server


def utc(text: str | None) -> str | None:
    """A datetimeoffset as SQL Server writes it (style 126), as UTC in whole seconds with a Z.

    Raises:
        ValueError: for a text without an offset.
    """
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without an offset: {text}")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(row: dict[str, Any]) -> str:
    """A name from its UTF-16; half a surrogate pair, which no text can hold, becomes `\\uXXXX`."""
    text = bytes.fromhex(row["name_utf16"].removeprefix("0x")).decode("utf-16-le", "surrogatepass")
    return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text)


def _rows(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    columns = table["columns"]
    return (dict(zip(columns, row, strict=True)) for row in table["rows"])


def _server(output: dict[str, Any]) -> Server:
    tables = output["tables"]
    facts = next(_rows(tables["server"]))
    inside = {item["name"]: item for item in output["databases"]}
    databases = [_database(row, inside.get(row["name"])) for row in _rows(tables["databases"])]
    guids = {row["name"]: row["service_broker_guid"] for row in _rows(tables["databases"])}
    return Server(
        name=str(facts["server_name"]),
        version=str(facts["product_version"]),
        version_text=str(facts["version_text"]),
        reader=str(facts["reader"]),
        server_time=utc(facts["server_time"]),
        rights=next(_rows(tables["visibility"])),
        principals={row["principal_id"]: _principal(row) for row in _rows(tables["server_principals"])},
        members=_members(tables["server_role_members"]),
        permissions=[
            Permission(
                int(row["grantee_principal_id"]),
                str(row["permission_name"]).strip(),
                str(row["state"]),
                int(row["major_id"]) if row["class"] == 101 else None,
            )
            for row in _rows(tables["server_permissions"])
        ],
        login_states={row["principal_id"]: _login_state(row) for row in _rows(tables["sql_logins"])},
        sessions=_sessions(tables["open_sessions"]),
        databases=databases,
        broker_guid=guids.get("msdb"),
    )


def _members(table: dict[str, Any]) -> list[tuple[int, int]]:
    return [(int(row["role_principal_id"]), int(row["member_principal_id"])) for row in _rows(table)]


def _principal(row: dict[str, Any]) -> Principal:
    return Principal(
        id=int(row["principal_id"]),
        name=_name(row),
        type=str(row["type"]).strip(),
        type_desc=str(row["type_desc"]),
        sid=row["sid"],
        is_disabled=row["is_disabled"] == 1,
        is_fixed=row["is_fixed_role"] == 1,
        owner_id=row["owning_principal_id"],
        created_at=utc(row["created_at"]),
        modified_at=utc(row["modified_at"]),
    )


def _login_state(row: dict[str, Any]) -> LoginState:
    return LoginState(
        is_locked=row["is_locked"],
        is_expired=row["is_expired"],
        is_must_change=row["is_must_change"],
        is_policy_checked=row["is_policy_checked"],
        is_expiration_checked=row["is_expiration_checked"],
        password_changed_at=utc(row["password_changed_at"]),
    )


def _sessions(table: dict[str, Any]) -> dict[tuple[int, str], str]:
    """Latest open session per login, under its sid and under its name: a renamed login keeps its sid."""
    latest: dict[tuple[int, str], str] = {}
    for row in _rows(table):
        moment = utc(row["last_login_at"])
        for identity in (row["sid"], row["login_name"]):
            if moment is not None and identity:
                key = (int(row["authenticating_database_id"] or 1), str(identity))
                latest[key] = max(latest.get(key, moment), moment)
    return latest


def _database(row: dict[str, Any], item: dict[str, Any] | None) -> Database:
    tables, failure = (item["tables"], item["failure"]) if item else (None, None)
    database = Database(
        id=int(row["database_id"]),
        name=_name(row),
        owner_sid=row["owner_sid"],
        is_trustworthy=row["is_trustworthy_on"] == 1,
        state=str(row["state_desc"]),
        is_readable=tables is not None,
        error_number=int(failure["number"]) if failure else None,
    )
    if tables is None:
        return database
    rights = next(_rows(tables["database_visibility"]))
    database.has_definition_right = 1 in (rights["view_definition"], rights["view_security_definition"])
    if rights["database_id"] != database.id:
        raise ValueError(f"asked for database {database.id}, read {rights['database_id']}")
    _read_inside(database, tables)
    return database


def _read_inside(database: Database, tables: dict[str, Any]) -> None:
    for p in _rows(tables["database_principals"]):
        principal = DatabasePrincipal(
            id=int(p["principal_id"]),
            name=_name(p),
            type=str(p["type"]).strip(),
            type_desc=str(p["type_desc"]),
            sid=p["sid"],
            authentication_type=p["authentication_type"],
            created_at=utc(p["created_at"]),
        )
        database.principals[principal.id] = principal
    database.members = _members(tables["database_role_members"])
    database.permissions = [
        Permission(
            int(p["grantee_principal_id"]),
            str(p["permission_name"]).strip(),
            str(p["state"]),
            int(p["major_id"]) if p["class"] == 4 else None,
        )
        for p in _rows(tables["database_permissions"])
    ]
