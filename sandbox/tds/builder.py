"""Writes a `Catalogue` from sentences: this login, that role, this grant; ids and fixed roles as a real server has."""

from __future__ import annotations

import hashlib
from typing import Literal

from sandbox.tds.catalogue import Catalogue, Row

SA_SID = b"\x01"
_FIXED = (
    "sysadmin",
    "securityadmin",
    "serveradmin",
    "setupadmin",
    "processadmin",
    "diskadmin",
    "dbcreator",
    "bulkadmin",
)
_FIXED_2022 = ("##MS_DatabaseManager##", "##MS_LoginManager##", "##MS_ServerStateReader##", "##MS_DefinitionReader##")
_DB_FIXED = (
    "db_owner", "db_accessadmin", "db_securityadmin", "db_ddladmin", "db_backupoperator", "db_datareader",
    "db_datawriter",
)  # fmt: skip
_TYPE_DESC = {
    "S": "SQL_LOGIN", "U": "WINDOWS_LOGIN", "G": "WINDOWS_GROUP", "R": "SERVER_ROLE", "C": "CERTIFICATE_MAPPED_LOGIN",
    "K": "ASYMMETRIC_KEY_MAPPED_LOGIN", "E": "EXTERNAL_LOGIN", "X": "EXTERNAL_GROUP",
}  # fmt: skip
_CREATED = "2023-03-01T09:00:00.0000000-05:00"
State = Literal["G", "W", "D"]


class ServerBuilder:
    """Collects sentences; `build()` gives the catalogue. Starts with what every fresh server has."""

    def __init__(self, name: str = "SQL01", major: int = 15, sa_name: str = "sa") -> None:
        version = {15: "15.0.4375.4", 16: "16.0.4125.3"}[major]
        release = {15: "2019", 16: "2022"}[major]
        self._major, self._next, self._next_database = major, 270, 1
        text = f"Microsoft SQL Server {release} (RTM) - {version} (X64) Enterprise Edition (64-bit) on Windows Server"
        row: Row = {"server_name": name, "product_version": version, "edition": "Enterprise Edition (64-bit)",
                    "version_text": text, "reader": "audit_reader",
                    "server_time": "2024-01-15T09:22:33.1234567-05:00"}  # fmt: skip
        security = 1 if major >= 16 else None
        rights: Row = {"view_any_definition": 1, "view_any_security_definition": security, "view_any_database": 1,
                       "view_server_state": 1}  # fmt: skip
        self._server: dict[str, list[Row]] = {
            "server": [row], "visibility": [rights], "server_principals": [], "server_role_members": [],
            "server_permissions": [], "sql_logins": [], "open_sessions": [], "databases": [],
        }  # fmt: skip
        self._inside: dict[str, dict[str, list[Row]]] = {}
        self._principal(1, sa_name, "S", SA_SID)
        self._sql_login(1)
        self._principal(2, "public", "R", b"\x02")
        for number, role in enumerate(_FIXED + (_FIXED_2022 if major >= 16 else ()), start=3):
            self._principal(number, role, "R", bytes([number]), fixed=1)
        self.member("sysadmin", sa_name)
        for database in ("master", "tempdb", "model", "msdb"):
            self.database(database, owner=sa_name, trustworthy=database == "msdb")

    def login(
        self,
        name: str,
        type: str = "S",
        *,
        roles: tuple[str, ...] = (),
        disabled: bool = False,
        locked: bool = False,
        expired: bool = False,
        must_change: bool = False,
        last_login: str | None = None,
    ) -> ServerBuilder:
        """A login, CONNECT SQL granted as CREATE LOGIN does. `last_login`: an open session's start, with its offset."""
        number = self._take()
        self._principal(number, name, type, _sid(name), disabled=int(disabled))
        if type == "S":
            self._sql_login(number, locked=int(locked), expired=int(expired), must_change=int(must_change))
        self.grant("CONNECT SQL", name)
        for role in roles:
            self.member(role, name)
        if last_login:
            self._server["open_sessions"].append(
                {"login_name": name, "sid": _sid(name), "authenticating_database_id": 1, "last_login_at": last_login}
            )
        return self

    def role(self, name: str, *, owner: str = "sysadmin", roles: tuple[str, ...] = ()) -> ServerBuilder:
        """A user-defined server role, itself a member of `roles`."""
        self._principal(self._take(), name, "R", _sid(name), owner=self.id_of(owner))
        for role in roles:
            self.member(role, name)
        return self

    def member(self, role: str, member: str | int) -> ServerBuilder:
        """ALTER SERVER ROLE role ADD MEMBER member; an int is an id that no visible principal has."""
        number = member if isinstance(member, int) else self.id_of(member)
        self._server["server_role_members"].append(
            {"role_principal_id": self.id_of(role), "member_principal_id": number}
        )
        return self

    def grant(self, right: str, to: str, state: State = "G", *, on: str | None = None) -> ServerBuilder:
        """GRANT, GRANT WITH GRANT OPTION or DENY, on the server or `on` a login or server role."""
        self._server["server_permissions"].append(
            {
                "class": 100 if on is None else 101,
                "major_id": 0 if on is None else self.id_of(on),
                "grantee_principal_id": self.id_of(to),
                "permission_name": right,
                "state": state,
            }
        )
        return self

    def database(
        self,
        name: str,
        *,
        owner: str | None = None,
        trustworthy: bool = False,
        accessible: bool = True,
        online: bool = True,
        contained: bool = False,
    ) -> ServerBuilder:
        """A database with its own fixed roles, dbo and guest; owned by sid 0x01 unless told."""
        number, self._next_database = self._next_database, self._next_database + 1
        owner_sid = SA_SID if owner is None else self._sid_of(owner)
        self._server["databases"].append(
            {
                "database_id": number, "name": name, "owner_sid": owner_sid, "state": 0 if online else 6,
                "state_desc": "ONLINE" if online else "OFFLINE", "is_trustworthy_on": int(trustworthy),
                "containment": int(contained), "service_broker_guid": f"0000{number:04d}-1111-2222-3333-{_guid(self)}",
                "has_access": int(accessible and online),
            }
        )  # fmt: skip
        security = 1 if self._major >= 16 else None
        self._inside[name] = {
            "database_visibility": [
                {"database_id": number, "view_definition": 1, "view_security_definition": security},
            ],
            "database_principals": [], "database_role_members": [], "database_permissions": [],
        }  # fmt: skip
        self._database_principal(name, 0, "public", "R", b"\x00")
        self._database_principal(name, 1, "dbo", "S", owner_sid, authentication=1)
        self._database_principal(name, 2, "guest", "S", b"\x00")
        for index, role in enumerate(_DB_FIXED):
            self._database_principal(name, 16384 + index, role, "R", bytes([index + 3]), fixed=1)
        self.database_member(name, "db_owner", "dbo")
        return self

    def user(
        self,
        database: str,
        name: str,
        *,
        login: str | None = None,
        contained: bool = False,
        roles: tuple[str, ...] = (),
    ) -> ServerBuilder:
        """CREATE USER: for a login (by default of the same name), or contained with a password of its own."""
        principals = self._inside[database]["database_principals"]
        number = 5 + sum(1 for p in principals if p["is_fixed_role"] == 0)
        sid = _sid(f"{database}/{name}") if contained else self._sid_of(login or name)
        self._database_principal(database, number, name, "S", sid, authentication=2 if contained else 1)
        for role in roles:
            self.database_member(database, role, name)
        return self

    def windows_user(self, database: str, name: str, *, roles: tuple[str, ...] = ()) -> ServerBuilder:
        """A Windows user inside a database without a login of its own: it comes in through its group's."""
        principals = self._inside[database]["database_principals"]
        self._database_principal(database, 5 + len(principals), name, "U", _sid(name), authentication=3)
        for role in roles:
            self.database_member(database, role, name)
        return self

    def database_role(self, database: str, name: str, *, roles: tuple[str, ...] = ()) -> ServerBuilder:
        """A user-defined database role, itself a member of `roles`."""
        number = 5 + len(self._inside[database]["database_principals"])
        self._database_principal(database, number, name, "R", _sid(name))
        for role in roles:
            self.database_member(database, role, name)
        return self

    def database_member(self, database: str, role: str, member: str) -> ServerBuilder:
        """ALTER ROLE role ADD MEMBER member, inside one database."""
        self._inside[database]["database_role_members"].append(
            {
                "role_principal_id": self._inner_id(database, role),
                "member_principal_id": self._inner_id(database, member),
            }
        )
        return self

    def database_grant(self, database: str, right: str, to: str, state: State = "G") -> ServerBuilder:
        """GRANT or DENY on the database itself (class 0)."""
        self._inside[database]["database_permissions"].append(
            {"grantee_principal_id": self._inner_id(database, to), "permission_name": right, "state": state}
        )
        return self

    def set(self, query: str, **values: str | int | None) -> ServerBuilder:
        """Overwrite cells of the first row of a server-level answer."""
        self._server[query][0].update(values)
        return self

    def build(self) -> Catalogue:
        """The catalogue so far."""
        return Catalogue(self._server, self._inside)

    def id_of(self, name: str) -> int:
        """principal_id of a server principal. Raises StopIteration for an unknown name."""
        return int(str(next(p["principal_id"] for p in self._server["server_principals"] if p["name"] == name)))

    def _take(self) -> int:
        self._next += 1
        return self._next

    def _sid_of(self, login: str) -> bytes:
        found = next((p["sid"] for p in self._server["server_principals"] if p["name"] == login), None)
        return found if isinstance(found, bytes) else _sid(login)

    def _inner_id(self, database: str, name: str) -> int:
        principals = self._inside[database]["database_principals"]
        return int(str(next(p["principal_id"] for p in principals if p["name"] == name)))

    def _principal(
        self,
        number: int,
        name: str,
        kind: str,
        sid: bytes,
        *,
        disabled: int = 0,
        fixed: int = 0,
        owner: int | None = None,
    ) -> None:
        self._server["server_principals"].append(
            {
                "principal_id": number, "name": name, "type": kind, "type_desc": _TYPE_DESC[kind], "sid": sid,
                "is_disabled": disabled, "is_fixed_role": fixed, "owning_principal_id": owner,
                "created_at": _CREATED, "modified_at": _CREATED,
            }
        )  # fmt: skip

    def _sql_login(self, number: int, *, locked: int = 0, expired: int = 0, must_change: int = 0) -> None:
        self._server["sql_logins"].append(
            {
                "principal_id": number, "is_policy_checked": 1, "is_expiration_checked": 1, "is_locked": locked,
                "is_expired": expired, "is_must_change": must_change,
                "password_changed_at": "2023-12-01T08:00:00.0000000-05:00",
            }
        )  # fmt: skip

    def _database_principal(
        self, database: str, number: int, name: str, kind: str, sid: object, *, authentication: int = 0, fixed: int = 0
    ) -> None:
        assert isinstance(sid, bytes)
        description = {"S": "SQL_USER", "U": "WINDOWS_USER", "R": "DATABASE_ROLE"}[kind]
        self._inside[database]["database_principals"].append(
            {
                "principal_id": number, "name": name, "type": kind, "type_desc": description, "sid": sid,
                "authentication_type": authentication, "is_fixed_role": fixed, "created_at": _CREATED,
            }
        )  # fmt: skip


def _sid(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:16]


def _guid(builder: ServerBuilder) -> str:
    name = str(builder._server["server"][0]["server_name"])
    return hashlib.sha256(name.encode()).hexdigest()[:12]
